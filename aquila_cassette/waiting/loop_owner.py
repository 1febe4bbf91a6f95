"""The work of a thread around the event loop that it runs: what follows ``asyncio.run``.

A task's work ends with its coroutine. Where a thread runs a loop only until that is done, the
thread goes on then, and what it does with the answer belongs to it as well.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from aquila_cassette.waiting import frames
from aquila_cassette.waiting.current_task import Driver
from aquila_cassette.waiting.task_graph import ring_after, waited_for_by
from aquila_cassette.waiting.threads import ThreadWork

__all__ = ["AroundWork", "work_around"]

_RUN = asyncio.BaseEventLoop.run_until_complete.__code__


class AroundWork(ThreadWork):
    """The work of a thread that runs an event loop, from when that has ended.

    Args:
        driver: The thread; it must be this one.
        frame: See `Work`.
    """

    def __init__(self, driver: threading.Thread, frame: FrameType | None) -> None:
        super().__init__(driver, frame)
        self.has_ended: Callable[[], bool] = lambda: True

    def pending(self) -> bool:
        """Tell whether the thread is in its function, and its loop has ended."""
        return self.has_ended() and super().pending()


def work_around(driver: Driver, home: threading.Thread) -> ThreadWork | None:
    """Give the work of this thread around the event loop that `driver` runs in.

    None where nobody else waits for the thread, or where the loop does not end with `driver`: that
    of a server goes on.

    Args:
        driver: The task that runs this code.
        home: A thread that nobody else waits for, the one that opened the block.
    """
    thread = threading.current_thread()
    if driver is thread or thread is home or thread is threading.main_thread():
        return None
    for frame in frames.outwards(sys._getframe(1)):
        has_ended = _end(frame, driver)
        if has_ended is not None:
            mine = frames.outermost_of_yours(list(frames.outwards(frame))[::-1])
            if mine is None:
                return None
            work = AroundWork.of_this_thread(thread, mine)
            if isinstance(work, AroundWork):
                work.has_ended = has_ended
            return work
    return None


def _end(frame: FrameType, driver: Driver) -> Callable[[], bool] | None:
    """Give what tells whether the loop that `frame` runs has ended; None if `driver` ends none."""
    if frame.f_code is _RUN:
        main = frame.f_locals["future"]
        if driver is not main and main not in waited_for_by(driver):
            return None
        ring_after(main)
        done: Callable[[], bool] = main.done
        return done
    run = getattr(sys.modules.get("trio"), "run", None)
    if run is not None and frame.f_code is run.__code__:
        main_task: Any = frame.f_locals["runner"].main_task
        return lambda: main_task.coro.cr_frame is None
    return None
