"""The task that drives a stream of the async client."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from aquila_cassette.client.conversation import Call, Emit, Step, Stopped
from aquila_cassette.client.events import Error, StreamEvent
from aquila_cassette.client.handle import Handle
from aquila_cassette.client.stream_base import opened
from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.event_loops import run_in_background, waker
from aquila_cassette.waiting.open_streams import parent_stream

if TYPE_CHECKING:
    from aquila_cassette.client.tools import Invocation
    from aquila_cassette.client.wire import AsyncWire
    from aquila_cassette.waiting.open_streams import OpenStream

__all__ = ["AsyncDrive"]


class AsyncDrive(Handle):
    """Drives one stream; it does not know its readers, so that they may go.

    Args:
        wire: Where to ask.
        idle_timeout: Seconds without a byte after which the stream fails; None for never.
        timeout: Seconds that the stream may take in all; None for any time.
        handle: The arguments of `Handle`.
    """

    def __init__(
        self,
        *handle: Any,
        wire: AsyncWire,
        idle_timeout: float | None,
        timeout: float | None,
    ) -> None:
        super().__init__(*handle)
        self._wire = wire
        self._idle = idle_timeout
        self._timeout = timeout

    def start(self) -> OpenStream:
        """Begin, in a task of its own.

        Raises:
            UsageError: There is no running event loop.
        """
        try:
            self._scope = anyio.CancelScope()
            run_in_background(self._run)
            self._open = opened(self.ref, self._conversation)
        except RuntimeError:
            self._on_over(self.ref)
            raise UsageError(
                "AsyncClient.stream was called where no event loop runs.",
                fix="Call it in an async function, or use Client",
            ) from None
        self._wake_scope = waker(self._scope.cancel)
        return self._open

    def cancel(self) -> None:
        """End the stream, from any thread."""
        if not self.done:
            self._progress.stop(Stopped("cancelled", "The stream was cancelled."))
            self._wake_scope()

    def let_go(self) -> None:
        """End the stream, which nobody can read any more; from within the garbage collector."""
        # An event loop that is closed in another thread right now has ended it.
        with contextlib.suppress(RuntimeError):
            self.cancel()

    async def _run(self) -> None:
        self._note_reader()
        parent_stream.set(self._open)
        try:
            if self._timeout is not None:
                self._scope.deadline = anyio.current_time() + self._timeout
            with self._scope:
                await self._run_on()
            if self._progress.step is not None and not self.done:
                late = f"The stream took more than {self._timeout or 0:g} s."
                self._progress.failed(Stopped("timeout", late))
                await self._run_on()
        except BaseException as error:
            # The task itself was cancelled, as when its event loop ends: nobody is asked any more.
            self._add(Error(repr(error), kind="cancelled", text=self.text, ref=self.ref))
            await self._wire.close()
            raise

    async def _run_on(self) -> None:
        while (step := self._progress.step) is not None:
            try:
                value = await self._done(step)
            except Exception as error:
                self._progress.failed(error)
            else:
                self._progress.did(value)

    async def _done(self, step: Step) -> object:
        match step:
            case Emit(event):
                await self._emit(event)
            case Call(invocations):
                await _call(invocations)
            case _:
                with anyio.move_on_after(self._idle):
                    return await self._wire.do(step)
                raise Stopped("timeout", f"Nothing came for {self._idle:g} s.")
        return None

    async def _emit(self, event: StreamEvent) -> None:
        if self._told:
            self._add(event)
            return
        with self._handing(event):
            await self._sink.asend(event)


async def _call(invocations: list[Invocation]) -> None:
    async with anyio.create_task_group() as group:
        for one in invocations:
            group.start_soon(_call_one, one)


async def _call_one(invocation: Invocation) -> None:
    if invocation.run is None:
        return
    try:
        run = invocation.run
        # A function that is not async may block; one that is only makes its coroutine there, which
        # trio takes for a mistake where it is not in something.
        (value,) = await anyio.to_thread.run_sync(lambda: [run()], abandon_on_cancel=True)
        if inspect.isawaitable(value):
            value = await value
        invocation.returned(value)
    except Exception as error:
        invocation.raised(error)
