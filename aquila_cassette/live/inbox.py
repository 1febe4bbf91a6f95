"""The messages of one view, handled one at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from aquila_cassette.waiting.event_loops import current_loop, run_in_background, waker
from aquila_cassette.waiting.notifier import notifier, notify
from aquila_cassette.waiting.open_streams import parent_stream
from aquila_cassette.waiting.pending import Pending


@dataclass(eq=False)
class Message:
    """Something to be handled, in the context of its sender, who may wait for that."""

    title: str
    handler: Callable[[], Any]
    is_awaited: bool = False
    is_done: bool = False
    error: BaseException | None = None
    context: Context = field(default_factory=copy_context)

    async def wait(self) -> None:
        """Wait until it was handled, and raise what its handler raised."""
        try:
            await notifier.until(lambda: self.is_done)
        finally:
            self.is_awaited = False
        if self.error is not None:
            raise self.error

    def finish(self, error: BaseException | None) -> None:
        self.is_done, self.error = True, error
        notify()


@dataclass(eq=False)
class Inbox:
    """Has messages handled one after the other, each in a task and a context of its own.

    So a handler sees the cassette, and all else that is in a context, of the message's sender,
    whatever was handled before. Nothing runs while there is no message. `drop` gets the messages
    that were not handled when it closed. `lock` guards it, and the jobs that send to it.
    """

    lock: threading.RLock
    handle: Callable[[Message], Coroutine[Any, Any, None]]
    drop: Callable[[Message], None]
    _waiting: deque[Message] = field(default_factory=deque, init=False)
    _now: Message | None = field(default=None, init=False)
    _is_busy: bool = field(default=False, init=False)
    _is_closed: bool = field(default=False, init=False)
    _scope: anyio.CancelScope | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._wake = waker(self._next)
        # A loop may end without closing its views: nothing in them is pending then. A token of
        # trio's cannot tell, but there the cancelled handlers have closed the inbox.
        self.is_gone: Callable[[], bool] = getattr(current_loop(), "is_closed", bool)

    def is_closed(self) -> bool:
        return self._is_closed or self.is_gone()

    def put(self, message: Message) -> None:
        """Take a message, from any thread; a closed inbox drops it."""
        with self.lock:
            is_closed, was_busy = self.is_closed(), self._is_busy
            if not is_closed:
                self._waiting.append(message)
                self._is_busy = True
        if is_closed:
            self.drop(message)
        elif not was_busy:
            self._wake()

    def pending(self) -> list[Pending]:
        with self.lock:
            messages = [*([self._now] if self._now else []), *self._waiting]
            return [Pending(message.title) for message in messages]

    def close(self) -> None:
        with self.lock:
            self._is_closed = True
            dropped = list(self._waiting)
            self._waiting.clear()
        for message in dropped:
            self.drop(message)
        if self._scope is not None:
            self._scope.cancel()

    def _next(self) -> None:
        with self.lock:
            self._now = self._waiting.popleft() if self._waiting else None
            self._is_busy = self._now is not None
        if self._now is None:
            notify()
        else:
            self._now.context.run(run_in_background, partial(self._run, self._now))

    async def _run(self, message: Message) -> None:
        # A message may come out of a stream; its handler's requests are not that stream's.
        parent_stream.set(None)
        try:
            with anyio.CancelScope() as self._scope:
                await self.handle(message)
        except BaseException:
            # The event loop ends: other messages would be waited for in it for ever.
            self.close()
            raise
        finally:
            self._scope = None
            if not message.is_done:
                self.drop(message)
            self._next()
