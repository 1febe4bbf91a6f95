"""``unused``: what a complete run did not use is listed, and deleted."""

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.project import Project

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
    assert (ran.code, ran.out) == (1, LISTED)
    assert json.loads(Path(".pytest_cache/v/aquila/unused").read_text()) == {
        "cassettes/lost.yaml": [],
        "cassettes/used.yaml": [2],
    }
    assert cli("unused", "--", "-k", "nothing").refusal.endswith(
        "It is not known what no test uses: pytest did not run the whole suite.\n"
        "Fix: run it where pytest runs all tests, without -k, -m, --lf or paths\n"
    )
    ran = cli("unused", "--delete")
    assert (ran.code, ran.out) == (0, LISTED)
    assert ran.err.endswith("\nRemoved what was unused of 2 cassettes.\n")
    assert not Path("cassettes/lost.yaml").exists()
    assert project.prompts("used") == ["hi"]
