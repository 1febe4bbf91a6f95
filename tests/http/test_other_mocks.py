"""respx, pytest-httpx and vcrpy in use with a cassette: their mocks win, the rest is recorded."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpcore
import httpx
import httpx2
import pytest
import requests
import respx
import vcr
from pytest_httpx import HTTPXMock

from aquila_cassette import MissError, aquila_cassette
from tests.servers import Connection, RawServer, Request, answers

MOCKED = "http://mocked.example/"


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answers(b"live")) as server:
        yield server


def both(url: str) -> list[str]:
    return [httpx.get(MOCKED).text, httpx.get(url).text]


async def both_async(url: str) -> list[str]:
    async with httpx.AsyncClient(verify=False) as client:
        return [(await client.get(MOCKED)).text, (await client.get(url)).text]


# respx: it patches httpcore, below our adapter.


def test_a_block_around_respx_and_respx_around_a_block(server: RawServer) -> None:
    for mode in ("once", "none"):
        with aquila_cassette("respx", mode=mode) as cassette, respx.mock() as router:
            router.get(MOCKED).respond(text="mocked")
            assert both(server.url) == ["mocked", "live"]
        with respx.mock() as router, aquila_cassette("around", mode=mode):
            router.get(MOCKED).respond(text="mocked")
            assert both(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]
    assert len(server.requests) == 2


def test_a_route_that_passes_through_is_recorded_and_counts_as_called(
    respx_mock: respx.MockRouter, server: RawServer
) -> None:
    through = respx_mock.route(host="127.0.0.1").pass_through()
    respx_mock.get(MOCKED).respond(text="mocked")
    for mode in ("once", "none"):
        through.reset()
        with aquila_cassette("respx", mode=mode) as cassette:
            assert both(server.url) == ["mocked", "live"]
            assert through.called
        assert len(cassette.interactions) == 1
    assert len(server.requests) == 1


def test_a_route_of_respx_does_not_let_a_request_of_httpx2_slip_by() -> None:
    with respx.mock(assert_all_called=False) as router:
        router.get(MOCKED).respond(text="mocked")
        with pytest.raises(MissError), aquila_cassette("respx", mode="none"):
            httpx2.get(MOCKED)


def test_respx_is_whole_again_when_its_block_ended_while_a_cassette_recorded() -> None:
    plain = httpcore.ConnectionPool.handle_request
    router = respx.mock(assert_all_called=False)
    router.start()

    def script(connection: Connection, request: Request) -> None:
        router.stop()
        connection.head(200, {}, length=0)
        connection.end()

    with RawServer(script) as ending, aquila_cassette("respx"):
        assert httpx.get(ending.url).status_code == 200
    assert httpcore.ConnectionPool.handle_request is plain


# pytest-httpx: it takes the place of our methods for one test.


def only_mocked(request: httpx.Request) -> bool:
    return request.url.host == "mocked.example"


@pytest.mark.httpx_mock(should_mock=only_mocked)
async def test_pytest_httpx_around_a_block(httpx_mock: HTTPXMock, server: RawServer) -> None:
    httpx_mock.add_response(url=MOCKED, text="mocked", is_reusable=True)
    for mode in ("once", "none"):
        async with aquila_cassette("httpx", mode=mode, repeats=True) as cassette:
            assert both(server.url) == ["mocked", "live"]
            assert await both_async(server.url) == ["mocked", "live"]
        assert {one.request.url for one in cassette.interactions} == {server.url}
    assert len(server.requests) == 2


@pytest.mark.httpx_mock(should_mock=only_mocked)
def test_a_block_around_pytest_httpx(request: pytest.FixtureRequest, server: RawServer) -> None:
    with aquila_cassette("httpx") as cassette:
        httpx_mock = request.getfixturevalue("httpx_mock")
        httpx_mock.add_response(url=MOCKED, text="mocked")
        assert both(server.url) == ["mocked", "live"]
    assert [one.request.url for one in cassette.interactions] == [server.url]
    with aquila_cassette("httpx", mode="none"):
        assert httpx.get(server.url).text == "live"


FIRST_BLOCK = """
import httpx
import pytest
from aquila_cassette import MissError, aquila_cassette

@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host == "mocked.example")
def test_a(httpx_mock):
    httpx_mock.add_response(text="mocked")
    with aquila_cassette("a", mode="none"):
        assert httpx.get("http://mocked.example/").text == "mocked"
    with pytest.raises(MissError), aquila_cassette("a", mode="none"):
        httpx.get("http://127.0.0.1:1/")
"""


def test_the_first_block_of_a_process_may_stand_inside_pytest_httpx(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(FIRST_BLOCK)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:cassetter")
    result.assert_outcomes(passed=1)


# vcrpy: its cassettes take the place of classes for their time.


def test_vcrpy_s_own_cassette_answers_inside_a_block(server: RawServer, tmp_path: Path) -> None:
    def theirs() -> str:
        with vcr.use_cassette(str(tmp_path / "theirs.yaml"), skip_patchers=["tornado"]):
            return requests.get(f"{server.url}/theirs").text

    with aquila_cassette("ours") as cassette:
        assert (theirs(), len(cassette.recorded)) == ("live", 1)
        assert (theirs(), len(cassette.recorded)) == ("live", 1)
        assert requests.get(f"{server.url}/ours").text == "live"
    assert len(cassette.recorded) == 2


RESETTING = """
import sys, httpx
import vcr.patch  # it keeps httpx's methods before we are there
from aquila_cassette import aquila_cassette

with aquila_cassette("reset") as cassette:
    with vcr.patch.force_reset():
        httpx.get(sys.argv[1], verify=False)
    httpx.get(sys.argv[1] + "/2", verify=False)
assert len(cassette.recorded) == 2
"""
WITHOUT = """
import sys, requests, urllib.request
from aquila_cassette import aquila_cassette

with aquila_cassette("nothing", mode="none"):
    assert "vcr" not in sys.modules
"""


@pytest.mark.parametrize("program", [RESETTING, WITHOUT])
def test_vcrpy_is_not_imported_and_a_call_is_not_lost_while_it_restores_methods(
    program: str, server: RawServer
) -> None:
    subprocess.run([sys.executable, "-c", program, server.url], timeout=60, check=True)
