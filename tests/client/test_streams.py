"""One stream as its readers see it: refs, results, cancels, time-outs, and no leaked connection."""

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
import trio
import trio.testing

from aquila_cassette.client import (
    AsyncClient,
    AsyncStream,
    Chunk,
    Client,
    Done,
    Error,
    Stream,
    StreamRef,
    collector,
)
from aquila_cassette.client.stream_base import OPEN_STREAMS
from aquila_cassette.errors import ResultTimeout, StreamError, UsageError
from aquila_cassette.waiting.notifier import notifier
from tests.client.talk import answering, each_loop
from tests.live.rows import seed_row
from tests.servers import CHAT_FRAMES, CHAT_TEXT, Connection, RawServer, Request, sends

CANCELLED = "The stream was cancelled."
CHAT = b"".join(CHAT_FRAMES)


class Held:
    """A server that sends a chunk, or nothing, then waits until its client goes."""

    def __init__(self, *, is_silent: bool = False) -> None:
        self.asked = threading.Event()
        self.gone = threading.Event()
        self._is_silent = is_silent
        self.server = RawServer(self._script)

    def _script(self, connection: Connection, request: Request) -> None:
        if not self._is_silent:
            connection.head()
            connection.piece(CHAT_FRAMES[0])
        self.asked.set()
        connection.gone()
        self.gone.set()

    def made(self) -> dict[str, Any]:
        return {"base_url": f"{self.server.url}/v1", "model": "gpt-4o-mini"}


@pytest.fixture
def held(request: pytest.FixtureRequest) -> Iterator[Held]:
    held = Held(is_silent=getattr(request, "param", False))
    with held.server:
        yield held


each_held = pytest.mark.parametrize("held", [False, True], ids=["held", "silent"], indirect=True)


def asked(http: httpx.Client | None = None, **options: Any) -> Stream:
    return Client(http or answering(CHAT), model="gpt-4o-mini").stream("Hi", **options)


def slow(*, between: float = 0.001) -> AsyncClient:
    """Make a client whose server lets time go by before each piece."""

    async def body() -> AsyncIterator[bytes]:
        for piece in CHAT_FRAMES:
            await anyio.sleep(between)
            yield piece

    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body())

    http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    return AsyncClient(http, model="gpt-4o-mini")


async def is_set(event: threading.Event) -> bool:
    return await anyio.to_thread.run_sync(event.wait, 5)


@seed_row(3)
@seed_row(4)
def test_a_ref_is_on_the_stream_and_its_events_and_is_free_again_when_the_stream_is_over() -> None:
    refs = [StreamRef() for _ in range(1000)]
    assert len(set(refs)) == len({repr(ref) for ref in refs}) == 1000
    client = Client(answering(CHAT, CHAT), model="gpt-4o-mini")
    stream = client.stream("Hi", ref=refs[0])
    with pytest.raises(UsageError, match=r"The ref <StreamRef \d+> names a stream that is not ov"):
        client.stream("Hi", ref=refs[0])
    assert {stream.ref, *(event.ref for event in stream)} == {refs[0]}
    assert client.stream("Hi", ref=refs[0]).result().text == "Hello, wörld"


@seed_row(6)
def test_the_result_is_the_same_any_number_of_times_and_in_any_thread() -> None:
    stream = asked()
    assert stream.text == ""
    next(iter(stream))
    assert (stream.text, stream.done) == ("Hel", False)
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(stream.result().text))
    thread.start()
    texts = [event.text for event in stream if isinstance(event, Chunk)]
    thread.join()
    assert (tuple(texts), found) == (CHAT_TEXT, ["Hello, wörld"])
    assert stream.result() == stream.result(timeout=1)
    assert list(stream) == list(stream)
    failed = asked(answering(b""))
    for _ in range(2):
        with pytest.raises(StreamError):
            failed.result()


def test_a_result_that_is_not_there_in_time_leaves_the_stream_going(held: Held) -> None:
    with Client(**held.made()) as client, client.stream("Hi") as stream:
        next(iter(stream))
        with pytest.raises(ResultTimeout) as raised:
            stream.result(timeout=0.01)
        assert str(raised.value) == (
            "The stream was not over after 0.01 s; it goes on.\n"
            "  so far: 'Hel'\n"
            "Fix: wait longer, or end it: stream.cancel()"
        )
        assert not stream.done
        assert not held.gone.is_set()
    assert held.gone.wait(5)
    with pytest.raises(StreamError) as ended:
        stream.result()
    assert (str(ended.value), ended.value.text) == (CANCELLED, "Hel")


def test_a_sync_stream_that_is_dropped_half_read_leaks_no_connection(held: Held) -> None:
    with Client(**held.made()) as client:
        for _ in client.stream("Hi", ref="mine"):
            break
        gc.collect()
        assert held.gone.wait(5)
        client.stream("Hi", ref="mine").cancel()


def test_a_stream_may_be_cancelled_by_its_sink_or_before_it_began() -> None:
    stream = asked(sink=lambda event: stream.cancel())
    assert [type(event) for event in stream] == [Chunk, Error]
    requests: list[httpx.Request] = []
    stream = asked(answering(asked=requests))
    stream.cancel()
    assert [event.reason for event in stream if isinstance(event, Error)] == [CANCELLED]
    assert requests == []


@seed_row(20)
@each_held
@pytest.mark.parametrize(
    ("options", "kind", "reason"),
    [
        ({}, "cancelled", CANCELLED),
        ({"idle_timeout": 0.2}, "timeout", "ReadTimeout"),
        ({"timeout": 0.2}, "timeout", "The stream took more than 0.2 s."),
    ],
)
def test_a_stream_that_is_cancelled_in_another_thread_or_takes_too_long_ends_with_its_socket(
    options: dict[str, Any], kind: str, reason: str, held: Held
) -> None:
    def cancel() -> None:
        if not options and held.asked.wait(5):
            stream.cancel()

    with Client(**held.made()) as client:
        stream = client.stream("Hi", **options)
        thread = threading.Thread(target=cancel)
        thread.start()
        *_, error = stream
        thread.join()
        assert isinstance(error, Error)
        assert (error.kind, error.reason.startswith(reason)) == (kind, True)
        assert held.gone.wait(5)
        stream.cancel()


def test_an_interrupt_while_reading_closes_the_stream_and_propagates() -> None:
    def pieces() -> Iterator[bytes]:
        yield CHAT_FRAMES[0]
        raise KeyboardInterrupt

    stream = asked(answering(pieces()))
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert [type(event) for event in stream] == [Chunk, Error]


# The async client: in both event loops, and with a clock that nobody waits for.


@each_loop
@each_held
def test_an_async_stream_starts_at_once_and_closes_its_socket_when_cancelled_or_too_late(
    backend: str, held: Held
) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            async with client.stream("Hi") as stream:
                assert await is_set(held.asked)
                assert not stream.done
            assert stream.done
            *_, error = [event async for event in stream]
            assert isinstance(error, Error)
            assert (error.reason, error.kind) == (CANCELLED, "cancelled")
            assert await is_set(held.gone)
            held.asked.clear()
            stream = client.stream("Hi")
            assert await is_set(held.asked)
            await anyio.to_thread.run_sync(stream.cancel)
            with pytest.raises(StreamError, match=CANCELLED):
                await stream.result()
            held.gone.clear()
            with pytest.raises(StreamError, match=r"Nothing came for 0\.1 s\."):
                await client.stream("Hi", idle_timeout=0.1).result()
            assert await is_set(held.gone)

    anyio.run(talk, backend=backend)


@seed_row(6)
@seed_row(19)
@each_loop
def test_several_streams_and_several_readers_in_several_loops_do_not_mix(backend: str) -> None:
    async def talk() -> list[str]:
        found: list[str] = []
        client = slow()
        streams = [client.stream("Hi", ref=number) for number in range(5)]

        async def wait(stream: AsyncStream) -> None:
            assert {event.ref async for event in stream} == {stream.ref}
            found.append((await stream.result()).text)

        async with anyio.create_task_group() as group:
            for stream in streams:
                group.start_soon(wait, stream)
            group.start_soon(anyio.to_thread.run_sync, lambda: anyio.run(wait, streams[0]))
        return found

    assert anyio.run(talk, backend=backend) == ["Hello, wörld"] * 6


@seed_row(20)
@pytest.mark.parametrize(
    ("between", "timeout", "took", "end"),
    [
        (119, None, 119 * len(CHAT_FRAMES), None),
        (121, None, 120, "Nothing came for 120 s."),
        (100, 250, 250, "The stream took more than 250 s."),
    ],
)
def test_each_piece_restarts_the_idle_timeout_and_not_that_of_the_whole_stream(
    between: float, timeout: float | None, took: float, end: str | None
) -> None:
    async def talk() -> None:
        start = anyio.current_time()
        *_, last = [event async for event in slow(between=between).stream("Hi", timeout=timeout)]
        assert anyio.current_time() - start == pytest.approx(took, abs=1)
        assert (last.reason if isinstance(last, Error) else None) == end

    trio.run(talk, clock=trio.testing.MockClock(autojump_threshold=0))


def test_an_event_loop_that_ends_closes_its_streams(held: Held) -> None:
    async def talk() -> AsyncStream:
        stream = AsyncClient(**held.made()).stream("Hi")
        assert await is_set(held.asked)
        return stream

    stream = asyncio.run(talk())
    assert stream.done
    assert held.gone.wait(5)


@pytest.mark.parametrize("end", [Connection.end, Connection.gone])
async def test_a_connection_serves_the_next_stream_if_its_answer_ends_at_once(
    end: Callable[[Connection], None],
) -> None:
    with RawServer(sends(CHAT_FRAMES, end)) as server:
        async with AsyncClient(base_url=server.url, model="m") as client:
            for _ in range(2):
                assert (await client.ask("Hi")).text == "Hello, wörld"
                gc.collect()
        assert server.connections == (1 if end is Connection.end else 2)


# Async streams that nobody holds any more: what goes on, and what ends.


async def left_early(client: AsyncClient, held: Held) -> None:
    async for event in client.stream("Hi", ref="mine"):
        assert isinstance(event, Chunk)
        break


async def cancelled_reader(client: AsyncClient, held: Held) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(client.ask, "Hi")
        assert await is_set(held.asked)
        group.cancel_scope.cancel()


async def never_read(client: AsyncClient, held: Held) -> None:
    stream = client.stream("Hi", ref="mine")
    assert await is_set(held.asked)
    assert "stream 'mine' of gpt-4o-mini" in [one.label for one in OPEN_STREAMS.open()]
    assert not held.gone.is_set()
    del stream


@each_loop
@pytest.mark.parametrize("drop", [left_early, cancelled_reader, never_read])
def test_a_stream_that_nobody_holds_ends_and_closes_its_socket(
    backend: str, drop: Callable[..., Awaitable[None]], held: Held
) -> None:
    def is_over() -> bool:
        return not [one for one in OPEN_STREAMS.open() if "'mine' of gpt-4o" in one.label]

    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            await drop(client, held)
            gc.collect()
            assert await is_set(held.gone)
            # Its socket is closed before it is over.
            with anyio.fail_after(5):
                await notifier.until(is_over)
            async with client.stream("Hi", ref="mine"):
                pass

    anyio.run(talk, backend=backend)


@each_loop
def test_a_stream_that_ends_between_two_pieces_leaves_no_generator_to_the_garbage_collector(
    backend: str, held: Held
) -> None:
    async def stop_at_first(client: AsyncClient) -> None:
        stream = client.stream("Hi", sink=lambda event: stream.cancel())
        assert [type(event) async for event in stream] == [Chunk, Error]
        gc.collect()

    async def talk() -> None:
        await stop_at_first(slow())
        async with AsyncClient(**held.made()) as client:
            await stop_at_first(client)

    anyio.run(talk, backend=backend)


@each_loop
def test_a_sink_or_a_waiter_holds_a_stream(backend: str) -> None:
    async def talk() -> tuple[str, str]:
        kept, over = collector(), anyio.Event()

        async def sink(event: Any) -> None:
            kept(event)
            if isinstance(event, Done):
                over.set()

        slow().stream("Hi", sink=sink)
        result = slow().stream("Hi").result()
        gc.collect()
        text = (await result).text
        with anyio.fail_after(5):
            await over.wait()
        return text, kept.text

    assert anyio.run(talk, backend=backend) == ("Hello, wörld", "Hello, wörld")


AT_EXIT = """
import asyncio, gc, sys
from aquila_cassette.client import AsyncClient

async def talk():
    stream = AsyncClient(base_url=sys.argv[1], model="gpt-4o-mini").stream("Hi")
    async for _ in stream:
        return stream

stream = asyncio.run(talk())
del stream
gc.collect()
stream = asyncio.run(talk())
"""


def test_a_stream_that_outlives_its_event_loop_ends_in_silence(held: Held) -> None:
    command = [sys.executable, "-c", AT_EXIT, f"{held.server.url}/v1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert (ended.stdout, ended.stderr) == ("", "")
