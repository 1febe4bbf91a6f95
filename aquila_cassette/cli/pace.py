"""Waiting for what is due, until Ctrl-C says to stop."""

from __future__ import annotations

import signal
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

    def __enter__(self) -> Self:
        # Elsewhere nobody could be asked: signals are the main thread's.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

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
            if self._speed:
                time.sleep(max(self._started + due / 1000 / self._speed - time.monotonic(), 0))
        finally:
            self._waits = False

    def _ask(self, _number: int, _frame: object) -> None:
        if self._waits or self._asked:
            raise KeyboardInterrupt
        self._asked = True
