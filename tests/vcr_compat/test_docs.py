"""The migration that docs/from-vcrpy.md describes is made, each of its commands by this test."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TEXT = (Path(__file__).parents[2] / "docs" / "from-vcrpy.md").read_text("utf-8")
BEFORE, AFTER = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
OUTPUTS = re.findall(r"^```\n((?:aquila|No interaction).*?)```", TEXT, re.DOTALL | re.MULTILINE)
COUNTS = "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed"
_PROGRAMS = {
    "pip": (sys.executable, "-m", "pip"),
    "pytest": (sys.executable, "-m", "pytest", "-p", "no:cassetter", "-p", "no:asyncio"),
    "aquila-cassette": (sys.executable, "-m", "aquila_cassette"),
}


def test_the_migration_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("COLUMNS", "200")
    commands = re.findall(r"^\$ (.*)$", TEXT, re.MULTILINE)
    one = {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "body": '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello"}]}',
            "headers": {},
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/event-stream"]},
            "body": {"string": 'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\n'},
        },
    }
    path = Path("tests", "cassettes", "test_chat", "test_reply.yaml")
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [one]}))

    def run(command: str, *more: str, suite: str = BEFORE, fails: bool = False) -> str:
        Path("tests", "test_chat.py").write_text(suite)
        program, *arguments = shlex.split(command)
        call = [*_PROGRAMS[program], *arguments, *more]
        done = subprocess.run(call, capture_output=True, text=True)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout

    changed = BEFORE.replace("Say hello", "Say hi")
    run(commands.pop(0), "--no-index", "--no-deps", "--dry-run")
    assert COUNTS in run(commands[0])
    assert OUTPUTS[0].strip() in run(commands.pop(0), suite=changed).splitlines()
    missed = run(commands.pop(0), suite=changed, fails=True)
    for line in OUTPUTS[1].strip().splitlines():
        assert re.search(rf"^E  .*{re.escape(line)}$", missed, re.MULTILINE), line
    run(commands.pop(0))
    assert Path("cassettes", "tests", "test_chat", "test_reply.yaml").is_file()
    assert COUNTS in run(commands[0], suite=AFTER)
    run(commands.pop(0), suite=AFTER.replace("Say hello", "Say hi"), fails=True)
    run(commands.pop(0))
    assert not commands
    back = yaml.safe_load(Path("for_vcrpy", "test_chat", "test_reply.yaml").read_text())
    assert back["interactions"][0]["request"]["uri"] == one["request"]["uri"]
    assert back["interactions"][0]["response"]["body"] == one["response"]["body"]
