"""What a run notes of its misses, for `aquila-cassette record --failed`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., pytest.RunResult]

TWO = """
import pytest
from aquila_cassette import MissError
import httpx

@pytest.fixture(scope="module")
def client():
    with httpx.Client(verify=False) as client:
        yield client

@pytest.mark.parametrize("name", ["a", "b"])
def test_it(aquila_cassette, client, name):
    with aquila_cassette(name), aquila_cassette("sub/" + name):
        {body}

def test_none(): pass
"""
MISSES = 'client.get("http://127.0.0.1:9/")'


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    def run(body: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyprojecttoml(
            "[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = 'function'\n"
        )
        pytester.makepyfile(test_it=TWO.format(body=body))
        runs = pytester.runpytest_subprocess if "-n" in arguments else pytester.runpytest
        return runs("-p", "no:cassetter", "--aquila-record=none", *arguments)

    return run


def noted(pytester: pytest.Pytester) -> Any:
    path = pytester.path / ".pytest_cache/v/aquila/misses"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


A = {"test_it.py::test_it[a]": ["cassettes/sub/a.yaml"]}
B = {"test_it.py::test_it[b]": ["cassettes/sub/b.yaml"]}


def test_the_tests_that_missed_are_noted_with_the_files_they_missed_in(
    run: Run, pytester: pytest.Pytester
) -> None:
    run(MISSES).assert_outcomes(failed=2, passed=1)
    assert noted(pytester) == A | B


def test_a_test_is_forgotten_when_it_ran_and_did_not_miss(
    run: Run, pytester: pytest.Pytester
) -> None:
    run(MISSES)
    run("pass", "-k", "test_it and a]").assert_outcomes(passed=1, deselected=2)
    assert noted(pytester) == B
    run("pass")
    assert noted(pytester) == {}


@pytest.mark.parametrize("body", ["pytest.skip('no key')", "assert client is None"])
def test_a_test_that_was_to_record_and_did_not_is_not_forgotten(
    run: Run, pytester: pytest.Pytester, body: str
) -> None:
    run(MISSES)
    run(body, "--aquila-record=all", "-k", "a]")
    assert noted(pytester) == A | B
