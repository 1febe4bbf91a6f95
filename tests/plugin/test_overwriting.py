"""Good answers on cassette do not give way to failures, however the test takes those."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import Connection, RawServer, Request

Suite = Callable[..., pytest.RunResult]
Answers = list[int]

ALL = "--aquila-record=all"
SWALLOWS = """
def ask(path="/a"):
    try:
        return httpx.get(URL + path).raise_for_status().text
    except httpx.HTTPError:
        return "fallback"
"""
ASKS = (
    SWALLOWS
    + """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        ask()
"""
)


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

    with RawServer(script) as server:
        yield server


@pytest.fixture
def tape(pytester: pytest.Pytester) -> Path:
    return pytester.path / "cassettes/x.yaml"


def test_a_failure_that_the_test_swallows_does_not_replace_a_good_answer(
    suite: Suite, server: RawServer, answers: Answers, tape: Path
) -> None:
    suite(ASKS).assert_outcomes(passed=1)
    old = tape.read_bytes()
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
            "E*Fix: check the API key, then run: pytest test_it.py::test_a --aquila-record=all",
            "aquila: cassettes/x.yaml was not changed, since test_it.py::test_a failed",
        ]
    )
    assert tape.read_bytes() == old
    result = suite(None, ALL)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["aquila: 0 replayed, 1 recorded, 0 missed, 0 unplayed"])


def test_a_failure_may_replace_a_failure_and_an_answer_comes_after_a_retry(
    suite: Suite, answers: Answers, tape: Path
) -> None:
    answers += [429]
    suite(ASKS).assert_outcomes(passed=1)
    answers += [429]
    suite(None, ALL).assert_outcomes(passed=1)
    assert "status: 429" in tape.read_text()
    suite(None, ALL).assert_outcomes(passed=1)
    answers += [429, 200]
    retries = ASKS.replace("        ask()\n", "        ask() == 'well' or ask()\n")
    suite(retries, ALL).assert_outcomes(passed=1)
    assert tape.read_text().count("status: ") == 2


def test_on_a_shared_tape_only_what_the_test_recorded_counts(
    suite: Suite, answers: Answers, tape: Path
) -> None:
    other = ASKS.removeprefix(SWALLOWS).replace("test_a", "test_b")
    both = ASKS + other.replace("ask()", "ask('/b')")
    suite(both).assert_outcomes(passed=2)
    answers += [200, 500]
    result = suite(None, ALL)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*  on cassette: interaction 2, *",
            "E*  to store the failure instead: delete interaction 2 of it first",
        ]
    )
    suite(None, "--aquila-record=none").assert_outcomes(passed=2)


def test_a_block_outside_pytest_keeps_its_answers_too(
    suite: Suite, answers: Answers, tape: Path
) -> None:
    """The block of a wider fixture answers for itself, as those outside pytest do."""
    source = (
        SWALLOWS
        + """
@pytest.fixture(scope="module")
def answered():
    with block("x"):
        ask()

def test_a(answered): pass
"""
    )
    suite(source).assert_outcomes(passed=1)
    old = tape.read_bytes()
    answers.append(0)
    suite(None, ALL).assert_outcomes(errors=1)
    assert tape.read_bytes() == old


XFAILS = (
    SWALLOWS
    + """
@pytest.mark.xfail(strict={strict})
def test_a({opened}):
    {with_block}
        assert ask("/{path}") == {expected!r}
"""
)
OPENED = {"aquila_cassette": 'with aquila_cassette("x"):', "cassette": "if True:"}


def xfails(opened: str, path: str, *, strict: bool = False, expected: str = "no") -> str:
    return XFAILS.format(
        opened=opened, with_block=OPENED[opened], path=path, strict=strict, expected=expected
    )


@pytest.mark.parametrize("opened", OPENED)
def test_a_test_that_fails_as_expected_records_anew(
    suite: Suite, pytester: pytest.Pytester, opened: str
) -> None:
    suite(xfails(opened, "old")).assert_outcomes(xfailed=1)
    result = suite(xfails(opened, "new"), ALL)
    result.assert_outcomes(xfailed=1)
    (tape,) = pytester.path.glob("cassettes/**/*.yaml")
    assert "/new" in tape.read_text()
    assert "/old" not in tape.read_text()
    assert "stays as it was" not in result.stdout.str()
    suite(None, "--aquila-record=none").assert_outcomes(xfailed=1)


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("path", ["same", "edited"])
def test_an_outage_is_not_what_a_test_is_expected_to_fail_with(
    suite: Suite, answers: Answers, pytester: pytest.Pytester, opened: str, path: str
) -> None:
    suite(xfails(opened, "same")).assert_outcomes(xfailed=1)
    (tape,) = pytester.path.glob("cassettes/**/*.yaml")
    old = tape.read_bytes()
    answers.append(500)
    result = suite(xfails(opened, path), ALL)
    result.assert_outcomes(xfailed=1, errors=1)
    result.stdout.fnmatch_lines(["E*OverwriteError: *.yaml stays as it was: 1 good answer *"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert tape.read_bytes() == old


def test_where_one_block_gave_its_failure_up_the_others_do_not_cost_what_it_had(
    suite: Suite, answers: Answers, tape: Path
) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        httpx.get(URL + "/b")
    with pytest.raises(ZeroDivisionError), aquila_cassette("x"):
        httpx.get(URL + "/a")
        1 / 0
"""
    suite(source).assert_outcomes(passed=1)
    old = tape.read_bytes()
    answers += [200, 404]
    suite(None, ALL).assert_outcomes(failed=1)
    assert tape.read_bytes() == old


def test_a_test_that_is_tried_again_records_what_its_last_try_did(
    suite: Suite, pytester: pytest.Pytester, tape: Path
) -> None:
    pytester.makeconftest("""
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
""")
    source = """
tries = []
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get("/old" if {first} else f"/new{{len(tries)}}")
        tries.append(1)
        assert {first} or len(tries) == 2
"""
    suite(source.format(first=True)).assert_outcomes(passed=1)
    suite(source.format(first=False), ALL).assert_outcomes(passed=1)
    assert "/new1" in tape.read_text()
    assert "/new0" not in tape.read_text()
