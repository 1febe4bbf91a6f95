"""Which cassette answers: across tasks, threads, nested blocks, and clients made before."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest

from aquila_cassette import aquila_cassette
from tests.clients import Face, every_face
from tests.servers import Connection, RawServer, Request, answers


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answers(b"ok")) as server:
        yield server


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
import sys
from aquila_cassette import aquila_cassette
with aquila_cassette("late") as cassette:
    assert "httpx" not in sys.modules and "httpx2" not in sys.modules
    import httpx, httpx2
    httpx.get({server.url!r})
    httpx2.get({server.url!r})
assert len(cassette.recorded) == 2, cassette.recorded
"""
    subprocess.run([sys.executable, "-c", program], check=True)
