"""One notifier for the process: whatever starts or ends something notifies whoever waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio

from aquila_cassette.waiting.event_loops import waker

__all__ = ["Notifier", "notifier", "notify"]


class Notifier:
    """Counts changes and wakes those who wait for one, in any thread or event loop."""

    def __init__(self) -> None:
        self.count = 0
        self._wakers: set[Callable[[], None]] = set()
        self._changed = threading.Condition()

    def notify(self) -> None:
        """Count a change and wake whoever waits."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()
            if not self._wakers:
                return
            wakers, self._wakers = self._wakers, set()
        for wake in wakers:
            wake()

    async def wait(self, count: int) -> None:
        """Wait in this task until there were more than `count` changes.

        Read `count` first, then look at the state, then wait: no change is lost.
        """
        while self.count <= count:
            event = anyio.Event()
            wake = waker(event.set)
            with self._changed:
                if self.count > count:
                    return
                self._wakers.add(wake)
            try:
                await event.wait()
            finally:
                with self._changed:
                    self._wakers.discard(wake)

    def wait_sync(self, count: int, timeout: float | None) -> bool:
        """Block for at most `timeout` seconds; return whether there were more than `count`."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count > count, timeout)


notifier = Notifier()
notify = notifier.notify
