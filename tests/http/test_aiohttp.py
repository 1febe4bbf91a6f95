"""aiohttp: its streams are recorded while they are read, and replayed as they were, and end so."""

import asyncio
import gc
import gzip
import io
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from tornado.httpclient import AsyncHTTPClient

from aquila_cassette import Piece, aquila_cassette
from tests.http.aiohttp_clients import READS, pieces, stream
from tests.http.cassettes import EVENTS, JSON, URL, kept, lay, streamed
from tests.servers import (
    CHAT_FRAMES,
    FRAMES,
    Connection,
    RawServer,
    Request,
    answers,
    chat,
    says_body,
    sends,
)


def pooled(session: aiohttp.ClientSession) -> tuple[int, int]:
    """How many connections a session's pool holds: idle ones, and those in use."""
    connector: Any = session.connector
    return sum(map(len, connector._conns.values())), len(connector._acquired)


@pytest.mark.parametrize("how", READS)
async def test_a_body_replays_as_it_was_read_in_every_way_to_read_it(how: str) -> None:
    async def read(url: str) -> list[Any]:
        async with stream(url, json=JSON) as response:
            found = await READS[how](response)
            assert response.connection is None
            assert response.content.at_eof()
            return found

    with RawServer(chat) as server:
        with aquila_cassette("reads"):
            live = await read(server.url)
    with aquila_cassette("reads", mode="none") as cassette:
        assert await read(server.url) == live
        assert cassette.played[0].response.ended == "complete"


async def test_a_replayed_response_is_the_session_s_own_with_all_that_it_carries() -> None:
    class OurResponse(aiohttp.ClientResponse):
        """A session may bring its own."""

    async def carried() -> list[Any]:
        async with aiohttp.ClientSession(response_class=OurResponse) as session:
            async with session.post(f"{url}/things?q=1#part", json=JSON) as response:
                assert type(response) is OurResponse
                found = await response.json()
                fields = "status url real_url method version history charset connection closed"
                carried = [getattr(response, name) for name in fields.split()]
                raw = dict(response.raw_headers)[b"content-type"]
                headers = dict(response.request_info.headers)
                return [*carried, found, headers, raw]

    script = answers(b'{"a": 1}', 201, content_type="application/json; charset=utf-8")
    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("carried"):
            live = await carried()
    with aquila_cassette("carried", mode="none"):
        assert await carried() == live


async def test_a_recorded_pace_is_kept_and_a_cancelled_read_loses_nothing() -> None:
    lay("pace", streamed(Piece(0, EVENTS[0]), Piece(200, EVENTS[1])))
    with aquila_cassette("pace", mode="none", speed=1):
        began = time.perf_counter()
        async with stream(URL, json=JSON) as response:
            assert await response.content.readany() == EVENTS[0]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readany(), 0.02)
            assert await response.content.readany() == EVENTS[1]
            assert time.perf_counter() - began >= 0.2
            assert await response.content.readany() == b""


async def test_a_line_may_be_as_long_on_replay_as_on_the_wire() -> None:
    line = bytes(300_000) + b"\n"

    async def read(url: str, size: int) -> bytes:
        async with aiohttp.ClientSession(read_bufsize=size) as session:
            async with session.post(url, data=line) as response:
                return await response.content.readline()

    with RawServer(says_body) as server:
        with aquila_cassette("line"):
            assert await read(server.url, 2**18) == line
    with aquila_cassette("line", mode="none", repeats=True):
        assert await read(server.url, 2**18) == line
        with pytest.raises(aiohttp.http_exceptions.LineTooLong):
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
    "a form with a file": lambda: {"data": _form()},
    "a file": lambda: {"data": io.BytesIO(b"of a file")},
    "a generator": lambda: {"data": _sent(b"one ", b"two")},
    "compressed": lambda: {"json": {"a": 1}, "compress": "deflate"},
    "none": dict,
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_request_body_is_sent_as_ever_and_matched_on_replay(body: str) -> None:
    with RawServer(says_body) as server:
        async with stream(server.url, method="POST", **BODIES[body]()) as response:
            await response.read()
        with aquila_cassette("bodies") as cassette:
            async with stream(server.url, method="POST", **BODIES[body]()) as response:
                live = await response.read()
    without, with_us = server.requests
    own = {"accept-encoding", "content-type"}
    if body != "a form with a file":
        assert with_us.body == without.body
        own.discard("content-type")
    assert len(with_us.body) == len(without.body)
    assert without.headers.items() - with_us.headers.items() <= {
        (name, without.headers.get(name)) for name in own
    }
    decoded = zlib.decompress(with_us.body) if body == "compressed" else with_us.body
    assert len(cassette.recorded[0].request.body) == len(decoded)
    with aquila_cassette("bodies", mode="none"):
        async with stream(server.url, method="POST", **BODIES[body]()) as response:
            assert await response.read() == live


async def test_a_body_of_one_reading_survives_a_redirect() -> None:
    def script(connection: Connection, request: Request) -> None:
        if request.path == "/from":
            connection.head(307, {"location": "/to"}, length=0)
            connection.end()
        else:
            says_body(connection, request)

    async def asked() -> tuple[bytes, list[int], str]:
        async with stream(f"{url}/from", data=io.BytesIO(b"once")) as response:
            body = await response.read()
            return body, [hop.status for hop in response.history], response.url.path

    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("redirect"):
            live = await asked()
    assert live == (b"once", [307], "/to")
    with aquila_cassette("redirect", mode="none") as cassette:
        assert await asked() == live
        hops = [(one.response.status, one.response.ended) for one in cassette.played]
    assert hops == [(307, "complete"), (200, "complete")]


async def test_cookies_traces_middlewares_and_raise_for_status_work_on_replay() -> None:
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

    async def asked() -> list[Any]:
        events: list[Any] = []

        async def note(_session: Any, _context: Any, params: Any) -> None:
            events.append((type(params).__name__, getattr(params, "chunk", None)))

        trace = aiohttp.TraceConfig()
        for name in ("request_start", "request_chunk_sent", "response_chunk_received"):
            getattr(trace, f"on_{name}").append(note)
        options: dict[str, Any] = {"trace_configs": [trace], "raise_for_status": True}
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(
            cookie_jar=jar, middlewares=[retries], **options
        ) as session:
            async with session.post(url, json=JSON) as response:
                events.append(await response.text())
            with pytest.raises(aiohttp.ClientResponseError) as error:
                await session.post(url, json=JSON, middlewares=[])
            events.append((error.value.status, str(error.value.request_info.url)))
            return [*events, [cookie.key for cookie in jar]]

    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("session"):
            live = await asked()
    with aquila_cassette("session", mode="none") as cassette:
        assert (await asked())[:-1] == live[:-1]  # the file has no cookie
        assert [one.response.status for one in cassette.played] == [401, 200, 401]
    assert live[-1] == ["seen"]


async def test_a_websocket_passes_untouched() -> None:
    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"got {message.data}")
        return socket

    app = web.Application()
    app.router.add_get("/", talk)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        with aquila_cassette("socket", mode="none") as cassette:
            async with aiohttp.ClientSession() as session:
                async with session.ws_connect(f"http://{host}:{port}/") as socket:
                    await socket.send_str("hi")
                    assert await socket.receive_str() == "got hi"
            assert cassette.misses == ()
    finally:
        await runner.cleanup()


async def test_the_pool_is_as_it_would_be_without_us() -> None:
    async def states() -> list[tuple[int, int]]:
        found = []
        async with aiohttp.ClientSession() as session:
            async with session.post(url, json=JSON) as response:
                await response.read()
            found.append(pooled(session))
            async with session.post(f"{url}/stalls", json=JSON) as response:
                await response.content.readany()
                found.append(pooled(session))
            response = await session.post(url, json=JSON)
            await response.content.wait_eof()
            found.append(pooled(session))
            response.close()
            found.append(pooled(session))
        return found

    stalls = sends(FRAMES[:1], Connection.gone)

    def script(connection: Connection, request: Request) -> None:
        (stalls if request.path == "/stalls" else chat)(connection, request)

    with RawServer(script) as server:
        url = server.url
        without = await states()
        with aquila_cassette("pool"):
            assert await states() == without
        with aquila_cassette("pool", mode="none"):
            assert await states() == [(0, 0)] * 4
        gc.collect()


async def test_the_body_of_an_error_that_nobody_reads_is_kept_if_it_came() -> None:
    def at_once(connection: Connection, request: Request) -> None:
        connection.send(b"HTTP/1.1 429 Slow down\r\ncontent-length: 4\r\n\r\nslow")
        connection.end()

    with RawServer(at_once) as server:
        for mode in ("once", "none"):
            with aquila_cassette("error", mode=mode) as cassette:
                async with aiohttp.ClientSession(raise_for_status=True) as session:
                    with pytest.raises(aiohttp.ClientResponseError) as error:
                        await session.post(server.url, json=JSON)
                    assert error.value.status == 429
                (one,) = cassette.interactions
                assert (one.response.body, one.response.ended) == (b"slow", "complete")


# Endings that only aiohttp has.


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

    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("raw", mode=mode):
                assert await seen(server.url, auto_decompress=False) == (packed, "gzip", "25")
        with aquila_cassette("raw", mode="none"):
            assert httpx.get(server.url).text == "hello"
        with aquila_cassette("raw", mode="none"):
            assert await seen(server.url) == (b"hello", "gzip", "25")
        with aquila_cassette("raw", mode="none"):
            answer = await AsyncHTTPClient(force_instance=True).fetch(server.url)
            assert answer.body == b"hello"
        with aquila_cassette("decoded"):
            assert (await seen(server.url))[0] == b"hello"
        assert kept("decoded").response.body == b"hello"
        assert kept("decoded").response.header("content-encoding") is None


@pytest.mark.parametrize("sent", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 9000])
async def test_a_response_error_keeps_its_status_and_message(sent: bytes) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(sent)
        connection.fin()

    async def seen(url: str) -> tuple[int, str]:
        error = await failure(url)
        assert isinstance(error, aiohttp.ClientResponseError)
        return error.status, error.message

    with RawServer(script) as server:
        with aquila_cassette("ends"):
            live = await seen(server.url)
    assert live[0] == 400
    with aquila_cassette("ends", mode="none"):
        assert await seen(server.url) == live


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
    sent = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        sends(CHAT_FRAMES)(connection, request)
        sent.set()

    with RawServer(script) as server:
        with aquila_cassette("ends") as cassette:
            async with aiohttp.ClientSession() as session:
                response = await session.post(server.url, json=JSON)
                assert await response.content.readuntil(b"\n\n") == CHAT_FRAMES[0]
                await asyncio.to_thread(sent.wait)
                await asyncio.sleep(0)  # all has come: until then aiohttp's connection holds it
                del response
                gc.collect()
                assert [one.response.ended for one in cassette.recorded] == ["closed"]
