"""aiohttp: what it alone has, on replay as on the wire."""

import asyncio
import contextlib
import gc
import gzip
import io
import threading
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import pytest
from tornado.httpclient import AsyncHTTPClient

from aquila_cassette import Piece, aquila_cassette
from tests.http.cassettes import EVENTS, JSON, URL, kept, lay, same_again, streamed
from tests.servers import (
    CHAT_FRAMES,
    FRAMES,
    Connection,
    GateServer,
    RawServer,
    Request,
    chat,
    says_body,
    sends,
)


@contextlib.asynccontextmanager
async def posted(url: str, **request: Any) -> AsyncIterator[aiohttp.ClientResponse]:
    request = {"json": JSON} | request
    async with aiohttp.ClientSession() as session, session.post(url, **request) as response:
        yield response


async def text_of(url: str, **request: Any) -> bytes:
    async with posted(url, **request) as response:
        return await response.read()


async def error_of(url: str, **request: Any) -> Exception:
    """Return what reading a stream to its end raises."""
    with pytest.raises((aiohttp.ClientError, TimeoutError)) as raised:
        await text_of(url, **request)
    return raised.value


# Bodies.


async def _all(parts: AsyncIterator[Any]) -> list[Any]:
    # A chunk's end that comes late makes an empty chunk, as it always did.
    return [part async for part in parts if part != (b"", True)]


async def _until(separator: bytes, content: Any) -> list[Any]:
    found = []
    while not content.at_eof():
        found.append(await content.readuntil(separator))
    return [line for line in found if line]  # none where the end comes by itself


async def _read_nowait(content: Any) -> list[Any]:
    await content.wait_eof()
    return [content.read_nowait()]


READS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "async for": lambda content: _all(aiter(content)),
    "iter_any": lambda content: _all(content.iter_any()),
    "iter_chunks": lambda content: _all(content.iter_chunks()),
    "readuntil": lambda content: _until(b"\n\n", content),
    "readline": lambda content: _until(b"\n", content),
    "read": lambda content: content.read(),
    "read_nowait": _read_nowait,
}


@pytest.mark.parametrize("how", READS)
async def test_a_body_replays_as_it_was_read_in_every_way_to_read_it(how: str) -> None:
    async def read(url: str) -> Any:
        async with posted(url) as response:
            found = await READS[how](response.content)
            assert response.connection is None
            assert response.content.at_eof()
            return found

    await same_again(chat, read)
    assert kept().response.ended == "complete"


async def test_a_cancelled_read_loses_nothing_at_the_recorded_pace() -> None:
    lay("pace", streamed(Piece(0, EVENTS[0]), Piece(200, EVENTS[1])))
    with aquila_cassette("pace", mode="none", speed=1):
        began = time.perf_counter()
        async with posted(URL) as response:
            assert await response.content.readany() == EVENTS[0]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readany(), 0.02)
            assert await response.content.readany() == EVENTS[1]
            assert time.perf_counter() - began >= 0.2
            assert await response.content.readany() == b""


async def test_a_read_that_is_given_up_does_not_end_the_recording() -> None:
    with GateServer(FRAMES[:2]) as server, aquila_cassette("ends"):
        async with posted(server.url) as response:
            assert await response.content.readany() == FRAMES[0]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readany(), 0.02)
            server.seen()
            assert await response.content.read() == FRAMES[1]
    assert (kept().response.ended, kept().response.body) == ("complete", b"".join(FRAMES[:2]))


async def test_a_line_may_be_as_long_on_replay_as_on_the_wire() -> None:
    line = bytes(300_000) + b"\n"

    async def read(url: str, size: int = 2**18) -> bytes:
        async with aiohttp.ClientSession(read_bufsize=size) as session:
            async with session.post(url, data=line) as response:
                return await response.content.readline()

    server, live = await same_again(says_body, read)
    assert live == line
    with aquila_cassette("ends", mode="none"), pytest.raises(aiohttp.http_exceptions.LineTooLong):
        await read(server.url, 2**16)


async def _sent(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("prompt", "hello")
    form.add_field("file", io.BytesIO(b"content"), filename="a.txt", content_type="text/plain")
    return form


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "json": lambda: {"json": {"a": "ü"}},
    "a form with a file": lambda: {"json": None, "data": _form()},
    "a file": lambda: {"json": None, "data": io.BytesIO(b"of a file")},
    "a generator": lambda: {"json": None, "data": _sent(b"one ", b"two")},
    "compressed": lambda: {"json": {"a": 1}, "compress": "deflate"},
    "none": lambda: {"json": None},
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_request_body_is_sent_as_ever_and_matched_on_replay(body: str) -> None:
    async def ask(url: str) -> int:
        return len(await text_of(url, **BODIES[body]()))

    server, sent = await same_again(says_body, ask)
    (request,) = server.requests
    assert sent == len(request.body)
    decoded = zlib.decompress(request.body) if body == "compressed" else request.body
    assert len(kept().request.body) == len(decoded)


async def test_a_body_that_is_not_decompressed_is_replayed_as_it_came_and_says_so() -> None:
    packed = gzip.compress(b"hello")

    def script(connection: Connection, request: Request) -> None:
        headers = {"content-type": "text/plain", "Content-Encoding": "gzip"}
        connection.head(200, headers, length=len(packed))
        connection.piece(packed)
        connection.end()

    async def seen(url: str, **options: bool) -> tuple[bytes, str | None, str | None]:
        async with aiohttp.ClientSession(**options) as session, session.get(url) as response:
            named = response.headers.get("content-encoding"), response.headers.get("content-length")
            return await response.read(), *named

    server, live = await same_again(script, lambda url: seen(url, auto_decompress=False))
    assert live == (packed, "gzip", "25")
    with aquila_cassette("ends", mode="none", repeats=True):
        assert httpx.get(server.url).text == "hello"
        assert await seen(server.url) == (b"hello", "gzip", "25")
        answer = await AsyncHTTPClient(force_instance=True).fetch(server.url)
        assert answer.body == b"hello"


async def test_the_body_of_an_error_that_nobody_reads_is_kept_if_it_came() -> None:
    def at_once(connection: Connection, request: Request) -> None:
        connection.send(b"HTTP/1.1 429 Slow down\r\ncontent-length: 4\r\n\r\nslow")
        connection.end()

    async def ask(url: str) -> Any:
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            with pytest.raises(aiohttp.ClientResponseError) as error:
                await session.post(url, json=JSON)
        return error.value.status

    await same_again(at_once, ask)
    assert (kept().response.body, kept().response.ended) == (b"slow", "complete")


# The session.


async def test_all_that_a_session_does_with_a_response_works_on_replay() -> None:
    class OurResponse(aiohttp.ClientResponse):
        """A session may bring its own."""

    def script(connection: Connection, request: Request) -> None:
        status = 200 if request.headers.get("authorization") == "Bearer two" else 401
        connection.head(status, {"set-cookie": "seen=yes"}, length=0)
        connection.end()

    async def retries(request: Any, handler: Any) -> Any:
        response = await handler(request)
        if response.status == 401:
            request.headers["Authorization"] = "Bearer two"
            response.release()
            response = await handler(request)
        return response

    async def asked(url: str) -> list[Any]:
        events: list[Any] = []

        async def note(_session: Any, _context: Any, params: Any) -> None:
            events.append((type(params).__name__, getattr(params, "chunk", None)))

        trace = aiohttp.TraceConfig()
        for name in ("request_start", "request_chunk_sent", "response_chunk_received"):
            getattr(trace, f"on_{name}").append(note)
        options: dict[str, Any] = {"trace_configs": [trace], "raise_for_status": True}
        options |= {"cookie_jar": aiohttp.CookieJar(unsafe=True), "middlewares": [retries]}
        async with aiohttp.ClientSession(response_class=OurResponse, **options) as session:
            async with session.post(f"{url}/things?q=1#part", json=JSON) as response:
                assert type(response) is OurResponse
                events.append(await response.text())
                fields = "status url real_url method version history charset connection closed"
                events += [getattr(response, name) for name in fields.split()]
                events.append(dict(response.request_info.headers))
            with pytest.raises(aiohttp.ClientResponseError) as error:
                await session.post(url, json=JSON, middlewares=[])
            events.append((error.value.status, str(error.value.request_info.url)))
            return [*events, [cookie.key for cookie in options["cookie_jar"]]]

    _, live = await same_again(script, asked)
    assert live[-1] == ["seen"]


# Endings that only aiohttp has.


@pytest.mark.parametrize("leave", ["release", "close"])
async def test_release_and_close_end_it_at_once(leave: str) -> None:
    with RawServer(sends(FRAMES[:1], Connection.gone)) as server:
        for ended in (["closed"], []):
            with aquila_cassette("ends") as cassette:
                async with aiohttp.ClientSession() as session:
                    response = await session.post(server.url, json=JSON)
                    assert await response.content.readany() == FRAMES[0]
                    getattr(response, leave)()
                    assert [one.response.ended for one in cassette.recorded] == ended
                    with pytest.raises(aiohttp.ClientConnectionError, match="Connection closed"):
                        await response.content.readany()
                    await cassette.settled()


async def test_a_response_that_is_dropped_is_closed_when_it_is_collected() -> None:
    sent = threading.Event()

    def end(connection: Connection) -> None:
        connection.end()
        sent.set()

    with RawServer(sends(CHAT_FRAMES, end)) as server, aquila_cassette("ends") as cassette:
        async with aiohttp.ClientSession() as session:
            response = await session.post(server.url, json=JSON)
            assert await response.content.readuntil(b"\n\n") == CHAT_FRAMES[0]
            await asyncio.to_thread(sent.wait)
            await asyncio.sleep(0)  # all has come: until then aiohttp's connection holds it
            del response
            gc.collect()
            assert [one.response.ended for one in cassette.recorded] == ["closed"]


@pytest.mark.parametrize("sent", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 9000])
async def test_a_response_error_keeps_its_status_and_message(sent: bytes) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(sent)
        connection.fin()

    async def seen(url: str) -> tuple[int, str]:
        error = await error_of(url)
        assert isinstance(error, aiohttp.ClientResponseError)
        return error.status, error.message

    assert (await same_again(script, seen))[1][0] == 400


async def test_a_total_time_out_in_the_body_times_out_alike_on_replay() -> None:
    async def seen(url: str) -> type[Exception]:
        return type(await error_of(url, timeout=aiohttp.ClientTimeout(total=0.3)))

    await same_again(sends(FRAMES[:2], Connection.gone), seen)
    assert (kept().response.ended, kept().response.body) == ("failed", b"".join(FRAMES[:2]))


@pytest.mark.parametrize("limit", ["connect", "total"])
async def test_a_connection_that_is_never_made_times_out_alike_on_replay(limit: str) -> None:
    class Nowhere(aiohttp.TCPConnector):
        async def _create_connection(self, *_args: Any, **_options: Any) -> Any:
            await asyncio.Event().wait()

    async def seen(_: str) -> tuple[type[Exception], str]:
        timeout = aiohttp.ClientTimeout(**{limit: 0.1})
        async with aiohttp.ClientSession(connector=Nowhere()) as session:
            with pytest.raises((aiohttp.ClientError, TimeoutError)) as raised:
                await session.post(URL, timeout=timeout)
        return type(raised.value), str(raised.value)

    await same_again(chat, seen)


async def test_a_get_that_aiohttp_tries_again_is_tried_again_on_replay() -> None:
    refused = iter([True])

    def at_second(connection: Connection, request: Request) -> None:
        if next(refused, False):
            connection.fin()
        else:
            chat(connection, request)

    async def ask(url: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.read()

    server, _ = await same_again(at_second, ask)
    assert len(server.requests) == 2
