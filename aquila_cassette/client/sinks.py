"""Where a stream's events go: each sink is handed every event, in order, and may take its time.

The next event is not read off the wire before the sink has taken the one before, so a slow sink
slows the stream. A sink that raises fails the stream.
"""

from __future__ import annotations

import inspect
import queue as queues
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

import anyio.to_thread

from aquila_cassette.client.events import Chunk, StreamEvent
from aquila_cassette.errors import UsageError

__all__ = [
    "Collector",
    "Sink",
    "SinkLike",
    "as_sink",
    "callback",
    "collector",
    "null",
    "queue",
    "tee",
]


@runtime_checkable
class Sink(Protocol):
    """Takes the events of a stream; `send` for the sync client, `asend` for the async one."""

    def send(self, event: StreamEvent) -> None:
        """Take an event; the stream waits until this returns."""

    async def asend(self, event: StreamEvent) -> None:
        """Take an event; the stream waits until this returns."""


SinkLike: TypeAlias = Sink | Callable[[StreamEvent], Any]
"""A sink, or a function (sync or async) that is called with each event."""


def as_sink(given: SinkLike | None) -> Sink:
    """Give the sink that is meant.

    Raises:
        UsageError: It is neither a sink nor callable.
    """
    if given is None:
        return null()
    if isinstance(given, Sink):
        return given
    if callable(given):
        return callback(given)
    raise UsageError(
        f"{given!r} is no sink.",
        fix="Pass a function, or one of aquila_cassette.client.sinks: sink=queue(...)",
    )


class _Null:
    def send(self, event: StreamEvent) -> None:
        pass

    async def asend(self, event: StreamEvent) -> None:
        pass


def null() -> Sink:
    """Make a sink that takes every event and does nothing with it."""
    return _Null()


class _Callback:
    def __init__(self, function: Callable[[StreamEvent], Any]) -> None:
        self._function = function

    def send(self, event: StreamEvent) -> None:
        if inspect.isawaitable(waiting := self._function(event)):
            if inspect.iscoroutine(waiting):
                waiting.close()
            raise UsageError(
                "The sync client cannot await an async sink.",
                fix="Use AsyncClient, or a function that is not async",
            )

    async def asend(self, event: StreamEvent) -> None:
        if inspect.isawaitable(waiting := self._function(event)):
            await waiting


def callback(function: Callable[[StreamEvent], Any]) -> Sink:
    """Make a sink that calls `function`, sync or async, with each event.

    Example:
        >>> callback(print).send(Chunk("Hi", ref=1))
        Chunk(text='Hi', ref=1)
    """
    return _Callback(function)


class Collector:
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

    async def asend(self, event: StreamEvent) -> None:
        """Keep an event."""
        self.events.append(event)


def collector() -> Collector:
    """Make a sink that keeps all events."""
    return Collector()


class _Queue:
    def __init__(self, target: Any) -> None:
        self._target = target
        self._put = getattr(target, "put", None) or getattr(target, "send", None)
        if self._put is None:
            raise UsageError(
                f"{target!r} is no queue.",
                facts=["expected: put(item) or send(item)"],
                fix="Pass a queue.Queue, an asyncio.Queue or the sending end of a channel",
            )

    def send(self, event: StreamEvent) -> None:
        if inspect.isawaitable(waiting := self._put(event)):  # type: ignore[misc]
            if inspect.iscoroutine(waiting):
                waiting.close()
            raise UsageError(
                "The sync client cannot await an async queue.",
                fix="Use AsyncClient, or a queue.Queue",
            )

    async def asend(self, event: StreamEvent) -> None:
        if isinstance(self._target, queues.Queue | queues.SimpleQueue):
            try:
                self._target.put_nowait(event)
            except queues.Full:
                await anyio.to_thread.run_sync(self._target.put, event, abandon_on_cancel=True)
        elif inspect.isawaitable(waiting := self._put(event)):  # type: ignore[misc]
            await waiting


def queue(target: Any) -> Sink:
    """Make a sink that puts each event into a queue; while it is full, the stream waits.

    Args:
        target: A ``queue.Queue``, or for the async client an ``asyncio.Queue`` or the sending end
            of an anyio or trio channel.

    Raises:
        UsageError: It has neither ``put`` nor ``send``.
    """
    return _Queue(target)


class _Tee:
    def __init__(self, sinks: tuple[Sink, ...]) -> None:
        self._sinks = sinks

    def send(self, event: StreamEvent) -> None:
        failed: Exception | None = None
        for sink in self._sinks:
            try:
                sink.send(event)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    async def asend(self, event: StreamEvent) -> None:
        failed: Exception | None = None
        for sink in self._sinks:
            try:
                await sink.asend(event)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed


def tee(*sinks: SinkLike) -> Sink:
    """Make a sink that hands each event to several, one after the other.

    All of them get the same events in the same order; where one raises, the others still get the
    event that it raised at, and the error that ends the stream.

    Example:
        >>> one, two = collector(), collector()
        >>> tee(one, two).send(Chunk("Hi", ref=1))
        >>> one.events == two.events
        True
    """
    return _Tee(tuple(as_sink(sink) for sink in sinks))
