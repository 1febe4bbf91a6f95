"""One stream as its readers see it: refs, results, cancels, time-outs, and no leaked connection."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
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
)
from aquila_cassette.errors import ResultTimeout, StreamError, UsageError
from tests.client.talk import answering
from tests.live.rows import seed_row
from tests.servers import CHAT_FRAMES, CHAT_TEXT, Connection, RawServer, Request

CANCELLED = "The stream was cancelled."
each_loop = pytest.mark.parametrize("backend", ["asyncio", "trio"])


class Held:
    """A server that says a word, then nothing until it is let, and sees when a client goes."""

    def __init__(self, *, head: bool = True) -> None:
        self.asked = threading.Event()
        self.gone = threading.Event()
        self._head = head
        self.server = RawServer(self._script)

    def _script(self, connection: Connection, request: Request) -> None:
        if self._head:
            connection.head()
            connection.piece(CHAT_FRAMES[0])
        self.asked.set()
        connection.gone()
        self.gone.set()

    def made(self) -> dict[str, Any]:
        return {"base_url": f"{self.server.url}/v1", "model": "gpt-4o-mini"}


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    with held.server:
        yield held


@pytest.fixture
def silent() -> Iterator[Held]:
    held = Held(head=False)
    with held.server:
        yield held


def whole() -> httpx.Client:
    return answering(b"".join(CHAT_FRAMES))


def asked(http: httpx.Client | None = None, **options: Any) -> Stream:
    return Client(http or whole(), model="gpt-4o-mini").stream("Hi", **options)


@seed_row(3)
def test_a_thousand_refs_are_distinct() -> None:
    refs = [StreamRef() for _ in range(1000)]
    assert len(set(refs)) == 1000
    assert len({repr(ref) for ref in refs}) == 1000


@seed_row(4)
def test_the_callers_ref_is_on_the_stream_and_on_every_event() -> None:
    ref = StreamRef()
    stream = asked(ref=ref)
    assert stream.ref is ref
    assert all(event.ref is ref for event in stream)


@seed_row(4)
def test_a_ref_cannot_be_used_again_before_its_stream_is_over() -> None:
    http = answering(*[b"".join(CHAT_FRAMES)] * 2)
    client = Client(http, model="gpt-4o-mini")
    first = client.stream("Hi", ref="mine")
    with pytest.raises(UsageError) as raised:
        client.stream("Hi", ref="mine")
    assert str(raised.value) == (
        "The ref 'mine' names a stream that is not over yet.\n"
        "Fix: another ref, or wait for the stream: stream.result()"
    )
    first.result()
    assert client.stream("Hi", ref="mine").result().text == "Hello, wörld"


@seed_row(6)
def test_the_result_is_the_same_any_number_of_times() -> None:
    stream = asked()
    assert stream.result() == stream.result() == stream.result(timeout=1)
    assert list(stream) == list(stream)
    assert stream.done


def test_the_result_can_be_had_in_another_thread_while_this_one_iterates() -> None:
    stream = asked()
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(stream.result().text))
    thread.start()
    texts = [event.text for event in stream if isinstance(event, Chunk)]
    thread.join()
    assert (tuple(texts), found) == (CHAT_TEXT, ["Hello, wörld"])


def test_what_was_said_so_far_can_be_read_at_any_time() -> None:
    stream = asked()
    assert stream.text == ""
    events = iter(stream)
    next(events)
    assert (stream.text, stream.done) == ("Hel", False)


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


@pytest.mark.parametrize("where", ["held", "silent"])
def test_cancelling_from_another_thread_wakes_the_reader_and_closes_the_socket(
    where: str, request: pytest.FixtureRequest
) -> None:
    server: Held = request.getfixturevalue(where)

    def cancel() -> None:
        assert server.asked.wait(5)
        stream.cancel()

    with Client(**server.made()) as client:
        stream = client.stream("Hi")
        thread = threading.Thread(target=cancel)
        thread.start()
        *_, error = stream
        thread.join()
        assert isinstance(error, Error)
        assert (error.reason, error.kind) == (CANCELLED, "cancelled")
        assert server.gone.wait(5)


def test_leaving_the_block_closes_the_socket_and_a_second_cancel_does_nothing(held: Held) -> None:
    with Client(**held.made()) as client:
        with client.stream("Hi") as stream:
            assert next(iter(stream)) == Chunk("Hel", ref=stream.ref)
        assert held.gone.wait(5)
        stream.cancel()
        with pytest.raises(StreamError) as raised:
            stream.result()
        assert (str(raised.value), raised.value.text) == (CANCELLED, "Hel")


def test_a_reader_that_breaks_off_and_forgets_the_stream_leaks_no_connection(held: Held) -> None:
    with Client(**held.made()) as client:
        for _ in client.stream("Hi", ref="mine"):
            break
        gc.collect()
        assert held.gone.wait(5)
        client.stream("Hi", ref="mine").cancel()


def test_a_stream_may_be_cancelled_by_its_own_sink() -> None:
    stream = asked(sink=lambda event: stream.cancel())
    first, error = stream
    assert first == Chunk("Hel", ref=stream.ref)
    assert error.reason == CANCELLED


def test_a_stream_cancelled_before_it_began_asks_nobody() -> None:
    requests: list[httpx.Request] = []
    stream = asked(answering(asked=requests))
    stream.cancel()
    assert [event.reason for event in stream] == [CANCELLED]
    assert requests == []


@seed_row(20)
@pytest.mark.parametrize("where", ["held", "silent"])
def test_a_server_that_falls_silent_runs_into_the_idle_timeout(
    where: str, request: pytest.FixtureRequest
) -> None:
    server: Held = request.getfixturevalue(where)
    with Client(**server.made()) as client:
        *_, error = client.stream("Hi", idle_timeout=0.5)
        assert isinstance(error, Error)
        assert error.kind == "timeout"
        assert error.reason.startswith("ReadTimeout")
        assert server.gone.wait(5)


def test_the_whole_of_a_stream_may_be_limited(held: Held) -> None:
    with Client(**held.made()) as client:
        *_, error = client.stream("Hi", timeout=0.5)
        assert (error.kind, error.reason) == ("timeout", "The stream took more than 0.5 s.")
        assert held.gone.wait(5)


def test_a_server_that_is_not_there_is_an_error() -> None:
    with Client(base_url="http://127.0.0.1:9", model="m") as client:
        (error,) = client.stream("Hi")
    assert isinstance(error, Error)
    assert error.kind == "transport"
    assert error.status is None
    assert error.reason.startswith("ConnectError: ")
    assert isinstance(error.cause, httpx.ConnectError)


def test_an_interrupt_while_reading_closes_the_stream_and_goes_on_up() -> None:
    def pieces() -> Iterator[bytes]:
        yield CHAT_FRAMES[0]
        raise KeyboardInterrupt

    stream = asked(answering(pieces()))
    events = iter(stream)
    next(events)
    with pytest.raises(KeyboardInterrupt):
        next(events)
    assert list(stream)[-1].kind == "cancelled"


# The async client: in both event loops, and with a clock that nobody waits for.


@each_loop
def test_an_async_stream_starts_at_once_without_being_read(backend: str, held: Held) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            async with client.stream("Hi") as stream:
                assert await anyio.to_thread.run_sync(held.asked.wait, 5)
                assert not stream.done
            assert stream.done
            assert await anyio.to_thread.run_sync(held.gone.wait, 5)

    anyio.run(talk, backend=backend)


@seed_row(6)
@each_loop
def test_the_result_can_be_awaited_by_several_tasks_and_in_another_threads_loop(
    backend: str,
) -> None:
    async def talk() -> list[str]:
        found: list[str] = []
        client = AsyncClient(slow(), model="gpt-4o-mini")
        stream = client.stream("Hi")

        async def wait() -> None:
            found.append((await stream.result()).text)

        async with anyio.create_task_group() as group:
            for _ in range(2):
                group.start_soon(wait)
            group.start_soon(anyio.to_thread.run_sync, lambda: anyio.run(wait))
        return found

    assert anyio.run(talk, backend=backend) == ["Hello, wörld"] * 3


def slow(*, between: float = 0.0, pieces: tuple[bytes, ...] = CHAT_FRAMES) -> httpx.AsyncClient:
    """Make a client whose server lets time go by before each piece."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            await anyio.sleep(between)
            yield piece

    async def handle(request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content=body())

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


def on_a_virtual_clock(function: Any, *args: Any) -> Any:
    return trio.run(function, *args, clock=trio.testing.MockClock(autojump_threshold=0))


async def gathered(http: httpx.AsyncClient, **options: Any) -> tuple[list[Any], float]:
    start = anyio.current_time()
    stream = AsyncClient(http, model="gpt-4o-mini").stream("Hi", **options)
    events = [event async for event in stream]
    return events, anyio.current_time() - start


@seed_row(20)
def test_a_pause_of_119_s_is_fine_and_each_piece_starts_the_clock_anew() -> None:
    events, took = on_a_virtual_clock(gathered, slow(between=119))
    assert isinstance(events[-1], Done)
    assert took == pytest.approx(119 * len(CHAT_FRAMES), abs=1)


@seed_row(20)
def test_a_pause_of_121_s_is_too_long() -> None:
    events, took = on_a_virtual_clock(gathered, slow(between=121))
    (error,) = events
    assert (error.kind, error.reason) == ("timeout", "Nothing came for 120 s.")
    assert took == pytest.approx(120)


@seed_row(20)
def test_the_time_out_in_all_is_not_set_back_by_pieces() -> None:
    async def limited() -> Any:
        return await gathered(slow(between=100), timeout=250)

    events, took = on_a_virtual_clock(limited)
    assert [event.text for event in events[:-1]] == list(CHAT_TEXT[:2])
    assert events[-1].reason == "The stream took more than 250 s."
    assert took == pytest.approx(250)


@seed_row(20)
@each_loop
def test_a_time_out_closes_the_connection(backend: str, held: Held) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            with pytest.raises(StreamError, match=r"Nothing came for 0\.5 s\."):
                await client.stream("Hi", idle_timeout=0.5).result()
            assert await anyio.to_thread.run_sync(held.gone.wait, 5)

    anyio.run(talk, backend=backend)


@each_loop
@pytest.mark.parametrize("where", ["held", "silent"])
def test_cancelling_an_async_stream_closes_its_socket(
    backend: str, where: str, request: pytest.FixtureRequest
) -> None:
    server: Held = request.getfixturevalue(where)

    async def talk() -> None:
        async with AsyncClient(**server.made()) as client:
            stream = client.stream("Hi")
            await anyio.to_thread.run_sync(server.asked.wait, 5)
            stream.cancel()
            *_, error = [event async for event in stream]
            assert (error.reason, error.kind) == (CANCELLED, "cancelled")
            assert await anyio.to_thread.run_sync(server.gone.wait, 5)

    anyio.run(talk, backend=backend)


@each_loop
def test_an_async_stream_can_be_cancelled_from_a_thread(backend: str, held: Held) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            stream = client.stream("Hi")
            await anyio.to_thread.run_sync(held.asked.wait, 5)
            await anyio.to_thread.run_sync(stream.cancel)
            with pytest.raises(StreamError, match=CANCELLED):
                await stream.result()

    anyio.run(talk, backend=backend)


@each_loop
def test_cancelling_who_asks_cancels_what_is_asked(backend: str, held: Held) -> None:
    async def talk() -> None:
        async with AsyncClient(**held.made()) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.ask, "Hi")
                await anyio.to_thread.run_sync(held.asked.wait, 5)
                group.cancel_scope.cancel()
            assert await anyio.to_thread.run_sync(held.gone.wait, 5)

    anyio.run(talk, backend=backend)


async def test_cancelling_who_waits_for_a_result_leaves_the_stream_going(held: Held) -> None:
    async with AsyncClient(**held.made()) as client, client.stream("Hi") as stream:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.result(), 0.01)
        with pytest.raises(ResultTimeout):
            await stream.result(timeout=0.01)
        assert not stream.done


def test_an_event_loop_that_ends_closes_its_streams(held: Held) -> None:
    async def talk() -> AsyncStream:
        stream = AsyncClient(**held.made()).stream("Hi")
        await anyio.to_thread.run_sync(held.asked.wait, 5)
        return stream

    stream = asyncio.run(talk())
    assert stream.done
    assert held.gone.wait(5)


def test_an_async_stream_needs_an_event_loop() -> None:
    client = AsyncClient(model="gpt-4o-mini")
    with pytest.raises(UsageError) as raised:
        client.stream("Hi", ref="mine")
    assert str(raised.value) == (
        "AsyncClient.stream was called where no event loop runs.\n"
        "Fix: call it in an async function, or use Client"
    )
    with pytest.raises(UsageError, match="no event loop"):
        client.stream("Hi", ref="mine")


@seed_row(19)
async def test_five_streams_at_once_do_not_mix() -> None:
    client = AsyncClient(slow(), model="gpt-4o-mini")
    streams = [client.stream("Hi", ref=number) for number in range(5)]
    results = [await stream.result() for stream in streams]
    assert {result.text for result in results} == {"Hello, wörld"}
    for stream in streams:
        assert {event.ref async for event in stream} == {stream.ref}


async def test_a_connection_serves_the_next_stream_of_the_async_client() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head()
        connection.piece(b"".join(CHAT_FRAMES))
        connection.end()

    with RawServer(script) as server:
        async with AsyncClient(base_url=server.url, model="m") as client:
            for _ in range(3):
                assert (await client.ask("Hi")).text == "Hello, wörld"
        assert server.connections == 1


async def test_a_server_that_holds_the_line_after_its_last_event_is_not_waited_for() -> None:
    gone = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head()
        connection.piece(b"".join(CHAT_FRAMES))
        connection.gone()
        gone.set()

    with RawServer(script) as server:
        async with AsyncClient(base_url=server.url, model="m") as client:
            assert (await client.ask("Hi")).text == "Hello, wörld"
            assert await anyio.to_thread.run_sync(gone.wait, 5)
