"""Which cassette answers: across tasks, threads, nested blocks, and clients made before."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aquila_cassette import aquila_cassette
from tests.clients import Face, every_face
from tests.servers import RawServer, answers, chat, says_body


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answers(b"ok")) as server:
        yield server


@every_face
async def test_five_concurrent_streams_replay_right_in_another_order(face: Face) -> None:
    prompts = [*range(5)]

    async def ask(prompt: int) -> bytes:
        return b"".join(await face.pieces(server.url, json=prompt))

    with RawServer(says_body) as server:
        with aquila_cassette("five"):
            await asyncio.gather(*map(ask, prompts))
    with aquila_cassette("five", mode="none"):
        got = await asyncio.gather(*map(ask, reversed(prompts)))
    assert got == [b"4", b"3", b"2", b"1", b"0"]


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


def test_mock_asgi_and_wsgi_transports_are_left_alone() -> None:
    mock = httpx.MockTransport(lambda request: httpx.Response(204))
    with aquila_cassette("left", mode="none"), httpx.Client(transport=mock) as client:
        assert client.get("http://nowhere.example").status_code == 204


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


# Instrumentation that wraps methods before the first block: all stays as it was.

PROGRAM = """
import asyncio, http.client, sys
import aiohttp, httpx, requests, wrapt

seen = set()

def note(wrapped, instance, args, kwargs):
    seen.add((wrapped.__name__, type(instance).__name__))
    return wrapped(*args, **kwargs)

for cls, name in [
    (http.client.HTTPConnection, "putrequest"),
    (http.client.HTTPConnection, "connect"),
    (httpx.HTTPTransport, "handle_request"),
    (aiohttp.BaseConnector, "connect"),
]:
    wrapt.wrap_function_wrapper(cls, name, note)

from aquila_cassette import aquila_cassette

async def by_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()

def all_of(url):
    answers = [requests.get(url).content, httpx.get(url, verify=False).content]
    return [*answers, asyncio.run(by_aiohttp(url))]

url, folder = sys.argv[1:]
got = []
for mode in ("once", "none"):
    with aquila_cassette("wrapped", cassette_dir=folder, mode=mode, repeats=True) as cassette:
        got.append(all_of(url))
    assert mode == "none" or (len(cassette.recorded), len(seen)) == (3, 3), seen
assert got == [all_of(url)] * 2
"""


def test_methods_that_wrapt_wrapped_before_the_first_block_still_get_their_instance(
    tmp_path: Path,
) -> None:
    with RawServer(chat) as server:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url, str(tmp_path)], check=True, timeout=60
        )
