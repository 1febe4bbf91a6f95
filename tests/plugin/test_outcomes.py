"""What fails a test at its end, and the very text that its user reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]

SWALLOWS = """
def swallow(path):
    try:
        return get(path)
    except Exception:
        return "fallback"
"""


def test_a_swallowed_miss_fails_the_test_of_a_fixture(suite: Suite, server: RawServer) -> None:
    source = SWALLOWS + "def test_a(cassette):\n    assert swallow({path!r})\n"
    suite(source.format(path="/a")).assert_outcomes(passed=1)
    result = suite(source.format(path="/b"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E*MissError: No interaction matches GET {server.url}/b (request 1 of this block).",
            "E*  cassette: cassettes/test_it/test_a.yaml (mode once)",
            "E*  sent by:  test_it.py:4 in get",
            "E*  closest:  interaction 1, recorded ????-??-??, differs in the URL",
            "E*    --- recorded",
            "E*    +++ this request",
            "E*Fix: pytest test_it.py::test_a --aquila-record=all",
            "aquila: 0 replayed, 0 recorded, 1 missed, 1 unplayed (test_it/test_a)",
        ]
    )
    suite(None, "test_it.py::test_a", "--aquila-record=all").assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "opened",
    ['@pytest.mark.aquila_cassette("x")\ndef test_a():\n    ', "def test_a(cassette):\n    "],
)
def test_a_swallowed_miss_fails_the_test_whatever_opened_the_cassette(
    suite: Suite, opened: str
) -> None:
    result = suite(SWALLOWS + opened + 'swallow("/a")\n', "--aquila-record=none")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*MissError: No interaction matches GET */a (request 1*"])


def test_what_a_test_recorded_and_does_not_play_fails_it(suite: Suite, server: RawServer) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get("/1")
"""
    suite(source + '        get("/2")\n').assert_outcomes(passed=1)
    result = suite(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*UnplayedError: test_it.py::test_a did not play 1 interaction that it recorded.",
            "E*  cassette: cassettes/x.yaml (mode once)",
            f"E*  unplayed: interaction 2, GET {server.url}/2, recorded ????-??-??",
            "E*Fix: pytest test_it.py::test_a --aquila-record=all",
            "aquila: 1 replayed, 0 recorded, 0 missed, 1 unplayed (x)",
        ]
    )
    suite(None, "--aquila-on-unplayed=ignore").assert_outcomes(passed=1)
    warned = suite(None, "--aquila-on-unplayed=warn", "-W", "default")
    warned.assert_outcomes(passed=1, warnings=1)
    warned.stdout.fnmatch_lines(["*UnplayedWarning: test_it.py::test_a did not play 1 inter*"])


@pytest.mark.parametrize("path", ["/a", "/b"])
def test_on_a_shared_cassette_each_test_plays_its_own(suite: Suite, path: str) -> None:
    source = f"""
def test_a(aquila_cassette):
    with aquila_cassette("shared"):
        get("/a")

def test_b(aquila_cassette):
    with aquila_cassette("shared"):
        get({path!r})
"""
    first = suite(source, "--aquila-record=all")
    first.assert_outcomes(passed=2)
    first.stdout.fnmatch_lines(["aquila: 0 replayed, 2 recorded, 0 missed, 0 unplayed"])
    for name in "ab":
        alone = suite(None, "-k", f"test_{name}", "--aquila-record=none")
        alone.assert_outcomes(passed=1, deselected=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=2)


def test_what_a_fixtures_teardown_asks_for_is_due_only_then(suite: Suite) -> None:
    source = """
@pytest.fixture
def remote(cassette):
    yield
    get("/goodbye")

def test_a(remote):
    get("/hello")
"""
    suite(source).assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)
    silent = source.replace('    get("/goodbye")\n', "")
    suite(silent, "--aquila-record=none").assert_outcomes(passed=1, errors=1)


def test_blocks_of_one_test_on_one_cassette_answer_for_it_together(suite: Suite) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get("/1")
    with aquila_cassette("x"):
        get("/1")
        get("/2")
"""
    for arguments in ([], ["--aquila-record=none"], ["--aquila-record=all"], []):
        suite(source, *arguments).assert_outcomes(passed=1)


def test_the_outcome_of_the_test_decides_what_is_saved(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
def test_passes(aquila_cassette):
    with pytest.raises(RuntimeError), aquila_cassette("expected"):
        get("/status/401")
        raise RuntimeError

def test_fails(aquila_cassette):
    with aquila_cassette("failed"):
        get("/status/401")
    assert {}
"""
    suite(source.format(False)).assert_outcomes(passed=1, failed=1)
    assert [path.name for path in pytester.path.rglob("*.yaml")] == ["expected.yaml"]
    suite(source.format(True)).assert_outcomes(passed=2)
    suite(None, "--aquila-record=none").assert_outcomes(passed=2)
