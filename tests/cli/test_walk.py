"""The walk of a new user: record, change the prompt, see the miss, mend it, see what changed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from aquila_cassette.provider import Provider

TEST = """\
from openai import OpenAI


def test_reply(aquila_cassette):
    with aquila_cassette("chat.says_hello"):
        stream = OpenAI().chat.completions.create(
            model="gpt-4o-mini",
            stream=True,
            messages=[{"role": "user", "content": "Say hello"}],
        )
        text = "".join(c.choices[0].delta.content or "" for c in stream if c.choices)
    assert "Hello" in text
"""


class Shell:
    """A shell in the user's project; it gives what a command wrote, and its exit code."""

    def __init__(self, url: str) -> None:
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", ""),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
            "OPENAI_API_KEY": "sk-a-key-for-the-embedded-provider",
            "OPENAI_BASE_URL": f"{url}/v1",
            # Other plugins of this machine write lines of their own.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "-p aquila_cassette.plugin -q",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def run(self, command: str, **environment: str) -> tuple[str, int]:
        ran = subprocess.run(
            ["/bin/sh", "-c", command],
            env=self._environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        written = re.sub(r" in \d+\.\d\ds", " in 0.00s", ran.stdout)
        return re.sub(r" {3,}\[100%\]", " [100%]", written), ran.returncode


def ran(counts: str, shown: str = "") -> str:
    """Return what pytest writes of one test that passed."""
    return f". [100%]\n{shown}aquila: {counts}, 0 missed, 0 unplayed\n1 passed in 0.00s\n"


def test_a_new_user_records_misses_records_again_sees_what_changed_and_is_green(
    provider: Provider,
) -> None:
    url = f"{provider.url}/v1/chat/completions"
    shell = Shell(provider.url)
    provider.requests.clear()
    Path("test_chat.py").write_text(TEST)

    # Record with a test; it replays.
    assert shell.run("pytest") == (ran("0 replayed, 1 recorded"), 0)
    assert Path("cassettes/chat.says_hello.yaml").is_file()
    assert shell.run("pytest", CI="true") == (ran("1 replayed, 0 recorded"), 0)
    assert len(provider.requests) == 1
    shell.run("git init -q && git add . && git -c user.name=u -c user.email=u@e commit -qm first")

    # Change the prompt, and see the miss.
    Path("test_chat.py").write_text(TEST.replace("Say hello", "Say a warm hello"))
    out, code = shell.run("pytest")
    assert code == 1
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert (
        f"MissError: No interaction matches POST {url} (request 1 of this block).\n"
        "  cassette: cassettes/chat.says_hello.yaml (mode once)\n"
        "  sent by:  test_chat.py:6 in test_reply, through openai\n"
        f"  closest:  interaction 1, recorded {today}, differs in the body\n"
        "    --- recorded\n"
        "    +++ this request\n"
        "    @@ messages.0.content @@\n"
        "    -Say hello\n"
        "    +Say a warm hello\n"
        "Fix: pytest test_chat.py::test_reply --aquila-record=all\n"
    ) in re.sub(r"^E {3,11}(?:aquila_cassette\.errors\.)?(?=\S|  )", "", out, flags=re.MULTILINE)
    assert "\naquila: 0 replayed, 0 recorded, 1 missed, 1 unplayed (chat.says_hello)\n" in out

    # Run the printed command as it is, and see what changed.
    changes = (
        f"interaction 1: request and answer changed (POST {url})",
        " model      gpt-4o-mini",
        "-user       Say hello",
        "+user       Say a warm hello",
        " with       stream: true",
        " ...",
        " said       Hello!",
        "-said       I am all ears.",
        "-said       ☕ What shall we look at first?",
        "+said       It is good to hear from you — what is on your mind?",
        " ended      complete (stop)",
    )
    shown = "aquila: cassettes/chat.says_hello.yaml was recorded again: 1 of 1 changed\n"
    shown += "".join(f"  {line}\n" for line in changes)
    command = re.findall(r"Fix: (.+)", out)[0]
    assert shell.run(command) == (ran("0 replayed, 1 recorded", shown), 0)
    out, code = shell.run("aquila-cassette diff chat.says_hello")
    assert (code, out.splitlines()[2:]) == (1, [*changes, "1 of 1 changed"])

    # All is green, and nothing is asked.
    asked = len(provider.requests)
    assert shell.run("pytest", CI="true") == (ran("1 replayed, 0 recorded"), 0)
    assert len(provider.requests) == asked
