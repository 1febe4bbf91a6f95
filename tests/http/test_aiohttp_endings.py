"""How responses of aiohttp end in ways that only aiohttp has, and how their replays do."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from aquila_cassette import Failure, aquila_cassette
from tests.http.aiohttp_clients import JSON, pieces, stream
from tests.http.cassettes import URL, kept, question, write_cassette
from tests.servers import CHAT_FRAMES, FRAMES, Connection, RawServer, Request, sends, server_context


async def failure(url: str, **request: Any) -> BaseException:
    """Return what reading a stream to its end raises."""
    try:
        await pieces(url, json=JSON, **request)
    except (aiohttp.ClientError, TimeoutError) as error:
        return error
    raise AssertionError("nothing was raised")


LEAVES: dict[str, Callable[[aiohttp.ClientResponse], Any]] = {
    "release": lambda response: response.release(),
    "close": lambda response: response.close(),
}


@pytest.mark.parametrize("leave", LEAVES)
async def test_release_and_close_end_it_at_once(leave: str) -> None:
    with RawServer(sends(FRAMES[:1], Connection.gone)) as server:
        for ended in (["closed"], []):
            with aquila_cassette("ends") as cassette:
                async with aiohttp.ClientSession() as session:
                    response = await session.post(server.url, json=JSON)
                    assert await response.content.readany() == FRAMES[0]
                    LEAVES[leave](response)
                    assert [one.response.ended for one in cassette.recorded] == ended
                    assert response.connection is None
                    with pytest.raises(aiohttp.ClientConnectionError, match="Connection closed"):
                        await response.content.readany()
                    await cassette.settled()


async def test_a_total_time_out_in_the_body_times_out_alike_on_replay() -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server:
        with aquila_cassette("ends"):
            await failure(server.url, timeout=aiohttp.ClientTimeout(total=0.3))
    assert (kept().response.ended, kept().response.body) == ("failed", b"".join(FRAMES[:2]))
    with aquila_cassette("ends", mode="none"):
        assert type(await failure(server.url)) is TimeoutError


@pytest.mark.parametrize("limit", ["connect", "total"])
async def test_a_connection_that_is_never_made_times_out_alike_on_replay(limit: str) -> None:
    class Nowhere(aiohttp.TCPConnector):
        async def _create_connection(self, *_args: Any, **_options: Any) -> Any:
            await asyncio.Event().wait()

    async def asked(**limits: Any) -> BaseException:
        async with aiohttp.ClientSession(connector=Nowhere()) as session:
            return await failure(URL, session=session, timeout=aiohttp.ClientTimeout(**limits))

    with aquila_cassette("ends"):
        live = await asked(**{limit: 0.1})
    with aquila_cassette("ends", mode="none"):
        again = await asked()
    assert (type(again), str(again)) == (type(live), str(live))


async def test_a_certificate_that_is_not_trusted_is_not_trusted_again() -> None:
    with RawServer(sends(FRAMES), tls=server_context()) as server, aquila_cassette("ends"):
        live = await failure(server.url)
    with aquila_cassette("ends", mode="none"):
        error = await failure(server.url)
    assert type(error) is type(live)
    assert isinstance(error, aiohttp.ClientConnectorCertificateError)
    assert isinstance(error.certificate_error, ssl.SSLCertVerificationError)


async def test_a_refused_connection_says_where_it_went() -> None:
    with RawServer(sends(())) as server:
        url = server.url
    for _ in ("record", "replay"):
        with aquila_cassette("ends"):
            error = await failure(url)
        assert isinstance(error, aiohttp.ClientConnectorError)
        assert f"http://{error.host}:{error.port}" == url


async def test_a_get_that_aiohttp_tries_again_is_tried_again_on_replay() -> None:
    def at_second(connection: Connection, request: Request) -> None:
        if len(server.requests) == 1:
            connection.fin()
        else:
            sends(CHAT_FRAMES)(connection, request)

    with RawServer(at_second) as server:
        with aquila_cassette("again"):
            live = b"".join(await pieces(server.url))
    with aquila_cassette("again", mode="none") as cassette:
        assert b"".join(await pieces(server.url)) == live
        assert [one.response.ended for one in cassette.played] == ["failed", "complete"]


async def test_a_read_that_is_given_up_does_not_end_the_recording() -> None:
    goes_on = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(FRAMES[0])
        connection.wait(goes_on)
        connection.piece(FRAMES[1])
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            async with stream(server.url, json=JSON) as response:
                assert await response.content.readany() == FRAMES[0]
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(response.content.readany(), 0.02)
                goes_on.set()
                assert await response.content.read() == FRAMES[1]
    assert (kept().response.ended, kept().response.body) == ("complete", b"".join(FRAMES[:2]))


async def test_a_response_that_is_dropped_is_closed_when_it_is_collected() -> None:
    with RawServer(sends(CHAT_FRAMES)) as server:
        with aquila_cassette("ends") as cassette:
            async with aiohttp.ClientSession() as session:
                response = await session.post(server.url, json=JSON)
                assert await response.content.readuntil(b"\n\n") == CHAT_FRAMES[0]
                del response
                gc.collect()
                assert [one.response.ended for one in cassette.recorded] == ["closed"]


READS: dict[str, Callable[[aiohttp.ClientResponse], Awaitable[Any]]] = {
    "read": lambda response: response.read(),
    "json": lambda response: response.json(content_type=None),
    "readline": lambda response: response.content.readline(),
}


@pytest.mark.parametrize("how", READS)
async def test_a_failed_response_fails_in_each_way_to_read_it(how: str) -> None:
    write_cassette("failed", [b"{"], ended="failed", error=Failure("ClientPayloadError", "cut"))
    with aquila_cassette("failed", mode="none"):
        async with stream(URL, json=question(1)) as response:
            with pytest.raises(aiohttp.ClientPayloadError, match="cut"):
                await READS[how](response)
