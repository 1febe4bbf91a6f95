"""Sinks: all get the same events in the same order; a slow one slows, a raising one fails."""

from __future__ import annotations

import asyncio
import queue as queues
import threading
from typing import Any

import anyio
import httpx
import pytest
import trio

from aquila_cassette.client import (
    AsyncClient,
    Chunk,
    Client,
    Done,
    Error,
    StreamEvent,
    callback,
    collector,
    null,
    queue,
    tee,
)
from aquila_cassette.errors import StreamError, UsageError
from tests.client.talk import answering
from tests.live.rows import seed_row
from tests.servers import CHAT_FRAMES, CHAT_TEXT

CHAT = b"".join(CHAT_FRAMES)


def asked(sink: Any, pieces: Any = CHAT) -> Any:
    return Client(answering(pieces), model="m").stream("Hi", ref="r", sink=sink)


def async_client() -> AsyncClient:
    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=CHAT)

    return AsyncClient(httpx.AsyncClient(transport=httpx.MockTransport(handle)), model="m")


@seed_row(5)
def test_every_sink_gets_the_events_of_the_stream_in_their_order() -> None:
    kept, called, target = collector(), list[StreamEvent](), queues.Queue[StreamEvent]()
    events = list(asked(tee(kept, callback(called.append), queue(target), null())))
    assert kept.events == called == list(target.queue) == events
    assert kept.text == "Hello, wörld"


@seed_row(5)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_sink_of_the_async_client_gets_them_too(backend: str) -> None:
    async def talk() -> None:
        kept, called, awaited = collector(), list[StreamEvent](), list[StreamEvent]()
        target = queues.Queue[StreamEvent]()
        send, receive = anyio.create_memory_object_stream[StreamEvent](100)

        async def wait(event: StreamEvent) -> None:
            await anyio.sleep(0)
            awaited.append(event)

        sink = tee(kept, called.append, wait, queue(target), queue(send))
        stream = async_client().stream("Hi", sink=sink)
        events = [event async for event in stream]
        send.close()
        with receive:
            channelled = [event async for event in receive]
        assert kept.events == called == awaited == list(target.queue) == channelled == events

    anyio.run(talk, backend=backend)


async def test_an_asyncio_queue_is_a_queue() -> None:
    target: asyncio.Queue[StreamEvent] = asyncio.Queue()
    await async_client().ask("Hi", sink=queue(target))
    assert target.qsize() == len(CHAT_TEXT) + 1


def test_a_trio_channel_is_a_queue() -> None:
    async def talk() -> int:
        send, receive = trio.open_memory_channel[StreamEvent](100)
        await async_client().ask("Hi", sink=queue(send))
        return receive.statistics().current_buffer_used

    assert trio.run(talk) == len(CHAT_TEXT) + 1


def test_no_piece_is_read_before_the_sink_has_taken_what_came_before() -> None:
    seen: list[str] = []

    def pieces() -> Any:
        for number, frame in enumerate(CHAT_FRAMES):
            seen.append(f"read {number}")
            yield frame

    asked(lambda event: seen.append(type(event).__name__), pieces()).result()
    assert seen == [
        *("read 0", "Chunk", "read 1", "Chunk", "read 2", "Chunk"),
        *("read 3", "read 4", "Done"),
    ]


@pytest.mark.parametrize("make", [asyncio.Queue, queues.Queue])
async def test_a_full_queue_holds_the_stream_back(make: Any) -> None:
    target = make(1)
    stream = async_client().stream("Hi", sink=queue(target))
    texts = []
    while not texts or texts[-1] is not None:
        if make is asyncio.Queue:
            event = await target.get()
        else:
            event = await asyncio.to_thread(target.get, timeout=5)
        texts.append(event.text if isinstance(event, Chunk) else None)
        # At most one waits in the queue, and one in the sink's hand.
        assert len(stream._log.events) <= len(texts) + 1
    assert tuple(texts[:-1]) == CHAT_TEXT
    assert (await stream.result()).text == "Hello, wörld"


class FullError(Exception):
    """What the sinks of these tests raise."""


def raising_at(what: type[StreamEvent]) -> Any:
    def sink(event: StreamEvent) -> None:
        told.append(event)
        if isinstance(event, what):
            raise FullError("no more")

    told: list[StreamEvent] = []
    sink.told = told  # type: ignore[attr-defined]
    return sink


def test_a_sink_that_raises_fails_the_stream() -> None:
    sink, kept = raising_at(Chunk), collector()
    stream = asked(tee(sink, kept))
    chunk, error = stream
    assert chunk == Chunk("Hel", ref="r")
    assert isinstance(error, Error)
    assert (error.kind, error.reason) == ("sink", "The sink raised FullError('no more').")
    assert sink.told == kept.events == [chunk, error]
    with pytest.raises(StreamError) as raised:
        stream.result()
    assert isinstance(raised.value.__cause__, FullError)


def test_a_sink_that_raises_at_the_end_fails_the_stream_and_is_told_once() -> None:
    sink = raising_at(Done)
    *_, error = asked(sink)
    assert isinstance(error, Error)
    assert [type(event) for event in sink.told] == [Chunk, Chunk, Chunk, Done]


def test_a_sink_that_raises_at_an_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    (error,) = asked(raising_at(Error), b"")
    assert error.kind == "cut"
    assert "The sink raised at Error(" in caplog.text


async def test_a_sink_that_raises_fails_an_async_stream() -> None:
    sink = raising_at(Chunk)
    stream = async_client().stream("Hi", sink=sink)
    _, error = [event async for event in stream]
    assert error.kind == "sink"
    assert sink.told[-1] == error


async def test_a_stream_whose_sink_never_returns_can_be_cancelled() -> None:
    async def never(event: StreamEvent) -> None:
        await anyio.sleep_forever()

    stream = async_client().stream("Hi", sink=never)
    with pytest.raises(TimeoutError):
        await stream.result(timeout=0.01)
    stream.cancel()
    with pytest.raises(StreamError, match="cancelled"):
        await stream.result()


def test_an_async_sink_cannot_serve_the_sync_client() -> None:
    async def sink(event: StreamEvent) -> None:
        pass

    for given in (sink, queue(asyncio.Queue())):
        *_, error = asked(given)
        assert error.kind == "sink"
        assert isinstance(error.cause, UsageError)
        assert "cannot await an async" in error.reason


@pytest.mark.parametrize("given", [7, "file"])
def test_what_is_no_sink_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="is not a sink"):
        asked(given)
    with pytest.raises(UsageError, match="is not a queue"):
        queue(given)


def test_a_queue_between_threads_holds_the_sync_stream_back() -> None:
    target: queues.Queue[StreamEvent] = queues.Queue(1)
    stream = asked(queue(target))
    thread = threading.Thread(target=stream.result)
    thread.start()
    events = [target.get(timeout=5) for _ in range(len(CHAT_TEXT) + 1)]
    thread.join()
    assert events == list(stream)
