"""What asyncio and trio do differently, and anyio has no name for."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import anyio

from aquila_cassette.waiting.trio_here import trio_here

__all__ = ["in_a_loop_of_its_own", "in_background", "waker"]

T = TypeVar("T")

_tasks: set[asyncio.Task[None]] = set()


def in_background(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an async function in a task of its own, which no other waits for.

    Raises:
        RuntimeError: No event loop runs here.
    """
    trio = trio_here()
    if trio is not None:
        trio.lowlevel.spawn_system_task(function, context=contextvars.copy_context())
        return
    task = asyncio.get_running_loop().create_task(function())
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def waker(function: Callable[[], object]) -> Callable[[], None]:
    """Make a function that has `function` run in this event loop, callable from any thread."""
    trio = trio_here()
    if trio is None:
        loop = asyncio.get_running_loop()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(function)

    else:
        token = trio.lowlevel.current_trio_token()

        def wake() -> None:
            try:
                token.run_sync_soon(function)
            except trio.RunFinishedError:
                return  # Nobody is left there who could wait.

    return wake


def in_a_loop_of_its_own(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an async function in a thread of its own: here a loop may run already, in a greenlet."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(anyio.run(function))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="aquila_cassette waits", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
