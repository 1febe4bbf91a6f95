"""The migration that docs/from-vcrpy.md describes is made, each of its commands by this test."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from aquila_cassette.cli import main
from tests.vcr_compat.conftest import PLAIN

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "from-vcrpy.md").read_text("utf-8")
BEFORE, AFTER = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
OUTPUTS = re.findall(r"^```\n((?:aquila|No interaction).*?)```", TEXT, re.DOTALL | re.MULTILINE)
COUNTS = "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed"


def test_the_migration_of_the_page(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]")
    pytester.mkdir("tests")
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("COLUMNS", "200")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
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

    def run(command: str, *, suite: str = BEFORE, fails: bool = False) -> str:
        Path("tests", "test_chat.py").write_text(suite)
        program, *arguments = shlex.split(command)
        if program == "pytest":
            done = pytester.runpytest(*arguments, *PLAIN)
            assert done.ret == fails
            return done.stdout.str()
        with pytest.raises(SystemExit, match=r"^0$"):
            main(arguments)
        return ""

    changed = BEFORE.replace("Say hello", "Say hi")
    assert commands.pop(0) == 'pip install "aquila-cassette[vcr]"'
    assert "vcr" in project["optional-dependencies"]
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
