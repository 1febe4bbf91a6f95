import os
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.cli.conftest import Cli, Lay
from tests.cli.terminal import on_a_terminal

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def piped(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aquila_cassette", *arguments],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | environment,
        capture_output=True,
        encoding="utf-8",
    )


def test_the_help_shows_examples_as_they_are_typed(cli: Cli) -> None:
    assert cli("--version").out == f"aquila-cassette {version('aquila-cassette')}\n"
    ran = cli("--help")
    assert ran.code == 0
    assert "\n  list     List cassettes, a line for each.\n" in ran.out
    for command in ("demo", "list", "show", "record", "report", "check", "scrub", "mv", "convert"):
        help_of = cli(command, "-h").out
        assert f"Usage: aquila-cassette {command} [OPTIONS]" in help_of
        assert f"  Example:\n    aquila-cassette {command}" in help_of
        assert "\b" not in help_of
        assert help_of.isascii()


@pytest.mark.parametrize(
    "arguments", [["shwo", "x"], ["show"], ["list", "--jsn"], ["demo", "--gap", "-1"]]
)
def test_a_misspelt_command_line_is_an_error_of_its_own(cli: Cli, arguments: list[str]) -> None:
    assert cli(*arguments).refusal.startswith("Usage: aquila-cassette")


LONG = "a-name-" + "so-long-that-no-terminal-of-80-columns-shows-it-" * 2


def test_a_terminal_gets_colours_and_lines_that_fit(lay: Lay) -> None:
    path = lay("plain")
    path.write_text(path.read_text().replace("blue", "a sky of many words " * 6))
    shown = COLOURS.sub("", on_a_terminal("show", "plain", width=60))
    assert (
        "             - a sky of many words a sky of many words a sky\n"
        "             of many words a sky of many words a sky of many\n"
        "             words a sky of many words\n"
    ) in shown
    lay("chat", LONG)
    lay("damaged", "bad")
    written = on_a_terminal("list")
    assert {"\x1b[1m", "\x1b[31m"} <= set(COLOURS.findall(written))
    lines = COLOURS.sub("", written).splitlines()[:3]
    assert lines[1].startswith("a-name-so-long-that-")
    assert all(len(line) <= 80 for line in lines)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", on_a_terminal("list", NO_COLOR="1"))


def test_where_the_encoding_is_ascii_nothing_is_lost(lay: Lay) -> None:
    lay("chat", LONG)
    ran = piped("show", LONG, PYTHONIOENCODING="ascii")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "  said       It is 18 \\xb0C.\n" in ran.stdout
    assert ran.stdout.startswith(f"{LONG}\n")  # nor is a line wrapped in a pipe


def test_a_reader_that_stops_early_is_no_traceback(lay: Lay) -> None:
    lay("chat")
    command = f"{sys.executable} -m aquila_cassette show {'chat ' * 200} | true"
    ran = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, encoding="utf-8")
    assert "Traceback" not in ran.stderr


def test_help_of_a_command_needs_neither_an_http_library_nor_yaml() -> None:
    script = (
        "import sys, aquila_cassette.cli as cli\n"
        "try: cli.main(['list', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'httpx', 'yaml', 'openai'} & set(sys.modules))\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout.endswith("set()\n")


def completed(words: str) -> list[str]:
    """Give what bash is offered for the last of some words."""
    program = (
        "import sys; sys.argv[0] = 'aquila-cassette'; from aquila_cassette.cli import main; main()"
    )
    asked = {"_AQUILA_CASSETTE_COMPLETE": "complete_bash", "COMP_WORDS": words}
    asked["COMP_CWORD"] = str(words.count(" "))
    environment = os.environ | asked
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def test_the_shell_completes_commands_formats_and_the_names_of_cassettes(lay: Lay) -> None:
    for name in ("chat.hello", "chat/hi", "other"):
        lay("plain", name)
    assert completed("aquila-cassette sc") == ["scrub"]
    assert completed("aquila-cassette check --format g") == ["github"]
    for command in ("show", "check -d cassettes", "mv a"):
        assert completed(f"aquila-cassette {command} ch") == ["chat.hello", "chat/hi"]
    assert completed("aquila-cassette scrub z") == []
