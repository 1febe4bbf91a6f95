"""Tests that run again, or are skipped while they run."""

import re

import pytest

from tests.plugin.conftest import Suite

RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for is_last in (False, True):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if is_last or all(report.passed for report in reports):
            break
        next(report for report in reports if report.failed).outcome = "rerun"
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
"""


def test_a_rerun_records_again_and_leaves_nothing_unplayed(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(RERUNS)
    source = """
ATTEMPT = 1
tries = []
def fail_first(name):
    tries.append(name)
    assert tries.count(name) > 1

def test_midway(cassette):
    get("/1?%s" % ATTEMPT)
    fail_first("midway")
    get("/2")

@pytest.fixture
def client(aquila_cassette):
    with aquila_cassette("fixture"):
        yield

def test_fixture(client):
    get("/3")
    fail_first("fixture")

def test_fails(cassette):
    get("/4")
    fail_first("fails")
    assert True
"""
    counting = source.replace("% ATTEMPT", "% len(tries)")
    for arguments in ([], ["--aquila-record=all"]):
        result = suite(counting, *arguments)
        result.assert_outcomes(passed=3)
        result.stdout.fnmatch_lines(["aquila: 0 replayed, 4 recorded, 0 missed, 0 unplayed"])
    texts = [path.read_text("utf-8") for path in sorted(pytester.path.rglob("*.yaml"))]
    urls = [re.findall(r"url: http://[^/]+(\S+)", text) for text in texts]
    assert urls == [["/3"], ["/4"], ["/1?1", "/2"]]
    suite(source).assert_outcomes(passed=3)
    suite(source.replace("assert True", "assert False")).assert_outcomes(passed=2, failed=1)


def test_a_test_that_is_skipped_while_it_runs_keeps_its_cassette(suite: Suite) -> None:
    source = """
def test_it(cassette):
    with httpx.stream("GET", URL + "/answer") as response:
        for piece in response.iter_raw():
            pytest.skip("half-way")
"""
    for arguments in ([], ["--aquila-record=none"]):
        suite(source, *arguments).assert_outcomes(skipped=1)
    result = suite(source, "--aquila-record=all")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["aquila: cassettes/test_it/test_it.yaml was not changed, since *::test_it was skipped"]
    )
    assert "failed" not in result.stdout.str()


def test_an_interrupted_test_leaves_what_it_asked_once_as_unfinished(suite: Suite) -> None:
    source = """
@pytest.fixture(scope="module")
def wide(aquila_cassette):
    with aquila_cassette("wide"):
        yield get("/wide")

def test_one(wide, cassette):
    get("/1")

def test_two(wide, cassette):
    get("/2")
    INTERRUPT

def test_three(cassette):
    get("/3")
"""
    whole = source.replace("INTERRUPT", "pass")
    for arguments in ([], ["--aquila-record=all"]):
        suite(source.replace("INTERRUPT", "pytest.exit('Ctrl-C')"), *arguments)
        suite(whole).assert_outcomes(passed=3)
    result = suite(whole, "--aquila-record=none")
    result.stdout.fnmatch_lines(["aquila: 4 replayed, 0 recorded, 0 missed, 0 unplayed"])


def test_a_block_that_nobody_leaves_ends_with_its_test(suite: Suite) -> None:
    source = """
KEPT = []

def test_one():
    KEPT.append(block("one"))
    KEPT[0].__enter__()
    assert get("/1") == "/1"

def test_two():
    assert get("/2") == "/2"
"""
    for count in ("0 replayed, 1 recorded", "1 replayed, 0 recorded"):
        result = suite(source)
        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines([f"aquila: {count}, 0 missed, 0 unplayed"])
