"""aiohttp: its streams are recorded while they are read, and replayed as the streams they were."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from aquila_cassette import Piece, aquila_cassette
from aquila_cassette.storage import files
from tests.http.aiohttp_clients import JSON, READS, pieces, stream
from tests.http.cassettes import EVENTS, URL, question, write_cassette
from tests.servers import (
    FRAMES,
    Connection,
    Proxy,
    RawServer,
    Request,
    answers,
    chat,
    client_context,
    sends,
    server_context,
)


def echo(connection: Connection, request: Request) -> None:
    connection.head(200, {"content-type": "application/json"}, length=len(request.body))
    connection.piece(request.body)
    connection.end()


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
                return [
                    response.status,
                    response.ok,
                    await response.json(),
                    await response.text(),
                    response.url,
                    response.real_url,
                    response.method,
                    response.host,
                    response.version,
                    response.history,
                    response.content_type,
                    response.charset,
                    response.connection,
                    response.closed,
                    response.request_info.url,
                    dict(response.request_info.headers),
                    dict(response.raw_headers)[b"content-type"],
                ]

    script = answers(b'{"a": 1}', 201, content_type="application/json; charset=utf-8")
    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("carried"):
            live = await carried()
    with aquila_cassette("carried", mode="none"):
        assert await carried() == live


async def test_a_recorded_pace_is_kept_and_a_cancelled_read_loses_nothing() -> None:
    write_cassette("pace", EVENTS[:2])
    with aquila_cassette("pace", mode="none", on_unplayed="ignore") as cassette:
        (one,) = cassette.interactions
    timed = (Piece(0, EVENTS[0]), Piece(200, EVENTS[1]))
    paced = replace(one, response=replace(one.response, pieces=timed, headers_after=0))
    files.save(cassette.path, [paced], drop=lambda old: True)
    with aquila_cassette("pace", mode="none", speed=1):
        began = time.perf_counter()
        async with stream(URL, json=question(1)) as response:
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

    with RawServer(echo) as server:
        with aquila_cassette("line"):
            assert await read(server.url, 2**18) == line
    with aquila_cassette("line", mode="none", repeats=True):
        assert await read(server.url, 2**18) == line
        with pytest.raises(aiohttp.http_exceptions.LineTooLong):
            await read(server.url, 2**16)


async def test_whoever_patches_the_session_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mocked(*_args: Any, **_options: Any) -> str:
        return "of a mock"

    with aquila_cassette("mocked", mode="none") as cassette:
        monkeypatch.setattr(aiohttp.ClientSession, "_request", mocked)
        async with aiohttp.ClientSession() as session:
            assert str(await session.post(URL, json=JSON)) == "of a mock"
        assert cassette.misses == ()


async def test_a_session_s_time_out_holds_for_a_replay_at_its_pace() -> None:
    write_cassette("slow", EVENTS)  # the cassette's answer comes after 200 s
    with aquila_cassette("slow", mode="none", speed=1):
        with pytest.raises(TimeoutError):
            await pieces(URL, json=question(1), timeout=aiohttp.ClientTimeout(total=0.05))


async def test_a_held_stream_that_is_closed_meanwhile_fails_as_a_live_one() -> None:
    write_cassette("held", EVENTS)
    with aquila_cassette("held", mode="none", hold=True) as cassette:
        async with aiohttp.ClientSession() as session:
            response = await session.post(URL, json=question(1))
            reading = asyncio.create_task(response.content.readany())
            await asyncio.sleep(0)
            response.close()
            with pytest.raises(aiohttp.ClientConnectionError, match="Connection closed"):
                await reading
        await cassette.settled()


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
    "bytes": lambda: {"data": b"bytes"},
    "large bytes": lambda: {"data": io.BytesIO(bytes(2**21))},
    "str": lambda: {"data": "text ü"},
    "a form": lambda: {"data": {"a": "1", "b": "ü"}},
    "a form with a file": lambda: {"data": _form()},
    "a file": lambda: {"data": io.BytesIO(b"of a file")},
    "a generator": lambda: {"data": _sent(b"one ", b"two")},
    "compressed": lambda: {"json": {"a": 1}, "compress": "deflate"},
    "none": dict,
}


@pytest.mark.parametrize("body", BODIES)
async def test_a_request_body_is_sent_as_ever_and_matched_on_replay(body: str) -> None:
    with RawServer(echo) as server:
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
            echo(connection, request)

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


async def test_a_body_that_its_reader_unpacks_itself_is_kept_readable() -> None:
    body = gzip.compress(b'{"a":1}')
    script = answers(body, content_type="application/json", content_encoding="gzip")
    with RawServer(script) as server:
        with aquila_cassette("gzip") as cassette:
            async with stream(server.url, json=JSON, auto_decompress=False) as response:
                assert await response.read() == body
    recorded = cassette.recorded[0].response
    assert recorded.body == b'{"a":1}'
    assert "content-encoding" not in dict(recorded.headers)
    with aquila_cassette("gzip", mode="none"):
        async with stream(server.url, json=JSON) as response:
            assert await response.json() == {"a": 1}


async def test_cookies_traces_middlewares_and_raise_for_status_work_on_replay() -> None:
    def script(connection: Connection, request: Request) -> None:
        if request.headers.get("authorization") != "Bearer two":
            connection.head(401, {"set-cookie": "seen=yes"}, length=0)
        else:
            connection.head(200, {"x-cookie": request.headers.get("cookie", "")}, length=2)
            connection.piece(b"ok")
        connection.end()

    async def retries(request: Any, handler: Any) -> Any:
        request.headers["Authorization"] = "Bearer one"
        response = await handler(request)
        if response.status == 401:
            request.headers["Authorization"] = "Bearer two"
            response.release()
            response = await handler(request)
        return response

    async def asked() -> list[Any]:
        events: list[Any] = []
        trace = aiohttp.TraceConfig()

        def note(name: str) -> Any:
            async def noted(_session: Any, _context: Any, params: Any) -> None:
                events.append((name, getattr(params, "chunk", None)))

            return noted

        for name in ("request_start", "request_headers_sent", "request_chunk_sent", "request_end"):
            getattr(trace, f"on_{name}").append(note(name))
        trace.on_response_chunk_received.append(note("received"))
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(
            trace_configs=[trace], cookie_jar=jar, middlewares=[retries]
        ) as session:
            async with session.post(url, json=JSON, raise_for_status=True) as response:
                events.append(await response.text())
            with pytest.raises(aiohttp.ClientResponseError) as error:
                await session.post(url, json=JSON, middlewares=[], raise_for_status=True)
            events.append((error.value.status, str(error.value.request_info.url)))
            events.append({cookie.key: cookie.value for cookie in jar})
        return events

    with RawServer(script) as server:
        url = server.url
        with aquila_cassette("session"):
            live = await asked()
        with aquila_cassette("session", mode="none") as cassette:
            again = await asked()
    assert again[:-1] == live[:-1]
    assert live[-1] == {"seen": "yes"}
    assert [one.response.status for one in cassette.played] == [401, 200, 401]


async def test_head_and_bodiless_answers_are_complete() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(204 if request.method == "DELETE" else 200, {}, length=0)
        connection.end()

    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("bodiless", mode=mode) as cassette:
                for method in ("HEAD", "DELETE", "GET"):
                    async with stream(server.url, method=method) as response:
                        assert await response.read() == b""
                ended = [one.response.ended for one in cassette.interactions]
                assert ended == ["complete"] * 3


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


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
async def test_a_request_through_a_proxy_is_recorded_once_and_replayed_without_it(
    tls: bool,
) -> None:
    async def ask() -> bytes:
        async with stream(url, json=JSON, proxy=proxy.url, ssl=client_context()) as response:
            return await response.read()

    with RawServer(chat, tls=server_context() if tls else None) as server, Proxy() as proxy:
        url = server.url
        with aquila_cassette("proxy") as cassette:
            live = await ask()
        assert [request.method for request in proxy.requests] == ["CONNECT" if tls else "POST"]
        assert [one.request.method for one in cassette.recorded] == ["POST"]
    with aquila_cassette("proxy", mode="none"):
        assert await ask() == live


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
