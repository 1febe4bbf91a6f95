"""One bell for the process: whoever starts or ends something rings it, whoever waits hears it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio

from aquila_cassette.waiting.loops import waker

__all__ = ["Changes", "changed", "changes"]


class Changes:
    """Counts the changes, and wakes those who wait for one; from any thread, never polling."""

    def __init__(self) -> None:
        self._count = 0
        self._wakers: set[Callable[[], None]] = set()
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """How many there were; look at the state after reading this, then wait for the next."""
        return self._count

    def ring(self) -> None:
        """Say that something changed."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()
            wakers, self._wakers = self._wakers, set()
        for wake in wakers:
            wake()

    async def after(self, count: int) -> None:
        """Wait in this task until there were more than `count` changes."""
        while self._count <= count:
            event = anyio.Event()
            wake = waker(event.set)
            with self._changed:
                if self._count > count:
                    return
                self._wakers.add(wake)
            try:
                await event.wait()
            finally:
                with self._changed:
                    self._wakers.discard(wake)

    def wait_after(self, count: int, timeout: float | None) -> bool:
        """Block until there were more than `count` changes; tell whether there were.

        Args:
            count: What `count` was when the state was looked at.
            timeout: The longest wait, in seconds.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._count > count, timeout)


changes = Changes()
changed = changes.ring
