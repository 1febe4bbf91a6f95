"""Which streams are still open, who drives them, and waiting until none is."""

from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import anyio

from aquila_cassette.errors import SettleTimeout

__all__ = ["OpenStream", "OpenStreams", "current_driver"]

Driver = Any
"""The task or thread that a request runs in."""


class OpenStream:
    """One response from its request's start until it is over.

    Args:
        label: What it is, for people: method and URL.
        driver: The task or thread that made the request.
    """

    __slots__ = ("_driver", "label")

    def __init__(self, label: str, driver: Driver) -> None:
        self.label = label
        self._driver = weakref.ref(driver)

    def driven_by_another(self, here: Driver) -> bool:
        """Tell whether somebody else than `here`, alive, may still read it."""
        driver = self._driver()
        if driver is None or driver is here:
            return False
        if isinstance(driver, asyncio.Future):
            return not driver.done()
        if isinstance(driver, threading.Thread):
            return driver.is_alive()
        return True


class OpenStreams:
    """The open streams of one cassette, and whoever waits for them to be over."""

    def __init__(self) -> None:
        self._streams: set[OpenStream] = set()
        self._wakers: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def opened(self, label: str) -> OpenStream:
        """Note a request that starts now, driven from here."""
        stream = OpenStream(label, current_driver())
        with self._lock:
            self._streams.add(stream)
        return stream

    def over(self, stream: OpenStream | None) -> None:
        """Note that `stream` is over, and wake who waits; a second call does nothing."""
        with self._lock:
            if stream is None or stream not in self._streams:
                return
            self._streams.discard(stream)
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def driven_elsewhere(self) -> list[OpenStream]:
        """List the streams that other tasks or threads may still read."""
        here = current_driver()
        with self._lock:
            return [stream for stream in self._streams if stream.driven_by_another(here)]

    async def settled(self, timeout: float) -> None:
        """Wait until no other task or thread has a stream open; woken by events, never polling.

        Args:
            timeout: The longest wait, in seconds.

        Raises:
            SettleTimeout: Streams were still open then; the error lists them.
        """
        with anyio.move_on_after(timeout):
            while self.driven_elsewhere():
                await self._one_over()
        pending = self.driven_elsewhere()
        if pending:
            raise SettleTimeout(
                f"{len(pending)} stream{'' if len(pending) == 1 else 's'} still open "
                f"after {timeout:g} s.",
                facts=[f"open: {stream.label}" for stream in pending],
                remedy="Mend: read or close them, or wait longer: cassette.settled(timeout=...)",
            )

    async def _one_over(self) -> None:
        event = anyio.Event()
        wake = _waker(event.set)
        with self._lock:
            self._wakers.append(wake)
        watched = [
            driver
            for stream in self.driven_elsewhere()
            if isinstance(driver := stream._driver(), asyncio.Task)
        ]
        for task in watched:
            task.add_done_callback(_ignoring_its_task(wake))
        try:
            if self.driven_elsewhere():
                await event.wait()
        finally:
            with self._lock:
                self._wakers.remove(wake)


def _ignoring_its_task(wake: Callable[[], None]) -> Callable[[object], None]:
    return lambda _task: wake()


def _waker(set_event: Callable[[], object]) -> Callable[[], None]:
    """Make a function that runs `set_event` in this event loop, callable from any thread."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        token = sys.modules["trio"].lowlevel.current_trio_token()
        return lambda: token.run_sync_soon(set_event)

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(set_event)

    return wake


def current_driver() -> Driver:
    """Tell which task, of asyncio or trio, or else which thread runs this code."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is not None:
        return task
    trio = sys.modules.get("trio")
    if trio is not None:
        try:
            return trio.lowlevel.current_task()
        except RuntimeError:
            pass
    return threading.current_thread()
