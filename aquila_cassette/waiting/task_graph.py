"""Which asyncio tasks wait for a task, directly or through a group, a gather, a time-out, a thread.

asyncio names no such thing before Python 3.14, so the callbacks that run at the end of a task are
read: what they hold leads to the tasks that they will wake.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from contextvars import Context
from typing import Any, TypeGuard

from aquila_cassette.waiting.notifier import notify

_PLUMBING = ("asyncio", "anyio", "concurrent")


def is_asyncio_task(value: object) -> TypeGuard[asyncio.Task[Any]]:
    """Return whether `value` is a task of asyncio, of whichever class.

    ``asyncio.Task`` is written in C. Tasks in pure Python (of a task factory, or all of them under
    nest_asyncio) are of another class, that is no subclass of it.
    """
    return asyncio.isfuture(value) and hasattr(value, "get_coro")


def awaited_future(task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
    """Return the future that will wake `task`; None where it is about to run, or is done."""
    return getattr(task, "_fut_waiter", None)


def notify_after(future: asyncio.Future[Any]) -> None:
    """Notify when `future` is done, after everything that waits for it so far.

    However often this is called, it notifies once.
    """
    future.remove_done_callback(_notify)
    # The future may outlive the block: an empty context keeps no cassette alive.
    future.add_done_callback(_notify, context=Context())


def _notify(_future: object) -> None:
    notify()


def tasks_woken_by(future: Any) -> set[asyncio.Task[Any]]:
    """List the tasks that the end of `future` will wake, and the tasks that wait for those.

    The future may be one of asyncio or of a thread pool.
    """
    found: set[asyncio.Task[Any]] = set()
    if not _callbacks(future):
        return found
    seen: set[int] = set()
    left = [future]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one is not future and is_asyncio_task(one):
            found.add(one)
        for callback in _callbacks(one):
            left += _futures_of_callback(callback)
    return found


def awaits_executor(task: asyncio.Task[Any]) -> bool:
    """Return whether `task` awaits ``loop.run_in_executor``, which has no frame of its own."""
    future = awaited_future(task)
    return any(
        getattr(callback, "__qualname__", "") == "_chain_future.<locals>._call_check_cancel"
        for callback in _callbacks(future)
    )


def _callbacks(future: Any) -> list[Any]:
    of_asyncio = getattr(future, "_callbacks", None)
    if of_asyncio:
        return [callback for callback, *_ in of_asyncio if callback is not _notify]
    return list(getattr(future, "_done_callbacks", ()))


def _futures_of_callback(callback: Any) -> Iterator[Any]:
    """Find the futures that a callback will end, and the tasks that it will wake."""
    if isinstance(callback, functools.partial):
        yield from _futures_of_callback(callback.func)
        for argument in (*callback.args, *callback.keywords.values()):
            yield from _futures_in(argument)
        return
    owner = getattr(callback, "__self__", None)
    if owner is not None:
        yield from _futures_in(owner)
    for cell in getattr(callback, "__closure__", None) or ():
        try:
            held = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        yield from _futures_in(held)


def _futures_in(held: Any) -> Iterator[Any]:
    if asyncio.isfuture(held):
        yield held
        return
    if type(held).__module__.partition(".")[0] not in _PLUMBING:
        return
    # A task group: of asyncio, or of anyio, whose cancel scope knows the task that is in it.
    scope = getattr(held, "cancel_scope", None)
    for value in (
        getattr(held, "_on_completed_fut", None),
        getattr(held, "_parent_task", None),
        getattr(scope, "_host_task", None),
    ):
        if asyncio.isfuture(value):
            yield value
