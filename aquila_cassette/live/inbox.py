"""The messages of one view: from any thread, handled one at a time, in order, in its event loop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio

from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.event_loops import current_loop, run_in_background, waker
from aquila_cassette.waiting.notifier import notify
from aquila_cassette.waiting.open_streams import parent_stream
from aquila_cassette.waiting.pending import Pending

__all__ = ["Inbox", "Message", "outside"]


@dataclass(eq=False)
class Message:
    """One thing to be handled.

    Args:
        what: What handles it, for people: ``handle_info of ChatLive``.
        handle: Handles it; it raises only what shall end the task.
        dropped: Is called where the inbox closes before it was handled to the end.
        context: Whose context it is handled in; by default its sender's.
    """

    what: str
    handle: Callable[[], Coroutine[Any, Any, None]]
    dropped: Callable[[], None]
    context: Context = field(default_factory=copy_context)


# The message that is being handled here, or nearby: in what this context was copied to.
_here: ContextVar[Message | None] = ContextVar("aquila_cassette_message", default=None)


class Inbox:
    """Has its messages handled one after the other; each in a task and a context of its own.

    So a handler sees the cassette, and all else that is of a context, of whoever sent the message,
    whatever was handled before it. Nothing runs while there is no message.

    Args:
        title: Whose it is, for people: ``ChatLive``.
        lock: Guards it, together with the jobs that send to it.

    Raises:
        RuntimeError: No event loop runs here.
    """

    def __init__(self, title: str, lock: threading.RLock) -> None:
        self._title = title
        self._lock = lock
        self._waiting: deque[Message] = deque()
        self._now: Message | None = None
        self._busy = False
        self._closed = False
        self._scope: anyio.CancelScope | None = None
        self._wake = waker(self._next)
        # Of a loop that ended without closing its views nothing is to be waited for; a token of
        # trio's cannot tell, but there the tasks that were cancelled have closed the inbox.
        self._is_gone: Callable[[], bool] = getattr(current_loop(), "is_closed", bool)

    @property
    def closed(self) -> bool:
        """Whether it takes no more messages."""
        return self._closed or self.gone

    @property
    def gone(self) -> bool:
        """Whether its event loop has ended."""
        return self._is_gone()

    def put(self, message: Message) -> bool:
        """Take a message, from any thread; tell whether it was taken."""
        with self._lock:
            if self.closed:
                return False
            self._waiting.append(message)
            idle, self._busy = not self._busy, True
        if idle:
            self._wake()
        return True

    def pending(self) -> list[Pending]:
        """Tell what is being handled, and what waits to be."""
        with self._lock:
            pending = [Pending(self._now.what)] if self._now is not None else []
            if count := len(self._waiting):
                messages = f"{count} message{'' if count == 1 else 's'}"
                pending.append(Pending(f"{messages} in the inbox of {self._title}"))
            return pending

    def refuse_inside(self, waiting: str) -> None:
        """Refuse to wait for this inbox in one of its own handlers.

        Raises:
            UsageError: The handler that this is called in would wait for itself.
        """
        message = _here.get()
        if message is not None and message is self._now:
            raise UsageError(
                f"{waiting} was called inside {message.what}, and would wait for it.",
                fix="Call the method itself, or send a message: self.send(...)",
            )

    def close(self) -> None:
        """Take no more messages, drop those that wait, and cancel the handler under way."""
        with self._lock:
            self._closed = True
            dropped = list(self._waiting)
            self._waiting.clear()
        for message in dropped:
            message.dropped()
        if self._scope is not None:
            self._scope.cancel()

    def _next(self) -> None:
        with self._lock:
            self._now = self._waiting.popleft() if self._waiting else None
            self._busy = self._now is not None
        if self._now is None:
            notify()
        else:
            self._now.context.run(run_in_background, partial(self._handle, self._now))

    async def _handle(self, message: Message) -> None:
        _here.set(message)
        # A message may come out of a stream; what its handler asks for is not asked by the stream.
        parent_stream.set(None)
        handled = False
        try:
            with anyio.CancelScope() as self._scope:
                await message.handle()
                handled = True
        except BaseException:
            # The event loop ends: whoever waits for what is here would wait for ever.
            self.close()
            raise
        finally:
            self._scope = None
            if not handled:
                message.dropped()
            self._next()


def outside() -> None:
    """Have this context forget that it was copied inside a handler: it does not belong to it."""
    _here.set(None)
