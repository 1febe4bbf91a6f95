"""What a thread does now: whether it runs the user's code, or waits for what others do."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any

from aquila_cassette.waiting.frames import PACKAGE, frames_of, runs_user_code
from aquila_cassette.waiting.open_streams import PARKED, Begun, code_of

_WAIT = threading.Condition.wait.__code__
_RUN_FOREVER = asyncio.BaseEventLoop.run_forever.__code__
_RUNNER = asyncio.Runner.run.__code__

_RUNS_UNTIL = (_RUNNER, asyncio.BaseEventLoop.run_until_complete.__code__)
_STARTS_LOOP = (_RUNNER, asyncio.Runner.__enter__.__code__)


def is_pending(begun: Begun, frames: Sequence[FrameType], *, reads: bool) -> bool:
    """Return whether it reads or runs the user's code, or soon will, and waits for no others."""
    if begun.thread is None:  # a call that is still in its queue
        return begun.is_users
    names = {one.f_globals.get("__name__") for one in frames}
    is_new = names <= {"threading", Begun.__module__}
    is_new |= any(one.f_code in _STARTS_LOOP for one in frames)  # its tasks will count
    is_busy = begun.is_users or reads or is_new or runs_user_code(frames)
    return is_busy and not is_parked(begun.thread, frames)


def is_parked(thread: threading.Thread, frames: Sequence[FrameType]) -> bool:
    """Return whether it waits for what others do, or runs an event loop, whose tasks count."""
    waited: Any = PARKED.get(thread)
    if isinstance(waited, threading.Thread):  # which may not count itself
        return waited.is_alive() and is_parked(waited, frames_of(waited))
    if waited is not None:
        waits = (one.f_locals.get("waiter") for one in reversed(frames) if one.f_code is _WAIT)
        waiter = next(waits, None)
        # Once notified, it runs, soon; and it may have locked its lock again by now.
        return waiter is None or (waiter.locked() and waiter in waited._waiters)
    loop = loop_of(frames)
    if loop is None or is_held(frames) or not loop.is_running():  # yet, or any more
        return False
    if not any(one.f_code in _RUNS_UNTIL for one in frames):
        return True
    with contextlib.suppress(RuntimeError):  # a task begins right now
        return bool(asyncio.all_tasks(loop))
    return True


def is_parked_in(frame: FrameType) -> bool:
    """Return whether the function that `frame` has a worker thread do waits for others there."""
    codes = {code_of(frame.f_locals.get(name)) for name in ("func", "sync_fn")} - {None}
    stacks = [(thread, frames_of(thread)) for thread in threading.enumerate() if codes]
    return any(
        is_held(stack) or is_parked(thread, stack)
        for thread, stack in stacks
        if codes & {one.f_code for one in stack}
    )


def is_held(frames: Sequence[FrameType]) -> bool:
    """Return whether it waits for the next event of a held stream."""
    return any(one.f_code.co_filename.startswith(f"{PACKAGE}session/stepping") for one in frames)


def loop_of(frames: Sequence[FrameType]) -> asyncio.AbstractEventLoop | None:
    """Return the event loop of asyncio that a thread runs; uvloop's only within a `Runner`."""
    for frame in reversed(frames):
        if frame.f_code in (_RUN_FOREVER, _RUNNER):
            found: Any = frame.f_locals["self"]
            loop: asyncio.AbstractEventLoop = (
                found if frame.f_code is _RUN_FOREVER else found.get_loop()
            )
            return loop
    return None


def running_loops(
    of: Iterable[threading.Thread | None], *, held: bool = False
) -> set[asyncio.AbstractEventLoop]:
    """Return the event loops that threads run, without this one; or those that a held stream blocks."""
    stacks = [frames_of(thread) for thread in of if thread is not threading.current_thread()]
    loops = [loop_of(stack) for stack in stacks if not held or is_held(stack)]
    return {loop for loop in loops if loop is not None}
