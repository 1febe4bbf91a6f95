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
COMMANDS = re.findall(r"^\$ (.*)$", TEXT, re.MULTILINE)
BEFORE, AFTER = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
OUTPUTS = re.findall(r"^```\n((?:aquila|No interaction).*?)```", TEXT, re.DOTALL | re.MULTILINE)
ANSWER = 'data: {"choices":[{"delta":{"content":"Hello"}}]}\n\ndata: [DONE]\n\n'
URL = "https://api.openai.com/v1/chat/completions"
PROMPT = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello"}]}'
_PROGRAMS = {
    "pip": (sys.executable, "-m", "pip"),
    "pytest": (sys.executable, "-m", "pytest", "-p", "no:cassetter", "-p", "no:asyncio"),
    "aquila-cassette": (sys.executable, "-m", "aquila_cassette"),
}


class Project:
    """A suite of pytest-recording, in which commands of the page are run one after the other."""

    def __init__(self, root: Path) -> None:
        self.left = list(COMMANDS)
        self._root = root
        interactions_of = root / "tests" / "cassettes" / "test_chat" / "test_reply.yaml"
        interactions_of.parent.mkdir(parents=True)
        answer = {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/event-stream"]},
            "body": {"string": ANSWER},
        }
        request = {"method": "POST", "uri": URL, "body": PROMPT, "headers": {}}
        one = {"request": request, "response": answer}
        interactions_of.write_text(yaml.safe_dump({"version": 1, "interactions": [one]}))
        self.write(BEFORE)

    def write(self, source: str) -> None:
        (self._root / "tests" / "test_chat.py").write_text(source)

    def next(self, *more: str, fails: bool = False) -> str:
        """Run the page's next command."""
        return self.again(self.left.pop(0), *more, fails=fails)

    def again(self, command: str, *more: str, fails: bool = False) -> str:
        program, *arguments = shlex.split(command)
        done = subprocess.run(
            [*_PROGRAMS[program], *arguments, *more],
            cwd=self._root,
            capture_output=True,
            text=True,
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stdout


def test_the_migration_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("COLUMNS", "200")
    project = Project(tmp_path)
    changed = BEFORE.replace("Say hello", "Say hi")

    project.next("--no-index", "--no-deps", "--dry-run")
    run = project.left[0]
    assert "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed" in project.next()
    project.write(changed)
    assert OUTPUTS[0].strip() in project.again(run).splitlines()

    missed = project.next(fails=True)
    for line in OUTPUTS[1].strip().splitlines():
        assert re.search(rf"^E  .*{re.escape(line)}$", missed, re.MULTILINE), line
    project.write(BEFORE)

    project.next()
    assert (tmp_path / "cassettes" / "tests" / "test_chat" / "test_reply.yaml").is_file()

    project.write(AFTER)
    assert "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed" in project.next()
    project.write(AFTER.replace("Say hello", "Say hi"))
    project.again("pytest", fails=True)

    project.next()
    assert not project.left
    back = yaml.safe_load((tmp_path / "for_vcrpy" / "test_chat" / "test_reply.yaml").read_text())
    (only,) = back["interactions"]
    assert only["request"]["uri"] == URL
    assert only["response"]["body"]["string"] == ANSWER
