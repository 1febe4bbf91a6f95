"""What a run notes of its misses, for `aquila-cassette record --failed`."""

from __future__ import annotations

import json

import pytest

SUITE = """
import httpx, pytest
from aquila_cassette import MissError

@pytest.mark.parametrize("name", ["a", "b"])
def test_it(aquila_cassette, name):
    with aquila_cassette(name), aquila_cassette("sub/" + name):
        {body}
"""
MISSES = 'httpx.get("http://127.0.0.1:9/", verify=False)'
A = {"test_it.py::test_it[a]": ["cassettes/sub/a.yaml"]}
B = {"test_it.py::test_it[b]": ["cassettes/sub/b.yaml"]}


def noted_after(pytester: pytest.Pytester, body: str, *arguments: str) -> object:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(test_it=SUITE.format(body=body))
    pytester.runpytest("-p", "no:cassetter", "--aquila-record=none", *arguments)
    path = pytester.path / ".pytest_cache/v/aquila/misses"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def test_the_tests_that_missed_are_noted_until_they_run_without_a_miss(
    pytester: pytest.Pytester,
) -> None:
    assert noted_after(pytester, "pass") is None
    assert noted_after(pytester, MISSES) == A | B
    # One that was to record and did not is not forgotten.
    for body in ("pytest.skip('no key')", "assert name is None"):
        assert noted_after(pytester, body, "--aquila-record=all", "-k", "a]") == A | B
    assert noted_after(pytester, "pass", "-k", "a]") == B
    assert noted_after(pytester, "assert name is None") == {}
    swallowed = f"try: {MISSES}\n            except MissError: ..."
    body = f"\n        for _ in range(3):\n            {swallowed}"
    assert noted_after(pytester, body) == A | B
