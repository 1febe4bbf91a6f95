"""`Stream` and `AsyncStream`: what `Client` and `AsyncClient` return.

The sync stream is driven by whoever wants its next event, the async one by a task of its own.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Self

import anyio

from aquila_cassette.client.events import Answer, StreamEvent
from aquila_cassette.client.stream_base import StreamBase, StreamDriver
from aquila_cassette.waiting.event_loops import run_in_background, waker
from aquila_cassette.waiting.open_streams import parent_stream

_CANCELLED = ("cancelled", "The stream was cancelled.")


class Stream(StreamBase):
    """One stream of the sync client; get it from `Client.stream`.

    Nothing is asked before somebody wants the first event: by iterating, or by `result`. Several
    threads may iterate; each gets all events from the first.
    """

    def __init__(self, driver: StreamDriver) -> None:
        super().__init__(driver)
        self._running = driver.run()
        self._driving = threading.Lock()
        self._timer: threading.Timer | None = None

    def __iter__(self) -> Iterator[StreamEvent]:
        at = 0
        while at < len(self._driver.events) or self._drive_past(at):
            yield self._driver.events[at]
            at += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()

    def __del__(self) -> None:
        # A stream that is dropped half read must keep neither its connection nor its ref.
        if not self.done:
            self._running.close()
            self._driver.on_over(self.ref)

    def result(self, timeout: float | None = None) -> Answer:
        """Wait until the stream is over and return the whole answer; any number of times.

        Args:
            timeout: Seconds to wait at most; the stream goes on after that, in the background.

        Raises:
            StreamError: The stream ended without a real completion.
            ResultTimeout: It was not over in time.
        """
        if timeout is None:
            self._wait()
        elif not self.done:
            context = contextvars.copy_context()
            thread = threading.Thread(target=context.run, args=(self._wait,), daemon=True)
            thread.start()
            thread.join(timeout)
        return self._result(timeout)

    def _wait(self) -> None:
        while self._drive_past(len(self._driver.events)):
            pass

    def cancel(self) -> None:
        """End the stream and close its connection; from any thread. Does nothing when it is over.

        A thread that waits for the server is woken; on a connection that was used before and has
        not begun to answer, the idle time-out wakes it.
        """
        self._stop(*_CANCELLED)

    def _stop(self, kind: str, reason: str) -> None:
        self._driver.stop(kind, reason)
        while not self.done:
            if not self._driving.acquire(blocking=False):
                # Its driver, maybe this very thread within a sink, ends it when it is woken.
                self._driver.transport.abort()
                return
            try:
                self._drive_on()
            finally:
                self._driving.release()

    def _drive_past(self, at: int) -> bool:
        """Drive until there is an event after the first `at`; return False if there is none."""
        driver = self._driver
        with self._driving:
            if driver.open is None and not self.done:
                driver.start()
                if driver.timeout is not None:
                    late = ("timeout", driver.too_late)
                    self._timer = threading.Timer(driver.timeout, self._stop, late)
                    self._timer.daemon = True
                    self._timer.start()
            driver.note_reader()
            token = parent_stream.set(driver.open)
            try:
                while not self.done and len(self._driver.events) <= at:
                    self._drive_on()
            finally:
                parent_stream.reset(token)
        # A thread that stopped it meanwhile could not end it.
        while driver.stopped is not None and not self.done:
            with self._driving:
                self._drive_on()
        return len(self._driver.events) > at

    def _drive_on(self) -> None:
        """Drive until the next event."""
        with contextlib.suppress(StopIteration):
            self._running.send(None)
        if self.done and self._timer is not None:
            self._timer.cancel()


class AsyncStream(StreamBase):
    """One stream of the async client; get it from `AsyncClient.stream`.

    It has started when you get it. Several tasks may iterate; each gets all events from the first.
    """

    def __init__(self, driver: StreamDriver, *, goes_on: bool) -> None:
        super().__init__(driver)
        try:
            driver.scope = anyio.CancelScope()
            # The task does not know this stream, which may be dropped.
            run_in_background(functools.partial(_drive, driver))
            driver.start()
        except RuntimeError:  # no event loop runs here
            driver.on_over(self.ref)
            raise
        self._cancel = functools.partial(_cancel, driver, waker(driver.scope.cancel))
        if not goes_on:
            weakref.finalize(self, self._cancel).atexit = False

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return _Iterator(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.cancel()
        with anyio.CancelScope(shield=True):
            await self._driver.over()

    async def result(self, timeout: float | None = None) -> Answer:
        """Wait for the whole answer; as `Stream.result`, in the event loop of any thread."""
        self._driver.note_reader()
        with anyio.move_on_after(timeout):
            await self._driver.over()
        return self._result(timeout)

    def cancel(self) -> None:
        """End the stream and close its connection; from any thread. Does nothing when it is over.

        The stream is over as soon as its task has run again: ``async with`` waits for that.
        """
        self._cancel()


class _Iterator(AsyncIterator[StreamEvent]):
    # Not a generator: an event loop would keep one that was left early, and with it the stream.
    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream
        self._at = 0

    async def __anext__(self) -> StreamEvent:
        driver, at = self._stream._driver, self._at
        if at == 0:
            driver.note_reader()
        if not await driver.wait_for_more(at):
            raise StopAsyncIteration
        self._at += 1
        return driver.events[at]


async def _drive(driver: StreamDriver) -> None:
    driver.note_reader()
    parent_stream.set(driver.open)
    if driver.timeout is not None and driver.scope is not None:
        driver.scope.deadline = anyio.current_time() + driver.timeout
    await driver.run()


def _cancel(driver: StreamDriver, cancel_scope: Callable[[], object]) -> None:
    if driver.last is None:
        driver.stop(*_CANCELLED)
        # An event loop that another thread closes right now has ended the stream.
        with contextlib.suppress(RuntimeError):
            cancel_scope()
