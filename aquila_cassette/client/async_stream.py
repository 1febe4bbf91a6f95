"""A stream of the async client as its readers have it."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Hashable
from typing import TYPE_CHECKING, Self

import anyio

from aquila_cassette.client.async_drive import AsyncDrive
from aquila_cassette.client.handle import Face
from aquila_cassette.client.log import Log

if TYPE_CHECKING:
    from aquila_cassette.client.conversation import Conversation
    from aquila_cassette.client.events import Response, StreamEvent
    from aquila_cassette.client.sinks import Sink
    from aquila_cassette.client.wire import AsyncWire

__all__ = ["AsyncStream"]


class AsyncStream(Face):
    """One stream of the async client; get it from `AsyncClient.stream`.

    It has started when you get it. Several tasks may iterate; each gets all events from the first.

    Args:
        conversation: What is asked.
        sink: Where its events go.
        over: Is called once, when the stream is over.
        wire: Where to ask.
        idle_timeout: Seconds without a byte after which the stream fails; None for never.
        timeout: Seconds that the stream may take in all; None for any time.
        goes_on: Whether it goes on when nobody holds this any more: where somebody has its sink.

    Raises:
        UsageError: There is no running event loop.
    """

    def __init__(
        self,
        conversation: Conversation,
        sink: Sink,
        over: Callable[[Hashable], None],
        *,
        wire: AsyncWire,
        idle_timeout: float | None,
        timeout: float | None,
        goes_on: bool,
    ) -> None:
        log = Log()
        super().__init__(conversation, log)
        self._drive = AsyncDrive(
            conversation, sink, over, log, wire=wire, idle_timeout=idle_timeout, timeout=timeout
        )
        self._open = self._drive.start()
        if not goes_on:
            weakref.finalize(self, self._drive.let_go).atexit = False

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return _Reading(self, self._log, self._note_reader)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.cancel()
        with anyio.CancelScope(shield=True):
            await self._log.over()

    async def result(self, timeout: float | None = None) -> Response:
        """Wait until the stream is over and give the whole answer; any number of times.

        From any task, and from the event loop of any other thread.

        Args:
            timeout: Seconds to wait at most; the stream goes on after that.

        Raises:
            StreamError: The stream ended without a real completion.
            ResultTimeout: It was not over in time.
        """
        self._note_reader()
        with anyio.move_on_after(timeout):
            await self._log.over()
        return self._outcome(timeout)

    def cancel(self) -> None:
        """End the stream and close its connection; from any thread. Does nothing when it is over.

        The stream is over as soon as its task has had its turn: ``async with`` waits for that.
        """
        self._drive.cancel()


class _Reading(AsyncIterator["StreamEvent"]):
    # No generator: an event loop would keep one, and with it the stream, that was broken off.
    def __init__(self, stream: AsyncStream, log: Log, begin: Callable[[], None]) -> None:
        self._stream = stream  # which does not end as long as it is read
        self._log = log
        self._begin = begin
        self._at = 0

    async def __anext__(self) -> StreamEvent:
        if self._at == 0:
            self._begin()
        if not await self._log.grown_past(self._at):
            raise StopAsyncIteration
        event = self._log.events[self._at]
        self._at += 1
        return event
