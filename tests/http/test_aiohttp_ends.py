"""Each way in which a stream of aiohttp ends: what is kept of it, and what its replay gives."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from aquila_cassette import Failure, TruncatedReplayError, aquila_cassette
from aquila_cassette.storage import files
from tests.http.aiohttp_clients import JSON, pieces, replayed, stream
from tests.http.held import EVENTS, URL, question, tape
from tests.http.kept import kept
from tests.servers import CHAT_FRAMES, FRAMES, Connection, RawServer, Request, sends, server_context


class Stepped:
    """A server whose end comes when the test has read what was before it."""

    def __init__(self, frames: Any, then: Callable[[Connection], None], **head: Any) -> None:
        self.read = threading.Event()
        self._frames, self._then, self._head = frames, then, head

    def __call__(self, connection: Connection, request: Request) -> None:
        connection.head(200, **self._head)
        for frame in self._frames:
            connection.piece(frame)
        connection.wait(self.read)
        self._then(connection)


async def read_all(url: str, script: Stepped, **request: Any) -> bytes:
    """Read what `script` sends, let it end, and read on; what was read is on the error, too."""
    whole = b"".join(script._frames)
    async with stream(url, json=JSON, **request) as response:
        seen = b""
        while len(seen) < len(whole):
            seen += await response.content.readany()
        assert seen == whole
        script.read.set()
        return seen + await response.content.read()


async def test_a_consumer_that_leaves_after_three_events_leaves_a_closed_tape() -> None:
    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with stream(server.url, json=JSON) as response:
                seen = await response.content.readexactly(27)
    response_kept = kept().response
    assert (response_kept.ended, response_kept.body) == ("closed", seen)
    got, error = await replayed(server.url)
    assert got == seen
    assert isinstance(error, TruncatedReplayError)


LEAVES: dict[str, Callable[[aiohttp.ClientResponse], Any]] = {
    "release": lambda response: response.release(),
    "close": lambda response: response.close(),
}


@pytest.mark.parametrize("leave", LEAVES)
async def test_release_and_close_end_it_at_once(leave: str) -> None:
    with RawServer(sends(FRAMES[:1], Connection.gone)) as server:
        for recording in (True, False):
            with aquila_cassette("ends") as cassette:
                async with aiohttp.ClientSession() as session:
                    response = await session.post(server.url, json=JSON)
                    assert await response.content.readany() == FRAMES[0]
                    LEAVES[leave](response)
                    assert [one.response.ended for one in cassette.recorded] == (
                        ["closed"] if recording else []
                    )
                    assert response.connection is None
                    with pytest.raises(aiohttp.ClientConnectionError, match="Connection closed"):
                        await response.content.readany()
                    await cassette.settled()


async def test_stopping_at_the_terminal_event_is_a_whole_stream() -> None:
    with RawServer(sends(CHAT_FRAMES, Connection.gone)) as server:
        with aquila_cassette("ends"):
            async with stream(server.url, json=JSON) as response:
                await response.content.readuntil(b"[DONE]\n\n")
    assert kept().response.ended == "complete"
    got, error = await replayed(server.url)
    assert (got, error) == (b"".join(CHAT_FRAMES), None)


CUTS: dict[str, tuple[Callable[[Connection], None], dict[str, Any]]] = {
    "reset": (Connection.reset, {}),
    "chunked and cut": (Connection.fin, {}),
    "shorter than its length": (Connection.fin, {"length": 1000}),
}


@pytest.mark.parametrize("cut", CUTS)
async def test_a_connection_that_breaks_after_five_events_fails_alike_on_replay(cut: str) -> None:
    then, head = CUTS[cut]
    script = Stepped(FRAMES, then, **head)
    with RawServer(script) as server:
        with aquila_cassette("ends"), pytest.raises(aiohttp.ClientPayloadError) as live:
            await read_all(server.url, script)
    response = kept().response
    assert (response.ended, response.body) == ("failed", b"".join(FRAMES))
    assert response.error == Failure("ClientPayloadError", str(live.value), "protocol")
    got, error = await replayed(server.url)
    assert got == b"".join(FRAMES)
    assert type(error) is aiohttp.ClientPayloadError
    assert str(error) == str(live.value)


async def test_a_cut_that_looks_like_an_end_is_marked_and_replays_as_it_was_seen() -> None:
    script = Stepped(CHAT_FRAMES[:2], Connection.fin, close=True)
    with RawServer(script) as server:
        with aquila_cassette("ends"):
            live = await read_all(server.url, script)
    response = kept().response
    assert response.ended == "failed"
    assert response.error is not None
    assert response.error.type is None
    assert await replayed(server.url) == (live, None)


async def test_a_server_that_falls_silent_times_out_alike_on_replay() -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server:
        timeout = aiohttp.ClientTimeout(sock_read=0.2)
        with aquila_cassette("ends"), pytest.raises(aiohttp.SocketTimeoutError) as live:
            await pieces(server.url, json=JSON, timeout=timeout)
    got, error = await replayed(server.url)
    assert got == b"".join(FRAMES[:2])
    assert (type(error), str(error)) == (aiohttp.SocketTimeoutError, str(live.value))


async def test_a_total_time_out_in_the_body_times_out_alike_on_replay() -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server:
        timeout = aiohttp.ClientTimeout(total=0.3)
        with aquila_cassette("ends"), pytest.raises(TimeoutError):
            await pieces(server.url, json=JSON, timeout=timeout)
    assert kept().response.ended == "failed"
    got, error = await replayed(server.url)
    assert got == b"".join(FRAMES[:2])
    assert type(error) is TimeoutError


@pytest.mark.parametrize("limit", ["total", "sock_read"])
async def test_a_time_out_before_the_head_times_out_alike_on_replay(limit: str) -> None:
    def silent(connection: Connection, request: Request) -> None:
        connection.gone()

    with RawServer(silent) as server:
        timeout = aiohttp.ClientTimeout(**{limit: 0.2})
        with aquila_cassette("ends"), pytest.raises(TimeoutError) as live:
            await pieces(server.url, json=JSON, timeout=timeout)
    assert (kept().response.status, kept().response.ended) == (None, "failed")
    got, error = await replayed(server.url)
    assert (got, type(error), str(error)) == (b"", type(live.value), str(live.value))


async def test_a_connection_that_is_never_made_times_out_alike_on_replay() -> None:
    class Nowhere(aiohttp.TCPConnector):
        async def _create_connection(self, *_args: Any, **_options: Any) -> Any:
            await asyncio.Event().wait()

    async def asked(timeout: aiohttp.ClientTimeout) -> BaseException:
        async with aiohttp.ClientSession(connector=Nowhere()) as session:
            try:
                await session.post(URL, json=JSON, timeout=timeout)
            except TimeoutError as error:
                return error
        raise AssertionError

    for timeout in (aiohttp.ClientTimeout(connect=0.1), aiohttp.ClientTimeout(total=0.1)):
        name = f"nowhere {timeout.total}"
        with aquila_cassette(name):
            live = await asked(timeout)
        with aquila_cassette(name, mode="none"):
            again = await asked(aiohttp.ClientTimeout())
        assert (type(again), str(again)) == (type(live), str(live))


async def test_a_refused_connection_is_kept_and_refused_again() -> None:
    with RawServer(sends(FRAMES, Connection.end)) as server:
        url = server.url
    with aquila_cassette("ends"), pytest.raises(aiohttp.ClientConnectorError) as live:
        await pieces(url, json=JSON)
    assert kept().response.status is None
    got, error = await replayed(url)
    assert (got, type(error), str(error)) == (b"", type(live.value), str(live.value))
    assert isinstance(error, aiohttp.ClientConnectorError)
    assert (error.host, error.port) == (live.value.host, live.value.port)


async def test_a_certificate_that_is_not_trusted_is_not_trusted_again() -> None:
    with RawServer(sends(FRAMES, Connection.end), tls=server_context()) as server:
        url = server.url
        with aquila_cassette("ends"), pytest.raises(aiohttp.ClientSSLError) as live:
            await pieces(url, json=JSON)
    got, error = await replayed(url)
    assert (got, type(error), str(error)) == (b"", type(live.value), str(live.value))
    assert isinstance(error, aiohttp.ClientConnectorCertificateError)
    assert isinstance(error.certificate_error, ssl.SSLCertVerificationError)


async def test_a_server_that_hangs_up_before_the_head_does_so_again() -> None:
    def hangs_up(connection: Connection, request: Request) -> None:
        connection.fin()

    with RawServer(hangs_up) as server:
        with aquila_cassette("ends"), pytest.raises(aiohttp.ServerDisconnectedError) as live:
            await pieces(server.url, json=JSON)
    got, error = await replayed(server.url)
    assert (got, type(error), str(error)) == (b"", type(live.value), str(live.value))


async def test_a_get_that_aiohttp_tries_again_is_tried_again_on_replay() -> None:
    def at_second(connection: Connection, request: Request) -> None:
        if len(server.requests) == 1:
            connection.fin()
        else:
            sends(CHAT_FRAMES, Connection.end)(connection, request)

    with RawServer(at_second) as server:
        with aquila_cassette("again"):
            live = b"".join(await pieces(server.url))
    with aquila_cassette("again", mode="none") as cassette:
        assert b"".join(await pieces(server.url)) == live
        assert [one.response.ended for one in cassette.played] == ["failed", "complete"]


async def test_a_cancelled_task_leaves_what_it_had_read() -> None:
    three = asyncio.Event()
    seen = b""

    async def read(url: str) -> None:
        nonlocal seen
        async with stream(url, json=JSON) as response:
            async for piece in response.content.iter_any():
                seen += piece
                if len(seen) == 27:
                    three.set()

    with RawServer(sends(FRAMES[:3], Connection.gone)) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(read(server.url))
            await three.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    response = kept().response
    assert (response.ended, response.body) == ("closed", seen)
    got, error = await replayed(server.url)
    assert got == seen
    assert isinstance(error, TruncatedReplayError)


async def test_a_read_that_is_given_up_does_not_end_the_recording() -> None:
    def goes_on(connection: Connection) -> None:
        connection.piece(FRAMES[1])
        connection.end()

    script = Stepped(FRAMES[:1], goes_on)
    with RawServer(script) as server:
        with aquila_cassette("ends"):
            async with stream(server.url, json=JSON) as response:
                assert await response.content.readany() == FRAMES[0]
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(response.content.readany(), 0.02)
                script.read.set()
                assert await response.content.read() == FRAMES[1]
    assert kept().response.ended == "complete"
    assert await replayed(server.url) == (b"".join(FRAMES[:2]), None)


async def test_a_call_cancelled_before_the_head_is_kept_as_closed() -> None:
    asked = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        asked.set()
        connection.gone()

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            task = asyncio.create_task(pieces(server.url, json=JSON))
            await asyncio.to_thread(asked.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert (kept().response.status, kept().response.ended) == (None, "closed")
    got, error = await replayed(server.url)
    assert got == b""
    assert isinstance(error, TruncatedReplayError)


async def test_a_stream_still_open_when_the_block_ends_is_closed_there() -> None:
    def goes_on(connection: Connection) -> None:
        connection.piece(FRAMES[1])
        connection.end()

    script = Stepped(FRAMES[:1], goes_on)
    with RawServer(script) as server:
        block = aquila_cassette("ends")
        block.__enter__()
        async with stream(server.url, json=JSON) as response:
            assert await response.content.readany() == FRAMES[0]
            block.__exit__(None, None, None)
            script.read.set()
            assert await response.content.read() == FRAMES[1]
    assert (kept().response.ended, kept().response.body) == ("closed", FRAMES[0])


async def test_a_replay_that_is_dropped_and_never_closed_is_over_without_a_warning() -> None:
    tape("dropped", EVENTS)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        async with aquila_cassette("dropped", mode="none") as cassette:
            async with aiohttp.ClientSession() as session:
                response = await session.post(URL, json=question(1))
                del response
                gc.collect()
            await cassette.settled()
    assert [str(one.message) for one in seen] == []


async def test_a_body_that_came_whole_and_is_dropped_unread_is_closed_when_it_is_collected() -> (
    None
):
    with RawServer(sends(CHAT_FRAMES, Connection.end)) as server:
        with aquila_cassette("ends") as cassette:
            async with aiohttp.ClientSession() as session:
                response = await session.post(server.url, json=JSON)
                assert await response.content.readuntil(b"\n\n") == CHAT_FRAMES[0]
                arrived = asyncio.Event()
                response.content.on_eof(arrived.set)
                await arrived.wait()
                del response
                gc.collect()
                assert [one.response.ended for one in cassette.recorded] == ["closed"]


OF_HTTPX: list[tuple[str, bool, type[Exception]]] = [
    ("ConnectError", False, aiohttp.ClientConnectorError),
    ("ConnectTimeout", False, aiohttp.ConnectionTimeoutError),
    ("RemoteProtocolError", False, aiohttp.ServerDisconnectedError),
    ("ReadError", False, aiohttp.ClientOSError),
    ("RemoteProtocolError", True, aiohttp.ClientPayloadError),
    ("ReadError", True, aiohttp.ClientPayloadError),
    ("ReadTimeout", True, aiohttp.SocketTimeoutError),
]


@pytest.mark.parametrize(("name", "with_head", "kind"), OF_HTTPX)
async def test_what_httpx_recorded_as_failed_fails_as_aiohttp_would(
    name: str, with_head: bool, kind: type[Exception]
) -> None:
    tape("failed", EVENTS, ended="failed", error=Failure(name, "it broke"))
    if not with_head:
        with aquila_cassette("failed", mode="none", on_unplayed="ignore") as cassette:
            (one,) = cassette.interactions
        headless = replace(one.response, status=None, headers=(), pieces=())
        files.save(cassette.path, [replace(one, response=headless)], drop=lambda old: True)
    with aquila_cassette("failed", mode="none"):
        with pytest.raises(kind, match="it broke") as error:
            await pieces(URL, json=question(1))
    assert type(error.value) is kind


READS: dict[str, Callable[[aiohttp.ClientResponse], Awaitable[Any]]] = {
    "read": lambda response: response.read(),
    "json": lambda response: response.json(content_type=None),
    "readline": lambda response: response.content.readline(),
}


@pytest.mark.parametrize("how", READS)
async def test_a_failed_tape_fails_in_each_way_to_read_it(how: str) -> None:
    tape("failed", [b"{"], ended="failed", error=Failure("ClientPayloadError", "cut"))
    with aquila_cassette("failed", mode="none"):
        async with stream(URL, json=question(1)) as response:
            with pytest.raises(aiohttp.ClientPayloadError, match="cut"):
                await READS[how](response)
