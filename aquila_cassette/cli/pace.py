"""Waiting for what is due, until Ctrl-C says to stop."""

from __future__ import annotations

import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Pace"]


class Pace:
    """Waits between two things that are written; within one, Ctrl-C is only noted.

    So what it leaves behind is whole: an interrupt amid a write would write some of it twice. A
    second Ctrl-C interrupts whatever goes on.

    Args:
        speed: How many times as fast time goes by; 0 for at once.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._started = 0.0
        self._waits = self._asked = False
        self._before: Any = None
        self._woken = -1
        self._bell, self._ringer = socket.socketpair()

    def __enter__(self) -> Self:
        # Elsewhere nobody could be asked: signals are the main thread's.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
            # A signal that comes just before a sleep would be handled only after it.
            self._ringer.setblocking(False)
            fd = self._ringer.fileno()
            self._woken = signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.set_wakeup_fd(self._woken)
            signal.signal(signal.SIGINT, self._before)
        self._bell.close()
        self._ringer.close()

    def start(self) -> None:
        """Count from now."""
        self._started = time.monotonic()

    def wait(self, due: int) -> None:
        """Wait until something is due.

        Args:
            due: When, in ms since the start, at its own speed.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, now or before.
        """
        self._waits = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            while self._speed and (left := self._left(due)) > 0:
                if select.select([self._bell], [], [], left)[0]:
                    self._bell.recv(64)
        finally:
            self._waits = False

    def _left(self, due: int) -> float:
        return self._started + due / 1000 / self._speed - time.monotonic()

    def _ask(self, _number: int, _frame: object) -> None:
        if self._waits or self._asked:
            raise KeyboardInterrupt
        self._asked = True
