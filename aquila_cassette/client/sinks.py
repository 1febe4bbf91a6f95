"""Send each event of a stream to one or more receivers, in order.

The next piece is not read before the sink has taken all events of the one before: a slow sink
slows the stream. A sink that raises fails the stream.
"""

from __future__ import annotations

import contextlib
import inspect
import queue as queues
from collections.abc import Callable
from typing import Any, TypeAlias

import anyio.to_thread

from aquila_cassette.client.events import Chunk, StreamEvent
from aquila_cassette.errors import UsageError


class Sink:
    """Takes the events of a stream, which waits until it has; `asend` is for the async client."""

    def send(self, event: StreamEvent) -> None:
        raise NotImplementedError

    async def asend(self, event: StreamEvent) -> None:
        self.send(event)


SinkLike: TypeAlias = Sink | Callable[[StreamEvent], Any]
"""A sink, or a function (sync or async) that is called with each event."""


def as_sink(given: SinkLike | None) -> Sink:
    if given is None:
        return null()
    return given if isinstance(given, Sink) else callback(given)


class _Callback(Sink):
    def __init__(self, function: Callable[[StreamEvent], Any]) -> None:
        self._function = function

    def send(self, event: StreamEvent) -> None:
        returned = self._function(event)
        if inspect.isawaitable(returned):
            getattr(returned, "close", bool)()
            raise UsageError(
                "The sync client cannot await an async sink.",
                fix="Fix: use AsyncClient, or a sync function or queue",
            )

    async def asend(self, event: StreamEvent) -> None:
        returned = self._function(event)
        if inspect.isawaitable(returned):
            await returned


def callback(function: Callable[[StreamEvent], Any]) -> Sink:
    """Make a sink that calls `function`, sync or async, with each event.

    Example:
        >>> callback(print).send(Chunk("Hi", ref=1))
        Chunk(text='Hi', ref=1)
    """
    return _Callback(function)


def null() -> Sink:
    """Make a sink that drops every event."""
    return _Callback(lambda _event: None)


class Collector(Sink):
    """A sink that keeps all events.

    Example:
        >>> kept = collector()
        >>> kept.send(Chunk("Hel", ref=1)); kept.send(Chunk("lo", ref=1))
        >>> kept.text, len(kept.events)
        ('Hello', 2)
    """

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []

    @property
    def text(self) -> str:
        """The chunks so far, joined."""
        return "".join(event.text for event in self.events if isinstance(event, Chunk))

    def send(self, event: StreamEvent) -> None:
        """Keep an event."""
        self.events.append(event)


collector = Collector


class _ThreadQueue(_Callback):
    def __init__(self, target: queues.Queue[Any] | queues.SimpleQueue[Any]) -> None:
        super().__init__(target.put)
        self._target = target

    async def asend(self, event: StreamEvent) -> None:
        try:
            self._target.put_nowait(event)
        except queues.Full:
            await anyio.to_thread.run_sync(self._target.put, event, abandon_on_cancel=True)


def queue(target: Any) -> Sink:
    """Make a sink that puts each event into a queue; while it is full, the stream waits.

    Args:
        target: A ``queue.Queue``, or for the async client an ``asyncio.Queue`` or the sending end
            of an anyio or trio channel.
    """
    if isinstance(target, queues.Queue | queues.SimpleQueue):
        return _ThreadQueue(target)
    return _Callback(target.put if hasattr(target, "put") else target.send)


class _Tee(Sink):
    def __init__(self, sinks: tuple[Sink, ...]) -> None:
        self._sinks = sinks

    def send(self, event: StreamEvent) -> None:
        with contextlib.ExitStack() as stack:
            for sink in reversed(self._sinks):
                stack.callback(sink.send, event)

    async def asend(self, event: StreamEvent) -> None:
        async with contextlib.AsyncExitStack() as stack:
            for sink in reversed(self._sinks):
                stack.push_async_callback(sink.asend, event)


def tee(*sinks: SinkLike) -> Sink:
    """Make a sink that hands each event to several, one after the other.

    All get the same events in the same order; where one raises, the others still get the event at
    which it raised, and the error that ends the stream.

    Example:
        >>> one, two = collector(), collector()
        >>> tee(one, two).send(Chunk("Hi", ref=1))
        >>> one.events == two.events
        True
    """
    return _Tee(tuple(as_sink(sink) for sink in sinks))
