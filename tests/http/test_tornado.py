"""tornado's own HTTP client: its answers stream while they are recorded, and on replay."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from aquila_cassette import MissError, TruncatedReplayError, aquila_cassette
from tests.servers import CHAT_FRAMES, FRAMES, Connection, GateServer, RawServer, Request


async def fetch(url: str, seen: list[bytes] | None = None, **options: Any) -> Any:
    client = AsyncHTTPClient(force_instance=True)
    callback = None if seen is None else seen.append
    try:
        return await client.fetch(HTTPRequest(url, streaming_callback=callback, **options))
    finally:
        client.close()


async def test_each_piece_is_seen_before_the_next_is_sent() -> None:
    live: list[bytes] = []

    with GateServer(CHAT_FRAMES) as server:

        def see(piece: bytes) -> None:
            live.append(piece)
            server.seen()

        async with aquila_cassette("tornado") as cassette:
            client = AsyncHTTPClient(force_instance=True)
            await client.fetch(HTTPRequest(server.url, streaming_callback=see))
            client.close()
        assert [piece.data for piece in cassette.recorded[0].response.pieces] == live
        assert live == list(CHAT_FRAMES)
        url = server.url
    again: list[bytes] = []
    async with aquila_cassette("tornado", mode="none"):
        response = await fetch(url, again)
    assert again == live
    assert response.headers["content-type"] == "text/event-stream"


async def test_a_whole_answer_has_its_body() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "application/json"}, length=2)
        connection.piece(b"{}")
        connection.end()

    with RawServer(script) as server:
        async with aquila_cassette("tornado"):
            live = await fetch(server.url, method="POST", body=b"x")
    async with aquila_cassette("tornado", mode="none") as cassette:
        again = await fetch(server.url, method="POST", body=b"x")
    assert (again.code, again.body) == (live.code, live.body) == (200, b"{}")
    assert cassette.played[0].request.body == b"x"


async def test_redirects_are_followed_and_each_answer_is_on_the_tape_once() -> None:
    def script(connection: Connection, request: Request) -> None:
        if request.path == "/":
            connection.head(302, {"location": "/there"}, length=0)
        else:
            connection.head(200, {"content-type": "text/plain"}, length=5)
            connection.piece(b"there")
        connection.end()

    with RawServer(script) as server:
        async with aquila_cassette("tornado") as cassette:
            live = await fetch(server.url)
    assert [one.response.status for one in cassette.recorded] == [302, 200]
    async with aquila_cassette("tornado", mode="none"):
        again = await fetch(server.url)
    assert again.body == live.body == b"there"
    assert again.effective_url == live.effective_url


async def test_a_body_that_is_produced_is_what_is_matched() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "text/plain"}, length=len(request.body))
        connection.piece(request.body)
        connection.end()

    async def produce(write: Callable[[bytes], Awaitable[None]]) -> None:
        await write(b"made ")
        await write(b"here")

    with RawServer(script) as server:
        async with aquila_cassette("tornado"):
            live = await fetch(server.url, method="POST", body_producer=produce)
    async with aquila_cassette("tornado", mode="none") as cassette:
        again = await fetch(server.url, method="POST", body_producer=produce)
    assert again.body == live.body == b"made here"
    assert cassette.played[0].request.body == b"made here"


async def test_a_miss_is_raised_as_it_is() -> None:
    with pytest.raises(MissError, match="No recording matches GET"):
        async with aquila_cassette("tornado", mode="none"):
            await fetch("http://127.0.0.1:9/")


async def test_a_stream_that_breaks_off_fails_alike_on_replay() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(FRAMES[0])
        connection.fin()

    live: list[bytes] = []
    with RawServer(script) as server:
        async with aquila_cassette("tornado"):
            with pytest.raises(HTTPStreamClosedError) as failed:
                await fetch(server.url, live)
    again: list[bytes] = []
    async with aquila_cassette("tornado", mode="none"):
        with pytest.raises(HTTPStreamClosedError) as error:
            await fetch(server.url, again)
    assert again == live
    assert str(error.value) == str(failed.value)


async def test_a_refused_connection_is_refused_again() -> None:
    with RawServer(lambda connection, request: None) as server:
        url = server.url
    async with aquila_cassette("tornado"):
        with pytest.raises(ConnectionRefusedError) as live:
            await fetch(url)
    async with aquila_cassette("tornado", mode="none"):
        with pytest.raises(ConnectionRefusedError) as error:
            await fetch(url)
    assert str(error.value) == str(live.value)


async def test_a_time_out_leaves_what_came_and_times_out_again() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(FRAMES[0])
        connection.gone()

    with RawServer(script) as server:
        async with aquila_cassette("tornado") as cassette:
            with pytest.raises(HTTPTimeoutError):
                await fetch(server.url, [], request_timeout=0.6)
        assert cassette.recorded[0].response.body == FRAMES[0]
    seen: list[bytes] = []
    async with aquila_cassette("tornado", mode="none"):
        with pytest.raises(HTTPTimeoutError):
            await fetch(server.url, seen)
    assert seen == FRAMES[:1]


async def test_a_callback_that_raises_leaves_what_was_read() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        for frame in FRAMES[:2]:
            connection.piece(frame)
        connection.end()

    def refuse(piece: bytes) -> None:
        raise LookupError(piece)

    with RawServer(script) as server:
        async with aquila_cassette("tornado") as cassette:
            client = AsyncHTTPClient(force_instance=True)
            with pytest.raises(HTTPStreamClosedError):
                await client.fetch(HTTPRequest(server.url, streaming_callback=refuse))
            client.close()
        assert cassette.recorded[0].response.body.startswith(FRAMES[0])
        assert cassette.recorded[0].response.ended == "closed"
    async with aquila_cassette("tornado", mode="none"):
        with pytest.raises(TruncatedReplayError):
            await fetch(server.url, [])
