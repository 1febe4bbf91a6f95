"""What a run keeps, and what it leaves alone: the record modes seen from pytest."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Suite
from tests.servers import RawServer


def stored(pytester: pytest.Pytester, name: str = "x") -> str:
    return (pytester.path / "cassettes" / f"{name}.yaml").read_text("utf-8")


def test_an_http_error_is_kept_if_the_code_handles_it_and_not_if_the_test_raised(
    suite: Suite, pytester: pytest.Pytester, server: RawServer
) -> None:
    result = suite(
        """
def test_block(aquila_cassette):
    with aquila_cassette("x"):
        get("/good")
        httpx.get(URL + "/status/401").raise_for_status()

def test_fixture(cassette):
    get("/good")
    httpx.get(URL + "/status/401").raise_for_status()

def test_handled(aquila_cassette):
    with aquila_cassette("handled"):
        assert httpx.get(URL + "/status/429").status_code == 429
"""
    )
    result.assert_outcomes(failed=2, passed=1)
    for name in ("x", "test_it/test_fixture"):
        result.stdout.fnmatch_lines(
            [
                f"aquila: not kept in cassettes/{name}.yaml*:",
                f"  GET {server.url}/status/401: HTTP 401",
            ]
        )
        assert "/good" in stored(pytester, name)
        assert "401" not in stored(pytester, name)
    suite(None, "--aquila-record=none", "-k", "handled").assert_outcomes(passed=1, deselected=2)


def test_mode_all_replaces_what_the_test_recorded_only_if_it_ended_well(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get({!r})
    {}

def test_b(aquila_cassette):
    with aquila_cassette("x"):
        get("/b")
"""
    suite(source.format("/old", "pass")).assert_outcomes(passed=2)
    old = stored(pytester)
    arguments = ("-k", "test_a", "--aquila-record=all")
    failed = suite(source.format("/new", "assert 1 == 2"), *arguments)
    failed.assert_outcomes(failed=1, deselected=1)
    failed.stdout.fnmatch_lines(
        ["aquila: cassettes/x.yaml was not changed, since test_it.py::test_a failed"]
    )
    assert stored(pytester) == old
    suite(source.format("/new", "pass"), *arguments).assert_outcomes(passed=1, deselected=1)
    text = stored(pytester)
    assert text.index("/new") < text.index("/b")
    assert "/old" not in text
    suite(None, "--aquila-record=none").assert_outcomes(passed=2)


def test_on_ci_nothing_is_recorded(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite("def test_a(cassette):\n    get('/a')\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*cassette: cassettes/test_it/test_a.yaml (mode none; there is no such file yet)"]
    )


def test_the_tests_of_two_workers_record_into_one_new_cassette(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.mark.parametrize("number", range(4))
def test_a(aquila_cassette, number):
    with aquila_cassette("shared"):
        assert get(f"/{number}") == f"/{number}"
"""
    result = suite(source, "-n", "2")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["aquila: 0 replayed, 4 recorded, 0 missed, 0 unplayed"])
    text = stored(pytester, "shared")
    assert sorted(line[-1] for line in text.splitlines() if "    url: " in line) == [*"0123"]
    replayed = suite(None, "--aquila-record=none")
    replayed.assert_outcomes(passed=4)
    replayed.stdout.fnmatch_lines(["aquila: 4 replayed, 0 recorded, 0 missed, 0 unplayed"])


def test_a_damaged_cassette_is_an_error_and_stays_as_it_is(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    path = pytester.mkdir("cassettes") / "x.yaml"
    path.write_text("version: 1\nint")
    source = "".join(
        f"def test_{mode}():\n    with block('x', mode={mode!r}): get('/a')\n"
        for mode in ("once", "all", "new_episodes", "none")
    )
    result = suite(source)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["E*CassetteFormatError: *cassettes/x.yaml*"])
    assert path.read_text() == "version: 1\nint"


def test_a_run_in_mode_all_says_what_changed_of_some_cassettes(
    suite: Suite, server: RawServer
) -> None:
    source = """
@pytest.mark.parametrize("name", [*map(str, range({})), "x"])
def test_a(aquila_cassette, name):
    with aquila_cassette(name):
        get("/{}")
"""
    suite(source.format(23, "old")).assert_outcomes(passed=24)
    result = suite(source.format(22, "new"), "--aquila-record=all")
    assert result.stdout.str().count("was recorded again") == 20
    result.stdout.fnmatch_lines(
        [
            "aquila: cassettes/0.yaml was recorded again: 1 of 1 changed",
            f"  interaction 1: request and answer changed (GET {server.url}/new)",
            f"  -GET        {server.url}/old",
            f"  +GET        {server.url}/new",
            "   answer     200, text/plain",
            "  -body       /old",
            "  +body       /new",
            "   ended      complete",
        ],
        consecutive=True,
    )
    result.stdout.fnmatch_lines(
        [
            "aquila: 3 more changed; aquila-cassette diff NAME shows how",
            "aquila: no test used cassettes/22.yaml",
            "Fix: aquila-cassette unused --delete",
            "aquila: 0 replayed, 23 recorded, 0 missed, 0 unplayed",
        ],
        consecutive=True,
    )
