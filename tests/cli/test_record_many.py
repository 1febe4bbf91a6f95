"""``record`` on a long project: all of it in one run, and whole whatever stops it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import httpx
import pytest

from aquila_cassette import importers
from aquila_cassette.provider import Provider
from aquila_cassette.storage import files
from tests.cli.conftest import Cli
from tests.cli.project import LONG_AGO, Project

SUITE = """
@pytest.mark.parametrize("number", range({number}))
def test_it(aquila_cassette, number):
    with aquila_cassette(f"many_{{number}}"):
        ask(f"NEW {{number}}")
"""
# Its end tells that the process is gone: nothing else holds the other end of the pipe open.
CONFTEST = """
import os
pipe = os.open("alive", os.O_WRONLY)
os.write(pipe, f"{os.getpid()}\\n".encode())
"""


def lay(project: Project, number: int) -> dict[Path, bytes]:
    """Lay cassettes on the project, and a suite that records them; give their files."""
    project.tests(SUITE.format(number=number))
    message = [{"role": "user", "content": "old"}]
    body = {"model": "gpt-4o-mini", "stream": True, "messages": message}
    (one,) = project.recorded([("/v1/chat/completions", body)])
    laid = {}
    for place in range(number):
        path = Path(f"cassettes/many_{place}.yaml")
        signed = replace(one, recorded_by=f"test_it.py::test_it[{place}]", recorded_at=LONG_AGO)
        files.save(path, [signed])
        laid[path] = path.read_bytes()
    return laid


def replaced(project: Project, laid: dict[Path, bytes]) -> int:
    """Count the cassettes that hold the new recording; each is either whole, or as it was."""
    count = 0
    for path, before in laid.items():
        if path.read_bytes() == before:
            continue
        (one,) = importers.load(path).interactions
        assert project.prompts(path.stem) == [f"NEW {path.stem.removeprefix('many_')}"]
        assert one.response.ended == "complete"
        assert one.recorded_at > LONG_AGO
        count += 1
    return count


def test_all_cassettes_are_replaced_in_one_run_and_replay_with_the_provider_gone(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    with Provider(gap=0) as provider:
        project = Project(provider)
        laid = lay(project, 30)
        asked = len(provider.requests)
        ran = cli("record", "*")
        assert len(provider.requests) - asked == 30
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\n30 cassettes re-recorded; 30 changed.\n")
    assert replaced(project, laid) == 30
    with pytest.raises(httpx.ConnectError):
        httpx.get(provider.url)
    files_before = {path: path.read_bytes() for path in laid}
    replayed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--aquila-record=none"],
        capture_output=True,
        text=True,
    )
    assert replayed.returncode == 0
    assert "\n30 passed" in replayed.stdout
    assert "aquila: 30 replayed, 0 recorded, 0 missed, 0 unplayed\n" in replayed.stdout
    assert {path: path.read_bytes() for path in laid} == files_before


@dataclass
class Running:
    """A command under way: its process, what it writes, and the pytest that it started."""

    command: subprocess.Popen[str]
    tests: int
    alive: IO[str]

    @property
    def out(self) -> IO[str]:
        assert self.command.stdout is not None
        return self.command.stdout

    def wait_for_the_tests(self) -> None:
        """Wait until the pytest process is gone."""
        assert self.alive.read() == ""


@contextmanager
def half_way(number: int) -> Iterator[Running]:
    """Start ``record`` on all there is, and read what it writes until half of the tests ran."""
    Path("conftest.py").write_text(CONFTEST)
    os.mkfifo("alive")
    command = subprocess.Popen(
        [sys.executable, "-m", "aquila_cassette", "record", "*"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with command, Path("alive").open() as alive:
        running = Running(command, int(alive.readline()), alive)
        half = f"{number // 2}/{number} "
        assert any(line.lstrip().startswith(half) for line in running.out)
        yield running


@pytest.mark.parametrize("whom", ["all of it", "the command alone"])
def test_killed_half_way_each_cassette_is_the_old_or_the_new_one(
    project: Project, whom: str
) -> None:
    laid = lay(project, 20)
    with half_way(20) as running:
        running.command.kill()
        if whom == "all of it":
            os.kill(running.tests, signal.SIGKILL)
        running.wait_for_the_tests()
    assert 10 <= replaced(project, laid) < 20


def test_ctrl_c_leaves_whole_cassettes_and_says_which_are_new(project: Project) -> None:
    laid = lay(project, 20)
    with half_way(20) as running:
        running.command.send_signal(signal.SIGINT)
        rest = running.out.read()
        running.wait_for_the_tests()
    assert running.command.returncode == 130
    count = replaced(project, laid)
    assert 10 <= count < 20
    assert (
        f"\n{count} cassettes re-recorded, {20 - count} kept as before; {count} changed.\n"
        "Stopped. Each cassette is whole: the old one or the new one.\n"
    ) in rest
    assert f"kept         test_it.py::test_it[{19}] did not run\n" in rest
