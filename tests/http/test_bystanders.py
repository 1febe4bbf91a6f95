"""respx and pytest-httpx beside a cassette: their routes win, the rest is the cassette's."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import httpx2
import pytest
import respx
from pytest_httpx import HTTPXMock

from aquila_cassette import MissError, aquila_cassette
from tests.servers import Connection, RawServer, Request

MOCKED = "http://mocked.example/"


@pytest.fixture
def server() -> Iterator[RawServer]:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "text/plain"}, length=4)
        connection.piece(b"live")
        connection.end()

    with RawServer(script) as server:
        yield server


def both(url: str) -> list[str]:
    return [httpx.get(MOCKED).text, httpx.get(url).text]


async def both_async(url: str) -> list[str]:
    async with httpx.AsyncClient(verify=False) as client:
        return [(await client.get(MOCKED)).text, (await client.get(url)).text]


# respx: it patches httpcore, below our dispatcher.


def test_a_block_around_respx(server: RawServer) -> None:
    for mode in ("once", "none"):
        with aquila_cassette("respx", mode=mode) as cassette, respx.mock() as router:
            router.get(MOCKED).respond(text="mocked")
            assert both(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]
    assert len(server.requests) == 1


def test_respx_around_a_block(server: RawServer) -> None:
    for mode in ("once", "none"):
        with respx.mock() as router, aquila_cassette("respx", mode=mode) as cassette:
            router.get(MOCKED).respond(text="mocked")
            assert both(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]
    assert len(server.requests) == 1


async def test_respx_and_a_block_for_async_clients(server: RawServer) -> None:
    for mode in ("once", "none"):
        async with respx.mock() as router, aquila_cassette("respx", mode=mode) as cassette:
            router.get(MOCKED).respond(text="mocked")
            assert await both_async(server.url) == ["mocked", "live"]
        async with aquila_cassette("respx", mode="none"), respx.mock() as router:
            router.get(MOCKED).respond(text="mocked")
            assert await both_async(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]
    assert len(server.requests) == 1


def test_respx_and_a_block_as_decorators(server: RawServer) -> None:
    def ask() -> list[str]:
        respx.get(MOCKED).respond(text="mocked")
        return both(server.url)

    assert aquila_cassette("respx")(respx.mock(ask))() == ["mocked", "live"]
    assert respx.mock(aquila_cassette("respx", mode="none")(ask))() == ["mocked", "live"]
    assert len(server.requests) == 1


def test_the_fixture_of_respx(respx_mock: respx.MockRouter, server: RawServer) -> None:
    respx_mock.get(MOCKED).respond(text="mocked")
    for mode in ("once", "none"):
        with aquila_cassette("respx", mode=mode):
            assert both(server.url) == ["mocked", "live"]
    assert len(server.requests) == 1


def test_a_route_that_passes_through_is_the_tapes_and_counts_as_called(server: RawServer) -> None:
    for mode in ("once", "none"):
        with aquila_cassette("respx", mode=mode) as cassette, respx.mock() as router:
            through = router.route(host="127.0.0.1").pass_through()
            router.get(MOCKED).respond(text="mocked")
            assert both(server.url) == ["mocked", "live"]
            assert through.called
        assert len(cassette.interactions) == 1
    assert len(server.requests) == 1


def test_respx_in_place_of_the_client_s_transports(server: RawServer) -> None:
    for mode in ("once", "none"):
        with aquila_cassette("respx", mode=mode) as cassette:
            with respx.mock(using="httpx") as router:
                router.get(MOCKED).respond(text="mocked")
                router.route(host="127.0.0.1").pass_through()
                assert both(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]


def test_a_route_of_respx_does_not_let_a_request_of_httpx2_slip_by() -> None:
    with respx.mock(assert_all_called=False) as router:
        router.get(MOCKED).respond(text="mocked")
        with pytest.raises(MissError), aquila_cassette("respx", mode="none"):
            httpx2.get(MOCKED)


# pytest-httpx: it puts itself in the place of our dispatcher for one test.


def only_mocked(request: httpx.Request) -> bool:
    return request.url.host == "mocked.example"


@pytest.mark.httpx_mock(should_mock=only_mocked)
def test_pytest_httpx_around_a_block(httpx_mock: HTTPXMock, server: RawServer) -> None:
    httpx_mock.add_response(url=MOCKED, text="mocked", is_reusable=True)
    for mode in ("once", "none"):
        with aquila_cassette("httpx", mode=mode) as cassette:
            assert both(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]
    assert len(server.requests) == 1


@pytest.mark.httpx_mock(should_mock=only_mocked)
async def test_pytest_httpx_around_a_block_for_async_clients(
    httpx_mock: HTTPXMock, server: RawServer
) -> None:
    httpx_mock.add_response(url=MOCKED, text="mocked", is_reusable=True)
    for mode in ("once", "none"):
        async with aquila_cassette("httpx", mode=mode) as cassette:
            assert await both_async(server.url) == ["mocked", "live"]
        assert [one.request.url for one in cassette.interactions] == [server.url]
    assert len(server.requests) == 1


@pytest.mark.httpx_mock(should_mock=only_mocked)
def test_a_block_around_pytest_httpx(request: pytest.FixtureRequest, server: RawServer) -> None:
    with aquila_cassette("httpx") as cassette:
        httpx_mock = request.getfixturevalue("httpx_mock")
        httpx_mock.add_response(url=MOCKED, text="mocked")
        assert both(server.url) == ["mocked", "live"]
    assert [one.request.url for one in cassette.interactions] == [server.url]
    with aquila_cassette("httpx", mode="none"):
        assert httpx.get(server.url).text == "live"


def test_all_that_pytest_httpx_mocks_stays_off_the_tape(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(text="mocked")
    with aquila_cassette("httpx", mode="none") as cassette:
        assert httpx.get(MOCKED).text == "mocked"
    assert cassette.misses == ()


def test_respx_is_whole_again_when_its_block_ended_while_a_tape_recorded(
    server: RawServer,
) -> None:
    """What lets a recorded request past respx must not keep respx's patches alive."""
    import httpcore

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
