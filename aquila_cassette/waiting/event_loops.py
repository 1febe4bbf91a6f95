"""What asyncio and trio do differently, and anyio has no name for."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

TaskOrThread = Any
"""A task of asyncio, a task of trio, or a thread."""

Loop = Any
"""An event loop of asyncio, or a token of trio's; None for any, where that is possible."""

_POLL = 0.01
"""How often, in seconds, a loop that does not answer is asked whether it still runs."""

_background_tasks: set[asyncio.Task[None]] = set()


def running_trio() -> Any:
    """Return the module trio where this is one of its tasks, maybe within asyncio; else None."""
    # Another thread may be importing trio right now; then the module is there, and half empty.
    trio = sys.modules.get("trio")
    in_trio_task = getattr(getattr(trio, "lowlevel", None), "in_trio_task", None)
    return trio if in_trio_task is not None and in_trio_task() else None


def current_task_or_thread() -> TaskOrThread:
    """Return the task of asyncio or trio, or else the thread, that runs this code."""
    trio = running_trio()
    if trio is not None:
        return trio.lowlevel.current_task()
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.current_thread() if task is None else task


def current_loop() -> Loop:
    """Return the event loop that runs this code."""
    trio = running_trio()
    return asyncio.get_running_loop() if trio is None else trio.lowlevel.current_trio_token()


def run_in_background(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an async function in a task of its own, which no other task waits for.

    Raises:
        RuntimeError: No event loop runs here.
    """
    trio = running_trio()
    if trio is not None:
        trio.lowlevel.spawn_system_task(function, context=contextvars.copy_context())
        return
    task = asyncio.get_running_loop().create_task(function())
    _background_tasks.add(task)
    task.add_done_callback(_background_tasks.discard)


def waker(function: Callable[[], object]) -> Callable[[], None]:
    """Make a function that runs `function` in this event loop, and that any thread may call."""
    loop = current_loop()

    def wake() -> None:
        _post(loop, function)

    return wake


def run_in_own_loop(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an async function in a thread with an event loop of its own, and return its result."""
    # A loop may run in this thread already, in a greenlet: Playwright's sync API does that.
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


async def run_in_loop(loop: Loop, function: Callable[[], T], default: T) -> T:
    """Run `function`, which must not raise, in another event loop, and return its result.

    Returns `default` where that loop has ended.
    """
    results: list[T] = []
    done = anyio.Event()
    wake = waker(done.set)

    def run() -> None:
        try:
            results.append(function())
        finally:
            wake()

    if not _post(loop, run):
        return default
    while not done.is_set():
        with anyio.move_on_after(_POLL):
            await done.wait()
        if not (done.is_set() or _is_running(loop)):
            return default  # A loop that stops drops what was posted to it.
    return results[0]


async def yield_to_loops(loops: set[Loop]) -> None:
    """Let this event loop and each of `loops` run one turn."""
    await anyio.lowlevel.checkpoint()
    for loop in loops:
        await run_in_loop(loop, lambda: None, None)


def _is_running(loop: Loop) -> bool:
    if isinstance(loop, asyncio.AbstractEventLoop):
        return loop.is_running()
    return _post(loop, lambda: None)


def _post(loop: Loop, function: Callable[[], object]) -> bool:
    try:
        if isinstance(loop, asyncio.AbstractEventLoop):
            loop.call_soon_threadsafe(function)
        else:
            loop.run_sync_soon(function)
    except RuntimeError:  # closed; trio's RunFinishedError is one
        return False
    return True
