"""Wake waiting tasks and threads when something starts or ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import anyio

from aquila_cassette.waiting.event_loops import waker

T = TypeVar("T")


class Notifier:
    """Counts changes and wakes the tasks and threads that wait for one.

    To lose none, read `count`, look at the state, then wait for more than `count` changes.
    """

    def __init__(self) -> None:
        self.count = 0
        self._wakers: set[Callable[[], object]] = set()
        self._lock = threading.RLock()

    def notify(self) -> None:
        with self._lock:
            self.count += 1
            if not self._wakers:
                return
            wakers, self._wakers = self._wakers, set()
        for wake in wakers:
            wake()

    async def wait(self, count: int) -> None:
        """Wait in this task until there were more than `count` changes."""
        while self.count <= count:
            event = anyio.Event()
            with self._waking(waker(event.set)):
                if self.count <= count:
                    await event.wait()

    async def until(self, condition: Callable[[], T | None]) -> T:
        """Wait in this task until `condition()` returns something that is true; return that."""
        while True:
            count = self.count
            if value := condition():
                return value
            await self.wait(count)

    def wait_sync(self, count: int, timeout: float | None = None) -> None:
        """Block this thread until there were more than `count` changes, or for `timeout` seconds."""
        # A bare lock: a thread that waits for an event notifies that it does.
        blocked = threading.Lock()
        blocked.acquire()
        with self._waking(blocked.release):
            if self.count <= count:
                blocked.acquire(timeout=-1 if timeout is None else timeout)

    @contextlib.contextmanager
    def _waking(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake` at the next change."""
        with self._lock:
            self._wakers.add(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.discard(wake)


notifier = Notifier()
notify = notifier.notify
