"""The work of a thread: a profile hook tells when it has left the function that it was in.

Nothing else does: a pool's thread lives on, and waits for its next order in C. The hook is set by
the thread itself when it makes a request, and taken off when the function returns. The thread that
the tests run in never gets one, so sync tests keep their speed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from aquila_cassette.waiting import frames
from aquila_cassette.waiting.activity import Work, waiting_for
from aquila_cassette.waiting.notifier import changed

__all__ = ["ThreadWork"]

Order = asyncio.Future[Any] | concurrent.futures.Future[Any]

_here = threading.local()


class ThreadWork(Work):
    """The work of a thread.

    Args:
        driver: The thread; it must be this one.
        frame: See `Work`.
    """

    def __init__(self, driver: threading.Thread, frame: FrameType | None) -> None:
        super().__init__(driver, frame)
        self._left = False
        self._parked = False
        self._orders = orders(frame)

    @classmethod
    def of_this_thread(cls, driver: threading.Thread, frame: FrameType | None) -> ThreadWork:
        """Give the work that this thread is in, and watch for its end."""
        work: ThreadWork | None = getattr(_here, "work", None)
        if work is not None and not work._left and work.is_in(frame):
            return work
        work = cls(driver, frame)
        _here.work = work
        if frame is not None:
            work._watch(frame)
        return work

    def is_in(self, frame: FrameType | None) -> bool:
        """Tell whether `frame` of this thread is the one of this work."""
        return frame is not None and self._in([frame])

    def gone(self) -> bool:
        """Tell whether the thread has ended, or left its function."""
        thread = self.driver
        return self._left or thread is None or not thread.is_alive()

    def pending(self) -> bool:
        """Tell whether the thread has not left its function, nor waits for an order in a queue."""
        return not self.gone() and not self._parked

    def waiting(self) -> Sequence[Work]:
        """List the works of the tasks that wait for this one."""
        return [work for order in self._orders for work in waiting_for(order)]

    def stands(self) -> str | None:
        """Say where in the user's code the thread is."""
        thread = self.driver
        ident = None if thread is None else thread.ident
        frame = None if ident is None else sys._current_frames().get(ident)
        return frames.where(list(frames.outwards(frame))[::-1])

    def _watch(self, work_frame: FrameType) -> None:
        before: Any = sys.getprofile()
        if before is not None and not callable(before):
            # A profiler written in C, which cannot be shared: the work is over with its stream.
            self._left = True
            return
        passing_on: Callable[[FrameType, str, Any], object] | None = before

        get = queue.Queue.get.__code__

        def hook(frame: FrameType, event: str, argument: Any) -> None:
            # It is called at each call and return in this thread, so it looks at little.
            if event == "return":
                if frame is work_frame:
                    sys.setprofile(passing_on)
                    self._leave()
                elif frame.f_code is get:
                    self._parked = False
            elif event == "call" and frame.f_code is get:
                self._park()
            if passing_on is not None:
                passing_on(frame, event, argument)

        sys.setprofile(hook)

    def _leave(self) -> None:
        self._left = True
        changed()

    def _park(self) -> None:
        self._parked = True
        changed()


def orders(frame: FrameType | None) -> list[Order]:
    """List the futures of what this thread was told to do; a pool's thread holds them further out.

    Args:
        frame: Where the thread is.
    """
    found: list[Order] = []
    for outer in frames.outwards(frame):
        if frames.is_plumbing(outer):
            local = outer.f_locals
            future = local.get("future") or getattr(local.get("self"), "future", None)
            if isinstance(future, asyncio.Future | concurrent.futures.Future):
                found.append(future)
    return found
