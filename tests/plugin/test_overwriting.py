"""Good answers on a cassette are not replaced by failures, however the test handles those."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin.conftest import Suite
from tests.servers import Connection, RawServer, Request

Answers = list[int]

ALL = "--aquila-record=all"
ASKS = """
def ask(path="/a"):
    try:
        return httpx.get(URL + path).raise_for_status().text
    except httpx.HTTPError:
        return "fallback"
"""
SWALLOWS = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        ask()
"""


@pytest.fixture
def answers() -> Answers:
    """The statuses to answer with, the first one first; 0 hangs up without a word, then 200."""
    return []


@pytest.fixture
def server(answers: Answers) -> Iterator[RawServer]:
    def script(connection: Connection, request: Request) -> None:
        status = answers.pop(0) if answers else 200
        if status:
            connection.head(status, {"content-type": "text/plain"}, length=4)
            connection.piece(b"well")
            connection.end()
        else:
            connection.fin()

    with RawServer(script) as server:
        yield server


@pytest.fixture
def cassette(pytester: pytest.Pytester) -> Path:
    return pytester.path / "cassettes/x.yaml"


def test_a_failure_that_the_test_swallows_does_not_replace_a_good_answer(
    suite: Suite, server: RawServer, answers: Answers, cassette: Path
) -> None:
    suite(ASKS + SWALLOWS).assert_outcomes(passed=1)
    old = cassette.read_bytes()
    answers.append(401)
    result = suite(None, ALL)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "E*OverwriteError: cassettes/x.yaml stays as it was: "
                "1 good answer would have been replaced by HTTP 401."
            ),
            f"E*  on cassette: interaction 1, recorded ????-??-??, GET {server.url}/a: HTTP 200",
            f"E*  now:         GET {server.url}/a: HTTP 401",
            "E*Fix: check the provider, * then run: pytest test_it.py::test_a --aquila-record=all",
            "aquila: cassettes/x.yaml was not changed, since test_it.py::test_a failed",
        ]
    )
    for status in (0, 429):
        answers.append(status)
        suite(None, ALL).assert_outcomes(failed=1)
    assert cassette.read_bytes() == old
    result = suite(None, ALL)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["aquila: 0 replayed, 1 recorded, 0 missed, 0 unplayed"])


def test_of_a_shared_cassette_a_test_replaces_its_own_and_of_several_cassettes_all_or_none(
    suite: Suite, answers: Answers, cassette: Path
) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        ask("/{0}")

def test_b(aquila_cassette):
    with aquila_cassette("other"):
        ask("/{0}")
    with aquila_cassette("x"):
        ask("/b")

@pytest.fixture(scope="module")
def wider():
    with block("wider"):
        ask("/w")

def test_c(wider): pass
"""
    suite(ASKS + source.format("old")).assert_outcomes(passed=3)
    answers += [200, 200, 500, 0]
    result = suite(ASKS + source.format("new"), ALL)
    result.assert_outcomes(passed=2, failed=1)
    kept = "aquila: cassettes/wider.yaml was not changed, since test_it.py failed"
    result.stdout.fnmatch_lines(["E*  on cassette: interaction 2, *", kept])
    assert "/new" in cassette.read_text()
    assert "/old" in cassette.with_name("other.yaml").read_text()
    assert "status: 200" in cassette.with_name("wider.yaml").read_text()


def test_a_test_that_fails_as_expected_records_again_but_no_outage(
    suite: Suite, answers: Answers, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.mark.xfail
def test_a(cassette):
    assert ask("/{}") == "no"
"""
    suite(ASKS + source.format("old")).assert_outcomes(xfailed=1)
    suite(ASKS + source.format("new"), ALL).assert_outcomes(xfailed=1)
    (path,) = pytester.path.glob("cassettes/**/*.yaml")
    assert "/new" in path.read_text()
    assert "/old" not in path.read_text()
    suite(None, "--aquila-record=none").assert_outcomes(xfailed=1)
    old = path.read_bytes()
    for asked in ("new", "edited"):
        answers.append(500)
        result = suite(ASKS + source.format(asked), ALL)
        result.assert_outcomes(xfailed=1, errors=1)
        result.stdout.fnmatch_lines(["E*OverwriteError: *.yaml stays as it was: 1 good answer *"])
        assert path.read_bytes() == old
