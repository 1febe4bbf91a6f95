"""``unused`` and ``rm --unused``: what a complete run did not use is listed, and deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aquila_cassette import importers
from tests.cli.conftest import Cli
from tests.cli.project import Project
from tests.cli.samples import chat, lay, text

SUITE = """
def test_it(aquila_cassette):
    with aquila_cassette("used"):
        ask("hi")
"""
LISTED = "cassettes/lost.yaml\ncassettes/used.yaml: interaction 2\n"


def test_the_whole_suite_is_run_and_what_it_did_not_use_is_deleted(
    cli: Cli, project: Project
) -> None:
    project.tests(SUITE)
    project.cassette("used", ("test_it.py::test_it", "hi"), ("test_it.py::test_gone", "ho"))
    project.cassette("lost", ("test_it.py::test_it", "hi"))
    ran = cli("unused")
    assert (ran.code, ran.out, ran.err) == (1, LISTED, "")
    assert json.loads(Path(".pytest_cache/v/aquila/unused").read_text()) == {
        "cassettes/lost.yaml": [],
        "cassettes/used.yaml": [2],
    }
    ran = cli("unused", "--", "-k", "nothing")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.endswith(
        "It is not known what no test uses: pytest did not run the whole suite.\n"
        "Fix: run it where pytest runs all tests, without -k, -m, --lf or paths\n"
    )
    ran = cli("unused", "--delete")
    assert (ran.code, ran.out) == (0, LISTED)
    assert ran.err == "Removed what was unused of 2 cassettes.\n"
    assert not Path("cassettes/lost.yaml").exists()
    assert project.prompts("used") == ["hi"]


@pytest.fixture
def noted() -> Path:
    lay("cassettes/lost.yaml", text())
    lay("cassettes/used.yaml", text(chat(), chat(sent=b"{}")))
    note = {"cassettes/lost.yaml": [], "cassettes/used.yaml": [2], "cassettes/gone.yaml": []}
    return lay(".pytest_cache/v/aquila/unused", json.dumps(note))


def test_rm_removes_what_the_last_complete_run_noted(cli: Cli, noted: Path) -> None:
    ran = cli("rm", "--unused", "--dry-run")
    assert (ran.code, ran.out, ran.err) == (1, LISTED, "")
    ran = cli("rm", "--unused")
    assert (ran.code, ran.out) == (2, LISTED)
    assert ran.err == (
        "2 cassettes would be changed or removed, and nobody can be asked.\n"
        "Fix: look at the list, then: aquila-cassette rm --unused --yes\n"
    )
    assert cli("rm", "--unused", "--yes").code == 0
    assert [path.name for path in Path("cassettes").iterdir()] == ["used.yaml"]
    assert importers.load(Path("cassettes/used.yaml")).interactions == (chat(),)
    ran = cli("rm", "--unused", "--yes")
    assert (ran.code, ran.err) == (0, "Nothing is unused.\n")


def test_without_a_note_rm_refuses(cli: Cli) -> None:
    ran = cli("rm", "--unused")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "No complete run of the tests is known here.\nFix: aquila-cassette unused --delete\n"
    )
    assert cli("rm").err == "rm needs --unused.\nFix: aquila-cassette unused --delete\n"


def test_what_lies_outside_of_the_folder_is_not_removed(cli: Cli, noted: Path) -> None:
    real = lay("elsewhere/lost.yaml", text())
    Path("cassettes/far").symlink_to("../elsewhere")
    noted.write_text(json.dumps({"cassettes/far/lost.yaml": []}))
    ran = cli("rm", "--unused", "--yes")
    assert ran.code == 2
    assert real.exists()
