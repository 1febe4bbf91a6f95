"""A stream of the sync client: whoever wants its next event drives it."""

from __future__ import annotations

import contextvars
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

import anyio

from aquila_cassette.client.conversation import Call, Emit, Step, Stopped
from aquila_cassette.client.events import Error, Response, StreamEvent
from aquila_cassette.client.handle import Handle
from aquila_cassette.client.stream_base import OPEN_STREAMS, opened
from aquila_cassette.waiting.open_streams import parent_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.client.tools import Invocation
    from aquila_cassette.client.wire import Wire

__all__ = ["Stream"]


class Stream(Handle):
    """One stream of the sync client; get it from `Client.stream`.

    Nothing is asked before somebody wants the first event: by iterating, or by `result`. Several
    threads may iterate; each gets all events from the first.

    Args:
        wire: Where to ask.
        timeout: Seconds that the stream may take in all; None for any time.
        handle: The arguments of `Handle`.
    """

    def __init__(self, *handle: Any, wire: Wire, timeout: float | None) -> None:
        super().__init__(*handle)
        self._wire = wire
        self._turn = threading.Lock()
        self._timeout = timeout
        self._timer: threading.Timer | None = None

    def __iter__(self) -> Iterator[StreamEvent]:
        at = 0
        while at < len(self._log.events) or self._advance(at):
            yield self._log.events[at]
            at += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()

    def __del__(self) -> None:
        # A reader that broke off and let go of the stream must keep neither connection nor ref.
        wire = getattr(self, "_wire", None)
        if wire is not None:
            wire.close()
            self._on_over(self.ref)
            OPEN_STREAMS.close(self._open)

    def result(self, timeout: float | None = None) -> Response:
        """Wait until the stream is over and give the whole answer; any number of times.

        Args:
            timeout: Seconds to wait at most; the stream goes on after that, in the background.

        Raises:
            StreamError: The stream ended without a real completion.
            ResultTimeout: It was not over in time.
        """
        if timeout is None:
            self.wait()
        elif not self.done:
            context = contextvars.copy_context()
            threading.Thread(target=context.run, args=(self.wait,), daemon=True).start()
            self._log.wait_until_over(timeout)
        return self._outcome(timeout)

    def wait(self) -> None:
        """Drive the stream to its end, whatever that is."""
        while self._advance(len(self._log.events)):
            pass

    def cancel(self) -> None:
        """End the stream and close its connection; from any thread. Does nothing when it is over.

        Where another thread waits for the server, that is woken; on a connection that was used
        before and has not begun to answer, it is woken by the idle time-out.
        """
        self._stop(Stopped("cancelled", "The stream was cancelled."))

    def _stop(self, stopped: Stopped) -> None:
        self._progress.stop(stopped)
        while not self.done:
            if not self._turn.acquire(blocking=False):
                # Its driver, maybe this very thread within a sink, ends it after its step.
                self._wire.abort()
                return
            try:
                self._end()
            finally:
                self._turn.release()

    def _end(self) -> None:
        if self._progress.stopping and not self._progress.terminal:
            self._progress.did()
        self._run_on(len(self._log.events))

    def _advance(self, at: int) -> bool:
        """Drive until there is an event after the first `at`; tell whether there is one."""
        with self._turn:
            if self._open is None and not self.done:
                self._open = opened(self.ref, self._conversation)
            self._note_reader()
            self._start_timer()
            before = parent_stream.set(self._open)
            try:
                self._run_on(at)
            finally:
                parent_stream.reset(before)
        # Who stopped it while it was driven here could not end it.
        while self._progress.stopping and not self.done:
            with self._turn:
                self._end()
        return len(self._log.events) > at

    def _start_timer(self) -> None:
        if self._timeout is None or self._timer is not None or self.done:
            return
        stopped = Stopped("timeout", f"The stream took more than {self._timeout:g} s.")
        self._timer = threading.Timer(self._timeout, self._stop, (stopped,))
        self._timer.daemon = True
        self._timer.start()

    def _run_on(self, at: int) -> None:
        try:
            while not self.done and len(self._log.events) <= at and self._progress.step:
                self._do(self._progress.step)
        except BaseException as error:
            self._wire.close()
            self._add(Error(repr(error), kind="cancelled", text=self.text, ref=self.ref))
            raise
        if self.done and self._timer is not None:
            self._timer.cancel()

    def _do(self, step: Step) -> None:
        try:
            value = self._done(step)
        except Exception as error:
            self._progress.failed(error)
        else:
            self._progress.did(value)

    def _done(self, step: Step) -> object:
        match step:
            case Emit(event):
                self._emit(event)
            case Call(invocations):
                _call(invocations)
            case _:
                return self._wire.do(step)
        return None

    def _emit(self, event: StreamEvent) -> None:
        if self._told:
            self._add(event)
            return
        with self._handing(event):
            self._sink.send(event)


def _call(invocations: list[Invocation]) -> None:
    if len(invocations) == 1:
        _call_one(invocations[0])
        return
    with ThreadPoolExecutor(len(invocations), "tool") as pool:
        for one in invocations:
            pool.submit(contextvars.copy_context().run, _call_one, one)


def _call_one(invocation: Invocation) -> None:
    if invocation.run is None:
        return
    try:
        value = invocation.run()
        if inspect.isawaitable(value):
            value = anyio.run(_awaited, value)
        invocation.returned(value)
    except Exception as error:
        invocation.raised(error)


async def _awaited(value: Any) -> Any:
    return await value
