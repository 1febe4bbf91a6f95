"""The work that this code is in: that of the task or thread that runs it."""

from __future__ import annotations

import asyncio
import sys
import threading
from types import FrameType

from aquila_cassette.waiting import frames
from aquila_cassette.waiting.activity import TaskWork, TrioWork, Work
from aquila_cassette.waiting.current_task import Driver
from aquila_cassette.waiting.threads import ThreadWork

__all__ = ["work_here"]


def work_here(driver: Driver, home: threading.Thread) -> Work | None:
    """Give the work that `driver` is in; None for a thread that nobody else waits for.

    Args:
        driver: The task or thread that runs this code.
        home: Such a thread, the one that opened the block; the main thread is another.
    """
    frame = sys._getframe(1)
    if isinstance(driver, threading.Thread):
        if driver is home or driver is threading.main_thread():
            return None
        return ThreadWork.of_this_thread(driver, _of_thread(frame))
    if isinstance(driver, asyncio.Task):
        return TaskWork(driver, _of_coroutine(frame, driver.get_coro()))
    return TrioWork(driver, _of_coroutine(frame, driver.coro))


def _of_coroutine(frame: FrameType | None, coroutine: object) -> FrameType | None:
    # Each request comes by here, some dozens of frames deep.
    outermost = getattr(coroutine, "cr_frame", None)
    is_yours, mine = frames.is_yours, None
    while frame is not None:
        if is_yours(frame.f_code.co_filename):
            mine = frame
        if frame is outermost:
            break
        frame = frame.f_back
    return mine


def _of_thread(frame: FrameType) -> FrameType | None:
    """Give the outermost frame of the user's code, else of whatever the thread was told to run."""
    outer = list(frames.outwards(frame))[::-1]
    told = (one for one in outer if not frames.is_plumbing(one))
    return frames.outermost_of_yours(outer) or next(told, None)
