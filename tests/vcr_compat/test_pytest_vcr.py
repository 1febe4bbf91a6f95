"""What pytest-vcr documents: its mark, its fixtures, its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]

ONE = """
@pytest.mark.vcr()
def test_iana():
    assert "/one" in get("/one")
"""


@pytest.fixture
def suite_of_vcr(suite: Suite) -> Suite:
    """A suite that was written for pytest-vcr, which ``-p no:vcr`` says."""
    return lambda source, *arguments: suite(source, "-p", "no:vcr", *arguments)


def test_a_marked_test_is_recorded_and_then_replayed(
    suite_of_vcr: Suite, server: RawServer, pytester: pytest.Pytester
) -> None:
    first = suite_of_vcr(ONE)
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(["aquila: @pytest.mark.vcr is answered as by pytest-vcr"])
    assert (pytester.path / "cassettes" / "test_iana.yaml").is_file()
    suite_of_vcr(None).assert_outcomes(passed=1)
    assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["ini", "option"])
def test_a_suite_of_pytest_vcr_is_told_by_an_option_of_its_own_too(
    suite: Suite, pytester: pytest.Pytester, how: str
) -> None:
    if how == "ini":
        suite(ONE, ini="vcr_suite = pytest-vcr\n").assert_outcomes(passed=1)
    else:
        suite(ONE, "--vcr-record=once").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes" / "test_iana.yaml").is_file()


def test_the_command_line_chooses_the_mode(suite_of_vcr: Suite, server: RawServer) -> None:
    always = ONE.replace("vcr()", 'vcr(record_mode="all")')
    result = suite_of_vcr(always, "--vcr-record=none")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*Fix: pytest test_it.py::test_iana --vcr-record=all"])
    assert not server.requests
    suite_of_vcr(always).assert_outcomes(passed=1)
    suite_of_vcr(ONE, "--vcr-record=all").assert_outcomes(passed=1)
    assert len(server.requests) == 2
    suite_of_vcr(ONE, "--vcr-record-mode=none").assert_outcomes(passed=1)
    assert len(server.requests) == 2


def test_fixtures_choose_config_folder_and_name(
    suite_of_vcr: Suite, pytester: pytest.Pytester
) -> None:
    source = """
@pytest.fixture(scope="module")
def vcr_config():
    return {"filter_headers": [("authorization", "DUMMY")]}

@pytest.fixture(scope="module")
def vcr_cassette_dir(request):
    return os.path.join(FOLDER, request.module.__name__)

@pytest.fixture
def vcr_cassette_name(vcr_cassette_name):
    return "of_" + vcr_cassette_name

class TestIt:
    @pytest.mark.vcr
    def test_a(self, vcr_cassette):
        get("/a", headers={"authorization": "Bearer abcdefghijk"})
        assert vcr_cassette.requests[0].headers["Authorization"] == "DUMMY"
"""
    folder = repr(str(pytester.path / "vhs"))
    suite_of_vcr(source.replace("FOLDER", folder)).assert_outcomes(passed=1)
    assert (pytester.path / "vhs" / "test_it" / "of_TestIt.test_a.yaml").is_file()


def test_the_fixture_vcr_is_the_vcr_and_takes_matchers(
    suite_of_vcr: Suite, server: RawServer
) -> None:
    source = """
def my_matcher(r1, r2):
    return r1.path.lower() == r2.path.lower()

@pytest.fixture(scope="module")
def vcr(vcr):
    vcr.register_matcher("my_matcher", my_matcher)
    vcr.match_on = ["my_matcher"]
    return vcr

@pytest.mark.vcr
def test_a(vcr, vcr_cassette):
    assert "vcr.config.VCR" in [f"{one.__module__}.{one.__name__}" for one in type(vcr).__mro__]
    assert "/a" in get("/PATH")
    assert vcr_cassette.play_count == PLAYED
"""
    first = source.replace("PATH", "a").replace("PLAYED", "0")
    suite_of_vcr(first).assert_outcomes(passed=1)
    suite_of_vcr(source.replace("PATH", "A").replace("PLAYED", "1")).assert_outcomes(passed=1)
    assert len(server.requests) == 1


def test_a_mark_has_options_and_may_name_the_cassette(
    suite_of_vcr: Suite, pytester: pytest.Pytester
) -> None:
    suite_of_vcr(
        """
@pytest.mark.vcr(ignore_localhost=True)
def test_a(vcr_cassette):
    get("/a")
    assert len(vcr_cassette) == 0

@pytest.mark.vcr("custom/path/iana.yaml")
def test_b():
    get("/b")
"""
    ).assert_outcomes(passed=2)
    assert (pytester.path / "cassettes" / "custom" / "path" / "iana.yaml").is_file()
    assert not (pytester.path / "cassettes" / "test_a.yaml").exists()


def test_the_vcr_opens_cassettes_as_blocks_and_decorators(
    suite_of_vcr: Suite, server: RawServer, pytester: pytest.Pytester
) -> None:
    source = """
import asyncio

def test_block(vcr):
    with vcr.use_cassette("block") as cassette:
        get("/block")
        assert cassette.play_count + len(cassette) in (1, 2)

def test_decorators(vcr):
    @vcr.use_cassette
    def named_after_it():
        return get("/plain")

    @vcr.use_cassette("of_async", inject_cassette=True)
    async def ask(cassette):
        async with httpx.AsyncClient() as client:
            return (await client.get(URL + "/async")).text, len(cassette)

    assert "/plain" in named_after_it()
    text, count = asyncio.run(ask())
    assert "/async" in text and count == 1
"""
    suite_of_vcr(source).assert_outcomes(passed=2)
    again: Any = suite_of_vcr(source, "--vcr-record=none")
    again.assert_outcomes(passed=2)
    again.stdout.fnmatch_lines(["aquila: 3 replayed, 0 recorded, 0 missed, 0 unplayed"])
    names = sorted(path.name for path in (pytester.path / "cassettes").iterdir())
    assert names == ["block.yaml", "named_after_it.yaml", "of_async.yaml"]
    assert len(server.requests) == 3
