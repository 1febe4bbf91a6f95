from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.maintenance.samples import lay, text


def completed(words: str) -> list[str]:
    """Give what bash is offered for the last of some words."""
    program = (
        "import sys; sys.argv[0] = 'aquila-cassette'; from aquila_cassette.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "_AQUILA_CASSETTE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        capture_output=True,
        text=True,
    )
    assert ran.stderr == ""
    return ran.stdout.split()


@pytest.mark.parametrize("command", ["show", "check", "scrub", "mv", "mv a"])
def test_the_shell_completes_the_names_of_cassettes(command: str) -> None:
    for name in ("chat.hello", "chat/hi", "other"):
        lay(f"cassettes/{name}.yaml", text())
    assert completed(f"aquila-cassette {command} ch") == ["chat.hello", "chat/hi"]
    assert completed(f"aquila-cassette {command} z") == []


def test_it_looks_into_the_folder_that_is_named() -> None:
    lay("cassettes/one.yaml", text())
    assert completed("aquila-cassette check -d cassettes o") == ["one"]


def test_the_shell_completes_commands_and_formats() -> None:
    assert completed("aquila-cassette sc") == ["scrub"]
    assert completed("aquila-cassette check --format g") == ["github"]
