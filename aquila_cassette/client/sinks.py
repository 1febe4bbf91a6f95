"""Send each event of a stream to one or more receivers, in order.

The next piece is not read before the sink has taken all events of the one before: a slow sink
slows the stream. A sink that raises fails the stream.
"""

from __future__ import annotations

import contextlib
import inspect
import queue as queues
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio.to_thread

from aquila_cassette.client.events import Chunk, StreamEvent
from aquila_cassette.errors import UsageError

Sink: TypeAlias = Callable[[StreamEvent], Any]
"""A function (sync or async) that is called with each event."""


async def send(event: StreamEvent, sink: Sink, *, is_async: bool) -> None:
    """Hand an event to a sink of the sync or the async client, and wait until it has taken it."""
    if isinstance(sink, _Tee):
        async with contextlib.AsyncExitStack() as stack:
            for one in reversed(sink.sinks):
                stack.push_async_callback(send, event, one, is_async=is_async)
        return
    if is_async and isinstance(sink, _ThreadQueue):
        try:
            sink.target.put_nowait(event)
        except queues.Full:
            await anyio.to_thread.run_sync(sink, event, abandon_on_cancel=True)
        return
    returned = sink(event)
    if inspect.isawaitable(returned):
        if not is_async:
            getattr(returned, "close", bool)()
            raise UsageError(
                "The sync client cannot await an async sink.",
                fix="Fix: use AsyncClient, or a sync function or queue",
            )
        await returned


@dataclass
class Collector:
    """A sink that keeps all events.

    Example:
        >>> kept = collector()
        >>> kept(Chunk("Hel", ref=1)); kept(Chunk("lo", ref=1))
        >>> kept.text, len(kept.events)
        ('Hello', 2)
    """

    events: list[StreamEvent] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The chunks so far, joined."""
        return "".join(event.text for event in self.events if isinstance(event, Chunk))

    def __call__(self, event: StreamEvent) -> None:
        """Keep an event."""
        self.events.append(event)


collector = Collector


@dataclass
class _ThreadQueue:
    target: queues.Queue[Any] | queues.SimpleQueue[Any]

    def __call__(self, event: StreamEvent) -> None:
        self.target.put(event)


def queue(target: Any) -> Sink:
    """Make a sink that puts each event into a queue; while it is full, the stream waits.

    Args:
        target: A ``queue.Queue``, or for the async client an ``asyncio.Queue`` or the sending end
            of an anyio or trio channel.
    """
    if isinstance(target, queues.Queue | queues.SimpleQueue):
        return _ThreadQueue(target)
    put: Sink = target.put if hasattr(target, "put") else target.send
    return put


@dataclass
class _Tee:
    sinks: tuple[Sink, ...]

    def __call__(self, event: StreamEvent) -> Any:
        return send(event, self, is_async=True)


def tee(*sinks: Sink) -> Sink:
    """Make a sink that hands each event to several, one after the other.

    All get the same events in the same order; where one raises, the others still get the event at
    which it raised, and the error that ends the stream.
    """
    return _Tee(sinks)
