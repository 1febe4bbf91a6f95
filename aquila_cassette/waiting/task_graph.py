"""Which asyncio tasks wait for a task, directly or through a group, a gather, a time-out, a thread.

asyncio names no such thing before Python 3.14, so the callbacks that will run at the end of a task
are read: what they hold leads to the tasks that they will wake.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from contextvars import Context
from typing import Any

from aquila_cassette.waiting.notifier import changed

__all__ = ["ring_after", "waited_for_by", "waits_for"]


def ring_after(future: asyncio.Future[Any]) -> None:
    """Ring the bell when `future` is done, after what waits for it so far was told.

    Args:
        future: It is rung for once, however often this is called; and it may outlive all that goes
            on here, so it gets nothing of this context to hold on to.
    """
    future.remove_done_callback(_ring)
    future.add_done_callback(_ring, context=Context())


def _ring(_future: object) -> None:
    changed()


_PLUMBING = ("asyncio", "anyio", "concurrent")


def waits_for(task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
    """Give the future that will wake `task`; None where it is about to run, or is over."""
    return getattr(task, "_fut_waiter", None)


def waited_for_by(future: Any) -> set[asyncio.Task[Any]]:
    """List the tasks that the end of `future` (of asyncio, or of a thread pool) will wake.

    Tasks that wait for those are listed too.
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
        if isinstance(one, asyncio.Task) and one is not future:
            found.add(one)
        for callback in _callbacks(one):
            left += _futures_in(callback)
    return found


def _callbacks(future: Any) -> list[Any]:
    of_asyncio = getattr(future, "_callbacks", None)
    if of_asyncio:
        return [callback for callback, *_ in of_asyncio if callback is not _ring]
    return list(getattr(future, "_done_callbacks", ()))


def _futures_in(callback: Any) -> Iterator[Any]:
    """Find the futures that a callback will end, and the tasks that it will wake."""
    if isinstance(callback, functools.partial):
        yield from _futures_in(callback.func)
        for argument in (*callback.args, *callback.keywords.values()):
            yield from _futures_at(argument)
        return
    owner = getattr(callback, "__self__", None)
    if owner is not None:
        yield from _futures_at(owner)
    for cell in getattr(callback, "__closure__", None) or ():
        try:
            held = cell.cell_contents
        except ValueError:  # not filled yet
            continue
        yield from _futures_at(held)


def _futures_at(held: Any) -> Iterator[Any]:
    if isinstance(held, asyncio.Future):
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
        if isinstance(value, asyncio.Future):
            yield value
