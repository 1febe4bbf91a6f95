"""Which cassette answers: across tasks, threads, nested blocks, and clients made before."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import httpx
import pytest

from aquila_cassette import aquila_cassette
from tests.clients import Face, every_face
from tests.servers import Connection, RawServer, Request, answers, chat


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answers(b"ok")) as server:
        yield server


@every_face
async def test_five_concurrent_streams_replay_right_in_another_order(face: Face) -> None:
    prompts = [f"this is prompt number {number}" for number in range(5)]

    def echo(connection: Connection, request: Request) -> None:
        answers(request.json()["prompt"].encode())(connection, request)

    async def ask(prompt: str) -> bytes:
        return b"".join(await face.pieces(server.url, json={"prompt": prompt}))

    with RawServer(echo) as server:
        with aquila_cassette("five"):
            await asyncio.gather(*map(ask, prompts))
    with aquila_cassette("five", mode="none"):
        got = await asyncio.gather(*map(ask, reversed(prompts)))
    assert got == [prompt.encode() for prompt in reversed(prompts)]


@every_face
async def test_a_client_made_before_the_block_is_recorded(face: Face, server: RawServer) -> None:
    client = face.client()
    async with face.stream(server.url, client=client) as reply:
        await reply.pieces()
    with aquila_cassette("before") as cassette:
        async with face.stream(server.url, client=client) as reply:
            await reply.pieces()
    assert len(cassette.recorded) == 1
    assert server.connections == 1
    if face.sync:
        client.close()
    else:
        await client.aclose()


async def test_async_with_waits_for_the_streams_of_other_tasks(server: RawServer) -> None:
    goes_on = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        connection.piece(b"data: 1\n\n")
        connection.wait(goes_on)
        connection.piece(b"data: 2\n\n")
        connection.end()

    started = asyncio.Event()

    async def read(url: str) -> bytes:
        seen = b""
        async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
            async for piece in response.aiter_raw():
                seen += piece
                started.set()
        return seen

    with RawServer(script) as slow:
        async with aquila_cassette("settled") as cassette:
            task = asyncio.create_task(read(slow.url))
            await started.wait()
            asyncio.get_running_loop().call_soon(goes_on.set)
        assert [one.response.ended for one in cassette.recorded] == ["complete"]
        assert await task == b"data: 1\n\ndata: 2\n\n"


def test_mock_asgi_and_wsgi_transports_are_left_alone() -> None:
    mock = httpx.MockTransport(lambda request: httpx.Response(204))
    with aquila_cassette("left", mode="none"), httpx.Client(transport=mock) as client:
        assert client.get("http://nowhere.example").status_code == 204


def test_a_pool_whose_stream_was_closed_early_goes_on_as_without_a_recorder(
    server: RawServer,
) -> None:
    def connections(record: bool) -> int:
        def script(connection: Connection, request: Request) -> None:
            connection.head(200)
            connection.piece(b"data: 1\n\n")
            if request.path == "/early":
                connection.gone()
            else:
                connection.end()

        with RawServer(script) as counted, httpx.Client() as client:
            block = aquila_cassette("pool", mode="all")
            if record:
                block.__enter__()
            with client.stream("GET", f"{counted.url}/early") as response:
                next(response.iter_raw())
            client.get(f"{counted.url}/whole")
            client.get(f"{counted.url}/again")
            if record:
                block.__exit__(None, None, None)
            return counted.connections

    assert connections(record=True) == connections(record=False)


def test_after_alias_httpx_the_one_library_is_recorded_once(server: RawServer) -> None:
    program = f"""
import httpx2
httpx2.alias_httpx()
from aquila_cassette import aquila_cassette
with aquila_cassette("alias") as cassette:
    import httpx
    assert httpx is httpx2
    httpx.get({server.url!r})
assert len(cassette.recorded) == 1, cassette.recorded
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_library_that_is_imported_inside_the_block_is_recorded(server: RawServer) -> None:
    program = f"""
import asyncio, sys
from aquila_cassette import aquila_cassette
with aquila_cassette("late") as cassette:
    assert not {{"aiohttp", "httpx", "httpx2"}} & set(sys.modules)
    import aiohttp, httpx, httpx2
    async def ask():
        async with aiohttp.ClientSession() as session, session.get({server.url!r}) as response:
            await response.read()
    httpx.get({server.url!r})
    httpx2.get({server.url!r})
    asyncio.run(ask())
assert len(cassette.recorded) == 3, cassette.recorded
"""
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_ambient_requests_of_async_libraries_are_answered_and_not_waited_for() -> None:
    token = "https://oauth2.googleapis.com/token"
    async with aquila_cassette("ambient", mode="none") as cassette:
        async with httpx.AsyncClient(verify=False) as client, aiohttp.ClientSession() as session:
            unread = await client.send(client.build_request("POST", token), stream=True)
            await cassette.settled(timeout=1)
            assert json.loads(await unread.aread())["access_token"] == "aquila-placeholder"
            async with session.post(token) as answer:
                assert (await answer.json())["access_token"] == "aquila-placeholder"
    assert (cassette.played, cassette.recorded, cassette.misses) == ((), (), ())


# Instrumentation that wraps methods before the first block: all stays as it was.

PROGRAM = """
import asyncio, http.client, sys
import aiohttp, httpx, httpx2, requests, wrapt

seen = set()

def note(wrapped, instance, args, kwargs):
    seen.add((wrapped.__name__, type(instance).__name__))
    return wrapped(*args, **kwargs)

for cls, name in [
    (http.client.HTTPConnection, "putrequest"),
    (http.client.HTTPConnection, "putheader"),
    (http.client.HTTPConnection, "connect"),
    (http.client.HTTPConnection, "getresponse"),
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
    (aiohttp.BaseConnector, "connect"),
]:
    wrapt.wrap_function_wrapper(cls, name, note)

from aquila_cassette import aquila_cassette

async def by_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()

async def by_httpx(url):
    async with httpx.AsyncClient(verify=False) as client:
        return (await client.get(url)).content

def all_of(url):
    return [
        requests.get(url).content,
        httpx.get(url, verify=False).content,
        asyncio.run(by_aiohttp(url)),
        asyncio.run(by_httpx(url)),
    ]

url, folder = sys.argv[1:]
live = None
for mode in ("once", "none"):
    with aquila_cassette("wrapped", cassette_dir=folder, mode=mode, repeats=True) as cassette:
        got = all_of(url)
    assert live in (None, got), (live, got)
    live = got
    if mode == "once":
        assert len(cassette.recorded) == 4
        assert len(seen) >= 6, seen
assert all_of(url) == live
"""


def test_methods_that_wrapt_wrapped_before_the_first_block_still_get_their_instance(
    tmp_path: Path,
) -> None:
    with RawServer(chat) as server:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url, str(tmp_path)], check=True, timeout=60
        )
