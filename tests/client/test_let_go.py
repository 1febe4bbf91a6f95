"""Async streams of which nobody holds the handle any more: what goes on, and what ends."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from aquila_cassette.client import AsyncClient, AsyncStream, Chunk, collector
from aquila_cassette.client.stream_base import OPEN_STREAMS
from tests.client.test_streams import Held, each_loop, slow
from tests.servers import CHAT_FRAMES, Connection, RawServer, Request


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    with held.server:
        yield held


async def is_set(event: threading.Event) -> bool:
    return await anyio.to_thread.run_sync(event.wait, 5)


@each_loop
def test_a_reader_that_breaks_off_and_lets_go_of_the_stream_closes_its_socket(
    backend: str, held: Held
) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            async for event in client.stream("Hi", ref="mine"):
                assert isinstance(event, Chunk)
                break
            gc.collect()
            assert await is_set(held.gone)
            client.stream("Hi", ref="mine").cancel()

    anyio.run(talk, backend=backend)


@each_loop
@pytest.mark.parametrize("reads", ["iterates", "waits"])
def test_a_reader_that_is_cancelled_lets_go_of_its_stream(
    backend: str, reads: str, held: Held
) -> None:
    async def read(client: AsyncClient) -> None:
        if reads == "waits":
            await client.stream("Hi").result()
        async for _ in client.stream("Hi"):
            pass

    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(read, client)
                assert await is_set(held.asked)
                group.cancel_scope.cancel()
            gc.collect()
            assert await is_set(held.gone)

    anyio.run(talk, backend=backend)


@each_loop
def test_a_stream_that_was_never_read_ends_when_its_handle_goes(backend: str, held: Held) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            stream = client.stream("Hi")
            assert await is_set(held.asked)
            assert not held.gone.is_set()
            del stream
            gc.collect()
            assert await is_set(held.gone)

    anyio.run(talk, backend=backend)


def test_a_handle_may_go_in_another_thread(held: Held) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            handles = [client.stream("Hi")]
            assert await is_set(held.asked)
            await anyio.to_thread.run_sync(handles.clear)
            assert await is_set(held.gone)

    asyncio.run(talk())


@each_loop
def test_a_stream_with_a_sink_goes_on_without_its_handle(backend: str) -> None:
    async def talk() -> Any:
        over = anyio.Event()
        kept = collector()

        async def sink(event: Any) -> None:
            kept.send(event)
            if not isinstance(event, Chunk):
                over.set()

        AsyncClient(slow(between=0.001), model="gpt-4o-mini").stream("Hi", sink=sink)
        gc.collect()
        with anyio.fail_after(5):
            await over.wait()
        return kept

    assert anyio.run(talk, backend=backend).text == "Hello, wörld"


@each_loop
def test_who_waits_for_the_result_or_the_next_event_holds_the_stream(backend: str) -> None:
    async def talk() -> list[str]:
        def stream() -> AsyncStream:
            return AsyncClient(slow(between=0.001), model="gpt-4o-mini").stream("Hi")

        found: list[str] = []

        async def collect() -> None:
            found.append("".join([one.text async for one in stream() if isinstance(one, Chunk)]))

        async def wait() -> None:
            found.append((await stream().result()).text)

        async def step_by_step() -> None:
            events = aiter(stream())
            gc.collect()
            found.append((await anext(events)).text)  # type: ignore[union-attr]

        async with anyio.create_task_group() as group:
            for function in (collect, wait, step_by_step):
                group.start_soon(function)
            await anyio.sleep(0)
            gc.collect()
        return sorted(found)

    assert anyio.run(talk, backend=backend) == ["Hel", "Hello, wörld", "Hello, wörld"]


@each_loop
def test_a_result_in_another_threads_loop_holds_the_stream(backend: str) -> None:
    async def talk() -> str:
        streams = [AsyncClient(slow(between=0.001), model="gpt-4o-mini").stream("Hi")]
        found: list[str] = []

        async def wait() -> None:
            found.append((await streams.pop().result()).text)

        await anyio.to_thread.run_sync(anyio.run, wait)
        return found[0]

    assert anyio.run(talk, backend=backend) == "Hello, wörld"


async def test_a_handle_that_goes_when_the_stream_is_over_changes_nothing() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head()
        connection.piece(b"".join(CHAT_FRAMES))
        connection.end()

    with RawServer(script) as server:
        async with AsyncClient(base_url=server.url, model="m") as client:
            for _ in range(2):
                assert (await client.stream("Hi").result()).text == "Hello, wörld"
                gc.collect()
        assert server.connections == 1


async def test_nobody_waits_for_a_stream_that_was_let_go(held: Held) -> None:
    async with AsyncClient(**held.made()) as client:
        handles = [client.stream("Hi", ref="let go")]
        assert await is_set(held.asked)
        assert [one.label for one in OPEN_STREAMS.open()] == ["stream 'let go' of gpt-4o-mini"]
        handles.clear()
        gc.collect()
        assert await is_set(held.gone)
        assert not [one for one in OPEN_STREAMS.open() if "gpt-4o-mini" in one.label]


def test_a_handle_that_outlives_its_event_loop_goes_in_silence(
    held: Held, recwarn: pytest.WarningsRecorder
) -> None:
    async def talk() -> AsyncStream:
        stream = AsyncClient(**held.made()).stream("Hi")
        assert await is_set(held.asked)
        return stream

    streams = [asyncio.run(talk()), anyio.run(talk, backend="trio")]
    streams.clear()
    gc.collect()
    assert [str(one.message) for one in recwarn] == []


AT_EXIT = """
import asyncio, sys
from aquila_cassette.client import AsyncClient

async def talk():
    global stream
    stream = AsyncClient(base_url=sys.argv[1], model="gpt-4o-mini").stream("Hi")
    async for _ in stream:
        break

if sys.argv[2] == "closed":
    asyncio.run(talk())
else:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(talk())
"""


@pytest.mark.parametrize("loop", ["closed", "forgotten"])
def test_a_handle_that_is_left_to_the_interpreters_end_goes_in_silence(
    loop: str, held: Held
) -> None:
    command = [sys.executable, "-c", AT_EXIT, f"{held.server.url}/v1", loop]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "Exception ignored" not in ended.stderr
    assert ended.stdout == ""
    if loop == "closed":
        assert ended.stderr == ""
