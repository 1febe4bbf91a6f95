"""Tasks that wait for a worker thread, which may be about to make a request.

Between a click and its request there may be such a hop: ``await asyncio.to_thread(ask)``, or an SDK
that asks which platform this is. The thread will end, so that is waited for.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from aquila_cassette.pending import frames
from aquila_cassette.pending.waiting import waits_for
from aquila_cassette.pending.works import TaskWork, TrioWork, Work

__all__ = ["hopping"]


def hopping() -> list[Work]:
    """List the works of the user's tasks of this event loop that wait for a worker thread."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return _of_trio(trio)
    works: list[Work] = []
    codes = _to_thread_codes("anyio" in sys.modules)
    for task in asyncio.all_tasks():
        inwards = frames.suspended(task.get_coro())
        mine = frames.outermost_of_yours(inwards)
        if mine is not None and (
            any(frame.f_code in codes for frame in inwards) or _in_executor(task)
        ):
            works.append(TaskWork(task, mine))
    return works


def _of_trio(trio: Any) -> list[Work]:
    works: list[Work] = []
    code = trio.to_thread.run_sync.__code__
    left = [trio.lowlevel.current_root_task()]
    while left:
        task = left.pop()
        left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        inwards = frames.suspended(task.coro)
        mine = frames.outermost_of_yours(inwards)
        if mine is not None and any(frame.f_code is code for frame in inwards):
            works.append(TrioWork(task, mine))
    return works


def _in_executor(task: asyncio.Task[Any]) -> bool:
    """Tell whether it waits for ``loop.run_in_executor``, which has no frame of its own."""
    waited = waits_for(task)
    callbacks = () if waited is None else getattr(waited, "_callbacks", None) or ()
    return any(_chains(callback) for callback, *_ in callbacks)


def _chains(callback: Callable[..., object]) -> bool:
    return getattr(callback, "__qualname__", "") == "_chain_future.<locals>._call_check_cancel"


@functools.cache
def _to_thread_codes(anyio: bool) -> frozenset[CodeType]:
    codes = {asyncio.to_thread.__code__}
    if anyio:
        from anyio import to_thread

        codes.add(to_thread.run_sync.__code__)
    return frozenset(codes)
