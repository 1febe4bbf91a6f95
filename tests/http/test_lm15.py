"""lm15 (dspy has a copy of it): HTTP over sockets of its own, recorded and replayed as a stream."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import lm15
import pytest
from lm15.providers.async_base import AsyncOpenAIChatLM
from lm15.transports import (
    ConnectError,
    ProtocolError,
    ReadError,
    ReadTimeout,
    StdlibAsyncTransport,
    StdlibTransport,
    TransportRequest,
)

from aquila_cassette import MissError, TruncatedReplayError, aquila_cassette
from aquila_cassette.model import CassetteData, Failure, Interaction, Response
from aquila_cassette.model import Request as Asked
from aquila_cassette.storage.format import dumps
from tests.clients import Reply, as_async
from tests.http.kept import kept, read_again
from tests.servers import CHAT_FRAMES, FRAMES, Connection, GateServer, RawServer, Request, sends

BODY = b'{"prompt": "Say hello"}'


@contextlib.asynccontextmanager
async def by_sync(url: str, **options: Any) -> AsyncIterator[Reply]:
    with StdlibTransport(**options) as transport, transport.stream(asked(url)) as response:
        yield Reply(response, as_async(response))


@contextlib.asynccontextmanager
async def by_async(url: str, **options: Any) -> AsyncIterator[Reply]:
    async with StdlibAsyncTransport(**options) as transport:
        async with transport.stream(asked(url)) as response:
            yield Reply(response, aiter(response))


def asked(url: str) -> TransportRequest:
    return TransportRequest("POST", url, [("content-type", "application/json")], BODY)


Opened = Callable[..., contextlib.AbstractAsyncContextManager[Reply]]
either = pytest.mark.parametrize("opened", [by_sync, by_async])


async def read(opened: Opened, url: str, **options: Any) -> list[bytes]:
    async with opened(url, **options) as reply:
        return await reply.pieces()


async def replayed(opened: Opened, url: str) -> tuple[bytes, Exception | None]:
    return await read_again(opened(url))


@either
async def test_each_piece_is_seen_before_the_next_is_sent_and_comes_alone_on_replay(
    opened: Opened,
) -> None:
    live: list[bytes] = []
    with GateServer(CHAT_FRAMES) as server:
        url = server.url
        with aquila_cassette("ends"):
            async with opened(url) as reply:
                assert reply.response.header("Content-Type") == "text/event-stream"
                for _ in CHAT_FRAMES:
                    live.append(await reply.piece())
                    server.seen()
    assert live == list(CHAT_FRAMES)
    one = kept()
    assert [piece.data for piece in one.response.pieces] == live
    assert (one.request.body, one.response.ended) == (BODY, "complete")
    with aquila_cassette("ends", mode="none"):
        async with opened(url) as reply:
            response = reply.response
            assert (response.status, response.reason) == (200, "OK")
            assert response.header("Content-Type") == "text/event-stream"
            assert await reply.pieces() == live


@either
async def test_who_stops_after_three_events_leaves_a_closed_tape(opened: Opened) -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with opened(server.url) as reply:
                seen = [await reply.piece() for _ in range(3)]
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(seen))
    with aquila_cassette("ends", mode="none"):
        async with opened(server.url) as reply:
            assert [await reply.piece() for _ in range(3)] == seen
    got, error = await replayed(opened, server.url)
    assert (got, type(error)) == (b"".join(seen), TruncatedReplayError)


@either
@pytest.mark.parametrize(
    ("then", "kind"), [(Connection.reset, ReadError), (Connection.fin, ProtocolError)]
)
async def test_an_answer_that_breaks_off_fails_alike_on_replay(
    opened: Opened, then: Callable[[Connection], None], kind: type[Exception]
) -> None:
    seen, all_came = b"", threading.Event()

    def ends(connection: Connection) -> None:
        all_came.wait(10)  # a reset takes with it what was not read yet
        then(connection)

    with RawServer(sends(FRAMES, ends)) as server:
        with aquila_cassette("ends"), pytest.raises(kind) as live:
            async with opened(server.url) as reply:
                while True:
                    seen += await reply.piece()
                    if seen == b"".join(FRAMES):
                        all_came.set()
    response = kept().response
    assert (response.ended, response.body) == ("failed", seen)
    got, error = await replayed(opened, server.url)
    assert (got, type(error), str(error)) == (seen, kind, str(live.value))


@either
async def test_a_server_that_falls_silent_times_out_alike_on_replay(opened: Opened) -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server:
        with aquila_cassette("ends"), pytest.raises(ReadTimeout) as live:
            await read(opened, server.url, read_timeout=0.5)
    got, error = await replayed(opened, server.url)
    assert (got, type(error), str(error)) == (b"".join(FRAMES[:2]), ReadTimeout, str(live.value))


@either
async def test_a_refused_connection_is_kept_and_refused_again(opened: Opened) -> None:
    with RawServer(sends(FRAMES)) as server:
        url = server.url
    with aquila_cassette("ends"), pytest.raises(ConnectError) as live:
        await read(opened, url)
    assert kept().response.status is None
    got, error = await replayed(opened, url)
    assert (got, type(error), str(error)) == (b"", ConnectError, str(live.value))


@either
async def test_an_error_of_the_system_that_lm15_lets_out_comes_out_again(
    opened: Opened, tmp_path: Path
) -> None:
    asked = Asked("POST", "http://a.example/", (("content-type", "application/json"),), BODY)
    closed = Failure("OSError", "[Errno 9] Bad file descriptor")
    path = tmp_path / "cassettes" / "ends.yaml"
    path.parent.mkdir()
    path.write_text(
        dumps(CassetteData((Interaction(asked, Response(200, ended="failed", error=closed)),)))
    )
    got, error = await replayed(opened, "http://a.example/")
    assert (got, type(error), str(error)) == (b"", OSError, closed.message)


@either
async def test_what_httpx_recorded_fails_as_lm15_would(opened: Opened) -> None:
    with RawServer(sends(FRAMES, Connection.fin)) as server:
        with aquila_cassette("ends"), pytest.raises(httpx.RemoteProtocolError):
            with httpx.Client(verify=False) as client:
                client.post(server.url, content=BODY, headers={"content-type": "application/json"})
    got, error = await replayed(opened, server.url)
    assert (got, type(error)) == (b"".join(FRAMES), ProtocolError)


async def test_a_cancelled_task_leaves_what_it_had_read() -> None:
    three = asyncio.Event()

    async def reading(url: str) -> None:
        async with by_async(url) as reply:
            for _ in range(3):
                await reply.piece()
            three.set()
            await reply.pieces()

    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(reading(server.url))
            await three.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    response = kept().response
    assert (response.ended, response.body) == ("closed", b"".join(FRAMES[:3]))


@either
@pytest.mark.parametrize(
    ("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_a_compressed_answer_is_kept_as_lm15_decoded_it(
    opened: Opened, encoding: str, packed: Callable[[bytes], bytes]
) -> None:
    body = packed(b"hello " * 100)

    def script(connection: Connection, request: Request) -> None:
        headers = {"content-type": "text/plain", "content-encoding": encoding}
        connection.head(200, headers, length=len(body))
        connection.piece(body)
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            live = b"".join(await read(opened, server.url))
    response = kept().response
    assert (response.body, dict(response.headers)) == (live, {"content-type": "text/plain"})
    assert await replayed(opened, server.url) == (live, None)


@either
async def test_a_recorded_answer_gives_its_connection_back(opened: Opened) -> None:
    with RawServer(sends(FRAMES)) as server:
        with aquila_cassette("ends"):
            transport: Any
            if opened is by_sync:
                with StdlibTransport() as transport:
                    for _ in range(2):
                        with transport.stream(asked(server.url)) as response:
                            response.read()
                    assert transport.pool_stats() == {"idle": 1, "in_use": 0, "total_opened": 1}
            else:
                async with StdlibAsyncTransport() as transport:
                    for _ in range(2):
                        response = await transport.stream(asked(server.url))
                        await response.read()
                    assert transport.pool_stats() == {"idle": 1, "in_use": 0, "total_opened": 1}


async def test_a_replay_can_be_held() -> None:
    with RawServer(sends(CHAT_FRAMES)) as server:
        with aquila_cassette("ends"):
            await read(by_async, server.url)
    seen: list[bytes] = []

    async def reading() -> None:
        async with by_async(server.url) as reply:
            while True:
                seen.append(await reply.piece())

    async with aquila_cassette("ends", mode="none", hold=True) as cassette:
        task = asyncio.create_task(reading())
        await cassette.advance(2)
        assert seen == list(CHAT_FRAMES[:2])
        cassette.release()
        with pytest.raises(StopAsyncIteration):
            await task
    assert b"".join(seen) == b"".join(CHAT_FRAMES)


def read_into(url: str, seen: list[bytes]) -> None:
    with StdlibTransport() as transport, transport.stream(asked(url)) as response:
        for piece in response:
            seen.append(piece)


def test_a_replay_can_be_held_from_another_thread() -> None:
    with RawServer(sends(CHAT_FRAMES)) as server:
        with aquila_cassette("ends"):
            read_into(server.url, live := [])
    with aquila_cassette("ends", mode="none", hold=True) as cassette:
        seen: list[bytes] = []
        thread = threading.Thread(target=read_into, args=(server.url, seen))
        thread.start()
        cassette.advance_sync(2)
        assert seen == list(CHAT_FRAMES[:2])
        cassette.release()
        thread.join()
    assert seen == live


# As its users use it.


def question(prompt: str = "Say hello") -> lm15.Request:
    return lm15.Request(model="gpt-4o-mini", messages=(lm15.Message.user(prompt),))


def text(events: list[Any]) -> str:
    return "".join(getattr(getattr(event, "delta", None), "text", "") for event in events)


async def test_its_users_stream_and_a_miss_comes_out_as_it_is() -> None:
    with RawServer(sends(CHAT_FRAMES)) as server:
        url = server.url
        with aquila_cassette("ends"):
            live = list(lm15.OpenAIChatLM(api_key="k", base_url=url).stream(question()))
    assert text(live)
    with aquila_cassette("ends", mode="none"):
        sync = lm15.OpenAIChatLM(api_key="k", base_url=url)
        assert list(sync.stream(question())) == live
    asynchronous = AsyncOpenAIChatLM(api_key="k", base_url=url)
    with pytest.raises(MissError, match="No recording matches"):
        with aquila_cassette("ends", mode="none", on_unplayed="ignore") as cassette:
            await asynchronous.complete(question("Say goodbye"))
    assert len(cassette.misses) == 1
