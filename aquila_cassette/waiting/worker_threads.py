"""Tasks that wait for a worker thread, which may be about to make a request.

Between a click and its request there may be such a hop: ``await asyncio.to_thread(ask)``, or an SDK
that asks which platform this is. The thread will end, so that is waited for.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from aquila_cassette.waiting import frames
from aquila_cassette.waiting.activity import TaskWork, TrioWork, Work
from aquila_cassette.waiting.task_graph import waits_for
from aquila_cassette.waiting.trio_here import trio_here

__all__ = ["hopping"]


def hopping() -> list[Work]:
    """List the works of the user's tasks of this event loop that wait for a worker thread."""
    trio = trio_here()
    if trio is not None:
        return _of_trio(trio)
    codes = _to_thread_codes("anyio" in sys.modules)
    return [
        TaskWork(task, frames.outermost_of_yours(inwards))
        for task in asyncio.all_tasks()
        if _hops(inwards := frames.suspended(task.get_coro()), codes) or _in_executor(task, inwards)
    ]


def _of_trio(trio: Any) -> list[Work]:
    works: list[Work] = []
    codes = frozenset({trio.to_thread.run_sync.__code__})
    left = [trio.lowlevel.current_root_task()]
    while left:
        task = left.pop()
        left += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        inwards = frames.suspended(task.coro)
        if _hops(inwards, codes):
            works.append(TrioWork(task, frames.outermost_of_yours(inwards)))
    return works


def _hops(inwards: list[FrameType], codes: frozenset[CodeType]) -> bool:
    """Tell whether the user's code waits for a thread here, or is what the thread runs."""
    hop = next((frame for frame in inwards if frame.f_code in codes), None)
    if hop is None:
        return False
    if frames.outermost_of_yours(inwards) is not None:
        return True
    told = hop.f_locals.get("func") or hop.f_locals.get("sync_fn")
    while isinstance(told, functools.partial):
        told = told.func
    code = getattr(told, "__code__", None)
    return code is not None and frames.yours(code)


def _in_executor(task: asyncio.Task[Any], inwards: list[FrameType]) -> bool:
    """Tell whether it waits for ``loop.run_in_executor``, which has no frame of its own."""
    if frames.outermost_of_yours(inwards) is None:
        return False
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
