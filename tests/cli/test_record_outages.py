"""``record`` while the provider is down, through tests that fail, and stopped half-way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import pytest

from tests.cli.conftest import Cli
from tests.cli.project import Project

SWALLOWS = """
def reply(prompt):
    try:
        return ask(prompt)
    except httpx.HTTPError:
        return "fallback"

@pytest.mark.parametrize("name", ["a", "b"])
def test_it(aquila_cassette, name):
    with aquila_cassette(name):
        reply({prompt!r} + name)
"""


def lay(project: Project, prompt: str = "Say ") -> dict[str, bytes]:
    project.tests(SWALLOWS.format(prompt=prompt))
    return {
        name: project.cassette(name, (f"test_it.py::test_it[{name}]", f"Say {name}")).read_bytes()
        for name in "ab"
    }


def on_file() -> dict[str, bytes]:
    return {name: Path(f"cassettes/{name}.yaml").read_bytes() for name in "ab"}


ECHOED = """
client.headers["authorization"] = "Bearer {key}"
{failing}def test_it(aquila_cassette):
    with aquila_cassette("a"):
        ask("Say a")
    raise ValueError("401: not accepted: " + client.headers["authorization"])
"""


@pytest.mark.parametrize("failing", ["", "raise ValueError('{key}')\n"])
def test_a_key_in_the_message_of_a_test_that_failed_is_not_printed(
    cli: Cli, project: Project, failing: str
) -> None:
    key = "sk-test-1234567890abcdefghijklmnop"
    project.tests(ECHOED.format(key=key, failing=failing.format(key=key)))
    project.cassette("a", ("test_it.py::test_it", "Say a"))
    ran = cli("record", "*")
    assert ran.code == 1
    assert key not in ran.out + ran.err
    assert "[redacted]" in ran.err


DOCUMENTED = """
def test_greets(aquila_cassette):
    client.headers["x-provider-fault"] = "error-401"
    with aquila_cassette("chat.greets"):
        ask("Say hello")
"""


def test_the_documentation_shows_the_error_that_is_raised(cli: Cli, project: Project) -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text("utf-8")
    shown = page[page.index("OverwriteError: ") :].partition("```")[0]
    project.tests(DOCUMENTED, "test_chat.py")
    at = "2026-11-22T10:30:00Z"
    project.cassette("chat.greets", ("test_chat.py::test_greets", "Say hello"), at=at)
    ran = cli("record", "chat.greets")
    _, _, error = ran.err.partition("aquila_cassette.errors.")
    error = error[: error.index("aquila: ")].replace("\nE   ", "\n")
    assert error == shown.replace("https://api.openai.com", project.provider.url)


def test_a_pytest_that_breaks_off_leaves_the_rest_as_it_was_and_says_so(
    cli: Cli, project: Project
) -> None:
    old = lay(project, "NEW ")
    source = Path("test_it.py").read_text()
    Path("test_it.py").write_text(source + "        if name == 'b': __import__('os')._exit(9)\n")
    ran = cli("record", "*")
    assert ran.code == 2
    assert ran.err.endswith("pytest broke off.\n")
    assert on_file()["b"] == old["b"]
    assert project.prompts("a") == ["NEW a"]
    assert ran.out.endswith(
        "a     in part  1 of 1 changed; test_it.py::test_it[a] did not run to its end\n"
        "b     kept     test_it.py::test_it[b] did not run to its end\n"
        "\n"
        "0 cassettes re-recorded, 1 in part, 1 kept as before; 1 changed.\n"
    )


MANY = """
@pytest.mark.parametrize("number", range(12))
def test_it(aquila_cassette, number):
    if number == 8:
        {}
    with aquila_cassette(f"many_{{number}}"):
        ask("NEW")
"""
# Its end shows that the process is gone: nothing else holds the other end of the pipe open.
CONFTEST = """
import os
os.open("alive", os.O_WRONLY)
"""


class Running(NamedTuple):
    """The command that runs, what it writes, and whether the pytest that it started is alive."""

    command: subprocess.Popen[str]
    out: IO[str]
    alive: IO[str]


@contextmanager
def half_way(project: Project, *, at_8: str = "pass") -> Iterator[Running]:
    """Start ``record`` on all there is, and read what it writes until half of the tests ran."""
    project.tests(MANY.format(at_8))
    project.cassette("many_0", ("test_it.py::test_it[0]", "old"))
    old = Path("cassettes/many_0.yaml").read_text()
    for number in range(12):
        Path(f"cassettes/many_{number}.yaml").write_text(old.replace("[0]", f"[{number}]"))
    Path("conftest.py").write_text(CONFTEST)
    os.mkfifo("alive")
    command = subprocess.Popen(
        [sys.executable, "-m", "aquila_cassette", "record", "*"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with command, Path("alive").open() as alive:
        assert command.stdout is not None
        assert any("[ 50%]" in line for line in command.stdout)
        yield Running(command, command.stdout, alive)


def number_replaced(project: Project) -> int:
    """Count the cassettes that hold the new recording; each other one is as it was."""
    prompts = [project.prompts(f"many_{number}") for number in range(12)]
    assert all(one in (["NEW"], ["old"]) for one in prompts)
    return prompts.count(["NEW"])


def test_killed_half_way_each_cassette_is_the_old_or_the_new_one(project: Project) -> None:
    with half_way(project) as running:
        running.command.kill()
        assert running.alive.read() == ""
    assert number_replaced(project) >= 6


def test_ctrl_c_leaves_whole_cassettes_and_says_which_are_new(project: Project) -> None:
    os.mkfifo("nothing")
    with half_way(project, at_8="open('nothing')") as running:
        running.command.send_signal(signal.SIGINT)
        rest = running.out.read()
        assert running.alive.read() == ""
    assert running.command.returncode == 130
    new = number_replaced(project)
    assert 6 <= new < 12
    assert (
        f"\n{new} cassettes re-recorded, {12 - new} kept as before; {new} changed.\n"
        "Stopped. Each cassette is whole: the old one or the new one.\n"
    ) in rest
    assert "kept         test_it.py::test_it[11] did not run to its end\n" in rest
