"""Sinks: all get the same events in the same order; a slow one slows, a raising one fails."""

import asyncio
import queue as queues
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
    collector,
    queue,
    tee,
)
from aquila_cassette.errors import StreamError, UsageError
from tests.client.talk import answering, each_backend, events_of, mocked
from tests.live.rows import seed_row
from tests.servers import CHAT_FRAMES, CHAT_TEXT

CHAT = b"".join(CHAT_FRAMES)


def asked(sink: Any, pieces: Any = CHAT) -> Any:
    return Client(answering(pieces), model="m").stream("Hi", ref="r", sink=sink)


def async_client() -> AsyncClient:
    return AsyncClient(httpx.AsyncClient(transport=mocked(CHAT)), model="m")


@seed_row(5)
@each_backend
def test_every_sink_gets_the_events_of_the_stream_in_their_order(backend: str) -> None:
    kept, called, awaited = collector(), list[StreamEvent](), list[StreamEvent]()
    threads = queues.Queue[StreamEvent]()
    own: Any = asyncio.Queue()  # or a channel of trio
    if backend == "trio":
        own, its_end = trio.open_memory_channel[StreamEvent](100)
    send, receive = anyio.create_memory_object_stream[StreamEvent](100)

    async def wait(event: StreamEvent) -> None:
        await anyio.sleep(0)
        awaited.append(event)

    sinks: list[Any] = [kept, called.append, queue(threads)]
    if backend != "sync":
        sinks += [wait, queue(send), queue(own)]
    made = {"model": "m", "transport": mocked(CHAT)}
    events = events_of(backend, "Hi", made=made, sink=tee(*sinks))
    assert kept.text == "Hello, wörld"
    assert kept.events == called == list(threads.queue) == events
    with send, receive:
        if backend != "sync":
            assert awaited == [receive.receive_nowait() for _ in events] == events
            in_own = its_end.statistics().current_buffer_used if backend == "trio" else own.qsize()
            assert in_own == len(events)


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
        # At most one event waits in the queue, and one to be put there.
        assert len(stream._driver.events) <= len(texts) + 1
    assert tuple(texts[:-1]) == CHAT_TEXT
    assert (await stream.result()).text == "Hello, wörld"


class FullError(Exception):
    """What the sinks of these tests raise."""


def raising_at(what: type[StreamEvent], got: list[StreamEvent]) -> Any:
    def sink(event: StreamEvent) -> None:
        got.append(event)
        if isinstance(event, what):
            raise FullError("no more")

    return sink


@each_backend
def test_a_sink_that_raises_fails_the_stream_and_gets_the_error_unless_at_the_end(
    backend: str,
) -> None:
    got, kept = list[StreamEvent](), collector()
    made = {"model": "m", "transport": mocked(CHAT)}
    sink = tee(raising_at(Chunk, got), kept)
    chunk, error = events_of(backend, "Hi", made=made, ref="r", sink=sink)
    assert chunk == Chunk("Hel", ref="r")
    assert isinstance(error, Error)
    assert (error.kind, error.reason) == ("sink", "The sink raised FullError('no more').")
    assert got == kept.events == [chunk, error]
    got.clear()
    made["transport"] = mocked(CHAT)
    *_, error = events_of(backend, "Hi", made=made, sink=raising_at(Done, got))
    assert error.kind == "sink"
    assert [type(event) for event in got] == [Chunk, Chunk, Chunk, Done]


def test_the_error_of_a_sink_is_the_cause_or_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StreamError) as raised:
        asked(raising_at(Chunk, [])).result()
    assert isinstance(raised.value.__cause__, FullError)
    (error,) = asked(raising_at(Error, []), b"")
    assert error.kind == "cut"
    assert "The sink raised at Error(" in caplog.text


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
