"""The events of one stream so far, and whoever waits for more of them, in any task or thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio

from aquila_cassette.client.events import Done, Error, StreamEvent
from aquila_cassette.waiting.event_loops import waker

__all__ = ["Log"]


class Log:
    """Keeps the events of a stream; what is added after a `Done` or `Error` is dropped."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []

    @property
    def last(self) -> Done | Error | None:
        """The event that ended the stream; None as long as it goes on."""
        event = self.events[-1] if self.events else None
        return event if isinstance(event, Done | Error) else None

    def add(self, event: StreamEvent) -> bool:
        """Keep an event, and wake all who wait; tell whether it was kept."""
        with self._changed:
            if self.last is not None:
                return False
            self.events.append(event)
            self._changed.notify_all()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()
        return True

    def wait_until_over(self, timeout: float | None) -> bool:
        """Block until the stream is over; tell whether it is, after `timeout` seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: self.last is not None, timeout)

    async def grown_past(self, count: int) -> bool:
        """Wait for an event after the first `count`; tell whether there is one."""
        while len(self.events) <= count and self.last is None:
            await self._one_more(count)
        return len(self.events) > count

    async def over(self) -> None:
        """Wait until the stream is over."""
        while self.last is None:
            await self._one_more(len(self.events))

    async def _one_more(self, count: int) -> None:
        event = anyio.Event()
        wake = waker(event.set)
        with self._changed:
            if len(self.events) > count or self.last is not None:
                return
            self._wakers.append(wake)
        await event.wait()
