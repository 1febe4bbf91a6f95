"""What no test used is known from a complete run, and from nothing less."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from aquila_cassette.model import Interaction, Request, Response
from aquila_cassette.plugin.summary import Tally, merge
from aquila_cassette.storage import files
from tests.plugin.conftest import Suite

PASSED = "test_it.py::test_passed"
SKIPPED = "test_it.py::test_skipped"


def save(path: Path, *recorded_by: str | None) -> Path:
    interactions = [
        Interaction(Request("GET", f"http://127.0.0.1:9/{number}"), Response(200), "", by)
        for number, by in enumerate(recorded_by)
    ]
    files.save(path, interactions)
    return path


@pytest.fixture
def usage(tmp_path: Path) -> Tally:
    """A run of one test that passed and one that was skipped; it opened `used`."""
    (tmp_path / "test_other.py").touch()
    save(tmp_path / "cassettes/used.yaml", PASSED)
    return Tally(
        sizes={"cassettes/used.yaml": 1},
        used={("cassettes/used.yaml", 0)},
        folders={str(tmp_path / "cassettes")},
        tests={PASSED, SKIPPED},
        modules={"test_it.py"},
        passed={PASSED},
        not_passed={SKIPPED},
    )


@pytest.mark.parametrize(
    ("recorded_by", "is_unused"),
    [
        (PASSED, True),
        (f"{PASSED} (teardown)", True),
        ("test_it.py::test_renamed", True),
        ("test_gone.py::test_it", True),
        (SKIPPED, False),  # it may use it where it is not skipped
        ("test_other.py::test_it", False),  # its module was not collected
        (None, False),  # the test that was skipped may use it
    ],
)
def test_a_cassette_is_unused_if_who_recorded_it_passed_without_it_or_is_gone(
    tmp_path: Path, usage: Tally, recorded_by: str | None, is_unused: bool
) -> None:
    (tmp_path / "cassettes/damaged.yaml").write_text("version: 1\nint")  # left to check
    save(tmp_path / "cassettes/sub/lost.yaml", recorded_by)
    assert usage.unused(tmp_path) == ({"cassettes/sub/lost.yaml": []} if is_unused else {})
    if recorded_by is None:
        all_passed = replace(usage, not_passed=set())
        assert all_passed.unused(tmp_path) == {"cassettes/sub/lost.yaml": []}


def test_interactions_of_an_opened_cassette_are_unused_alike(tmp_path: Path, usage: Tally) -> None:
    shared = "cassettes/shared.yaml"
    save(tmp_path / shared, PASSED, SKIPPED, "test_it.py::test_gone", PASSED)
    usage.sizes[shared] = 4
    usage.used.add((shared, 0))
    assert usage.unused(tmp_path) == {shared: [3, 4]}
    merge(usage, vars(Tally(used={(shared, 3)}, sizes={shared: 4})))  # what a worker used
    assert usage.unused(tmp_path) == {shared: [3]}
    usage.recorded_into.add(shared)  # it is another cassette now
    assert usage.unused(tmp_path) == {}


SOURCE = """
@pytest.fixture(scope="module")
def models():
    with block("of_the_module", on_unplayed="ignore") as cassette:
        yield cassette

@pytest.mark.parametrize("number", [0, 1])
def test_passed(aquila_cassette, models, number):
    with aquila_cassette("shared", on_unplayed="ignore", match_on=("method", "url")):
        httpx.get(f"http://127.0.0.1:9/{number}")

def test_skipped(): pytest.skip("no key here")
"""


def noted(pytester: pytest.Pytester, name: str = "unused") -> object:
    return json.loads((pytester.path / ".pytest_cache/v/aquila" / name).read_text())


def test_a_complete_run_reports_what_no_test_used_and_a_partial_one_does_not(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    folder = pytester.path / "cassettes"
    save(folder / "shared.yaml", None, None, "test_it.py::test_gone")
    save(folder / "of_the_module.yaml", "test_it.py::test_gone")
    save(folder / "renamed.yaml", f"{PASSED}[0]")
    save(folder / "skipped.yaml", SKIPPED)
    unused = {
        "cassettes/of_the_module.yaml": [1],
        "cassettes/renamed.yaml": [],
        "cassettes/shared.yaml": [3],
    }
    for arguments in ([], ["-n", "1"]):
        result = suite(SOURCE, *arguments, "--aquila-record=none", "--aquila-report=report.json")
        result.assert_outcomes(passed=2, skipped=1)
        result.stdout.fnmatch_lines(
            [
                "aquila: no test used interaction 1 of cassettes/of_the_module.yaml",
                "aquila: no test used cassettes/renamed.yaml",
                "aquila: no test used interaction 3 of cassettes/shared.yaml",
                "Fix: aquila-cassette unused --delete",
                "aquila: 2 replayed, 0 recorded, 0 missed, 0 unplayed",
            ],
            consecutive=True,
        )
        report = json.loads((pytester.path / "report.json").read_text())
        assert (report["root"], report["unused"]) == (str(pytester.path), unused)
        assert noted(pytester) == unused
        assert noted(pytester, "unmatched_bodies") == ["cassettes/shared.yaml"]
    for arguments in (["-k", "passed"], ["test_it.py"], ["--lf"], ["test_it.py::test_passed"]):
        result = suite(None, *arguments, "--aquila-record=none")
        assert "no test used" not in result.stdout.str()
        assert noted(pytester) == {"cassettes/renamed.yaml": []}  # the others were opened since
    suite(None, "--aquila-record=none", "--aquila-report=report.json", "-k", "skipped")
    assert json.loads((pytester.path / "report.json").read_text())["unused"] is None
