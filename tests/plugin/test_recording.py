"""What a run keeps, and what it leaves alone: the record modes seen from pytest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]


def tape(pytester: pytest.Pytester, name: str = "x") -> str:
    return (pytester.path / "cassettes" / f"{name}.yaml").read_text("utf-8")


def test_a_failed_assertion_does_not_cost_the_answer_again(suite: Suite, server: RawServer) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        answer = get("/a")
    assert answer == {!r}
"""
    suite(source.format("wrong")).assert_outcomes(failed=1)
    suite(source.format("/a")).assert_outcomes(passed=1)
    assert len(server.requests) == 1


@pytest.mark.parametrize("opened", ["aquila_cassette", "cassette"])
def test_an_http_error_in_a_block_that_raised_is_reported_and_not_kept(
    suite: Suite, pytester: pytest.Pytester, server: RawServer, opened: str
) -> None:
    name = "x" if opened == "aquila_cassette" else "test_it/test_a"
    with_block = f'with {opened}("x"):' if opened == "aquila_cassette" else "if True:"
    result = suite(
        f"""
def test_a({opened}):
    {with_block}
        get("/good")
        httpx.get(URL + "/status/401").raise_for_status()
"""
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"aquila: not kept in cassettes/{name}.yaml, since the test failed:",
            f"  GET {server.url}/status/401 (401, complete)",
        ]
    )
    assert "/good" in tape(pytester, name)
    assert "401" not in tape(pytester, name)


def test_an_http_error_that_the_code_handles_is_kept(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        assert httpx.get(URL + "/status/429").status_code == 429
"""
    suite(source).assert_outcomes(passed=1)
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)
    assert "status: 429" in tape(pytester)


def test_mode_all_replaces_the_tape_only_when_the_test_ended_well(
    suite: Suite, pytester: pytest.Pytester, server: RawServer
) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get({!r})
    {}
"""
    suite(source.format("/old", "pass")).assert_outcomes(passed=1)
    old = tape(pytester)
    failed = suite(source.format("/new", "assert 1 == 2"), "--aquila-record=all")
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(
        ["aquila: cassettes/x.yaml was not changed, since test_it.py::test_a failed"]
    )
    assert tape(pytester) == old
    suite(source.format("/new", "pass"), "--aquila-record=all").assert_outcomes(passed=1)
    assert "/new" in tape(pytester)
    assert "/old" not in tape(pytester)


def test_mode_all_keeps_what_other_tests_recorded(suite: Suite, pytester: pytest.Pytester) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get({!r})

def test_b(aquila_cassette):
    with aquila_cassette("x"):
        get("/b")
"""
    suite(source.format("/a1")).assert_outcomes(passed=2)
    suite(source.format("/a2"), "-k", "test_a", "--aquila-record=all").assert_outcomes(
        passed=1, deselected=1
    )
    text = tape(pytester)
    assert text.index("/a2") < text.index("/b")
    assert "/a1" not in text
    suite(None, "--aquila-record=none").assert_outcomes(passed=2)


def test_new_episodes_adds_what_is_not_known(suite: Suite, server: RawServer) -> None:
    source = """
def test_a(aquila_cassette):
    with aquila_cassette("x"):
        get("/1")
"""
    suite(source).assert_outcomes(passed=1)
    suite(source + '        get("/2")\n', "--aquila-record=new_episodes").assert_outcomes(passed=1)
    assert [request.path for request in server.requests] == ["/1", "/2"]
    suite(None, "--aquila-record=none").assert_outcomes(passed=1)


def test_on_ci_nothing_is_recorded(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite("def test_a(cassette):\n    get('/a')\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E*cassette: cassettes/test_it/test_a.yaml (mode none; there is no such file yet)"]
    )


def test_four_workers_tests_record_into_one_new_cassette(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.mark.parametrize("number", range(4))
def test_a(aquila_cassette, number):
    with aquila_cassette("shared"):
        assert get(f"/{number}") == f"/{number}"
"""
    result = suite(source, "-n", "4")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["aquila: 0 replayed, 4 recorded, 0 missed, 0 unplayed"])
    text = tape(pytester, "shared")
    assert sorted(line[-1] for line in text.splitlines() if "    url: " in line) == [*"0123"]
    replayed = suite(None, "--aquila-record=none")
    replayed.assert_outcomes(passed=4)
    replayed.stdout.fnmatch_lines(["aquila: 4 replayed, 0 recorded, 0 missed, 0 unplayed"])


def test_a_damaged_cassette_is_an_error_and_stays_as_it_is(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    folder = pytester.mkdir("cassettes")
    for name, content in (("empty", b""), ("binary", b"\0\xff\0"), ("cut", b"version: 1\nint")):
        (folder / f"{name}.yaml").write_bytes(content)
        source = f"def test_a(aquila_cassette):\n    with aquila_cassette({name!r}): get('/a')\n"
        for mode in ("once", "all", "new_episodes", "none"):
            result = suite(source, f"--aquila-record={mode}")
            result.assert_outcomes(failed=1)
            result.stdout.fnmatch_lines(["E*CassetteFormatError: *cassettes/*.yaml*"])
        assert (folder / f"{name}.yaml").read_bytes() == content
