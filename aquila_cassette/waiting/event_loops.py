"""The differences between asyncio and trio; clocks that nothing freezes."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeGuard, TypeVar

import anyio.to_thread
from anyio.from_thread import start_blocking_portal

T = TypeVar("T")

TaskOrThread = Any
"""A task of asyncio, a task of trio, or a thread."""

Loop = Any
"""An event loop of asyncio, or a token of trio's; None for any, where that is possible."""

_background_tasks: set[asyncio.Task[None]] = set()


def running_trio() -> Any:
    """Return the module trio where this is one of its tasks, maybe within asyncio; else None."""
    # Another thread may be importing trio right now; then the module is there, and half empty.
    if (trio := sys.modules.get("trio")) is None:
        return None
    in_trio_task = getattr(getattr(trio, "lowlevel", None), "in_trio_task", None)
    return trio if in_trio_task is not None and in_trio_task() else None


def is_asyncio_task(value: object) -> TypeGuard[asyncio.Task[Any]]:
    """Return whether `value` is a task of asyncio, be it of C or (nest_asyncio) of Python."""
    return isinstance(value, asyncio.Task) or (
        asyncio.isfuture(value) and hasattr(value, "get_coro")
    )


def coroutine_of(task: Any) -> Any:
    return task.get_coro() if is_asyncio_task(task) else task.coro


def context_of(task: Any) -> contextvars.Context:
    """Return the context of a task; before Python 3.12 only the garbage collector knows it."""
    known = task.get_context() if hasattr(task, "get_context") else getattr(task, "context", None)
    found = [known, *gc.get_referents(task)]
    return next(
        (one for one in found if isinstance(one, contextvars.Context)), contextvars.Context()
    )


def awaited_future(task: Any) -> Any:
    """Return the future that will wake a task of asyncio; None where it is about to run."""
    return getattr(task, "_fut_waiter", None)


def has_unretrieved_failure(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and getattr(task, "_log_traceback", False)


def current_task_or_thread() -> TaskOrThread:
    """Return the task of asyncio or trio, or else the thread, that runs this code."""
    trio = running_trio()
    if trio is not None:
        return trio.lowlevel.current_task()
    loop = asyncio._get_running_loop()
    task = None if loop is None else asyncio.current_task(loop)
    return threading.current_thread() if task is None else task


def current_loop() -> Loop:
    trio = running_trio()
    return asyncio.get_running_loop() if trio is None else trio.lowlevel.current_trio_token()


def tasks_of_this_loop() -> list[Any]:
    trio = running_trio()
    if trio is None:
        return list(asyncio.all_tasks())
    tasks = [trio.lowlevel.current_root_task()]
    for task in tasks:  # which grows meanwhile
        tasks += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return tasks


def run_in_background(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run an async function in a task of its own; a `RuntimeError` where no event loop runs."""
    trio = running_trio()
    if trio is not None:
        trio.lowlevel.spawn_system_task(function, context=contextvars.copy_context())
        return
    task = asyncio.get_running_loop().create_task(function())
    _background_tasks.add(task)
    task.add_done_callback(_background_tasks.discard)


def waker(function: Callable[[], object]) -> Callable[[], object]:
    """Make a function that runs `function` in this event loop, and that any thread may call."""
    return partial(_post, current_loop(), function)


def run_in_own_loop(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an async function in a thread with an event loop of its own, and return its result."""
    # A loop may run in this thread already, in a greenlet: Playwright's sync API does that.
    with start_blocking_portal() as portal:
        result: T = portal.call(function)
    return result


async def call(function: Callable[[], Any]) -> Any:
    """Call an async function in this task, any other in a thread, and return its result."""
    if inspect.iscoroutinefunction(function):
        return await function()
    # What looks like a plain function may still return a coroutine, which belongs to this task;
    # within a list, because trio takes a bare one for a mistake.
    (value,) = await anyio.to_thread.run_sync(lambda: [function()], abandon_on_cancel=True)
    return await value if inspect.isawaitable(value) else value


async def run_in_loop(loop: Loop, function: Callable[[], T]) -> T | None:
    """Run `function`, which must not raise, in another event loop; None where that has ended."""
    results: list[T] = []
    done = anyio.Event()
    question = _Question(lambda: results.append(function()), waker(done.set))
    is_running = getattr(loop, "is_running", lambda: True)
    if not is_running() or not _post(loop, question):
        return None
    del question
    await done.wait()
    return results[0] if results else None


class _Question:
    """Is asked in another event loop; one that ends drops it, and then it wakes who asked, too."""

    def __init__(self, function: Callable[[], None], wake: Callable[[], object]) -> None:
        self._function = function
        self._wake = wake

    def __call__(self) -> None:
        self._function()
        self._wake()

    def __del__(self) -> None:
        self._wake()


def _post(loop: Loop, function: Callable[[], object]) -> bool:
    try:
        if isinstance(loop, asyncio.AbstractEventLoop):
            loop.call_soon_threadsafe(function)
        else:
            loop.run_sync_soon(function)
    except RuntimeError:  # closed; trio's RunFinishedError is one
        return False
    return True


# Clocks. Libraries that freeze or move time in tests (freezegun, time-machine) leave these alone.


def wall_time() -> float:
    """Return the time in seconds since 1970, as `time.time` does."""
    time_machine = sys.modules.get("time_machine")
    if time_machine is not None and time_machine.escape_hatch.is_travelling():
        return float(time_machine.escape_hatch.time.time())
    return float(_unfrozen("time"))


def elapsed() -> float:
    """Return seconds since some point in the past, as `time.perf_counter` does."""
    return float(_unfrozen("perf_counter"))


async def sleep(seconds: float) -> None:
    """Sleep in this task; under freezegun the clock of its event loop stands still."""
    if not _is_frozen():
        await anyio.sleep(seconds)
    else:
        await anyio.to_thread.run_sync(time.sleep, seconds)


def time_limit(seconds: float | None) -> anyio.CancelScope:
    """Return what cancels what is inside after some seconds, as `anyio.move_on_after`."""
    if seconds is None or not _is_frozen():
        return anyio.move_on_after(seconds)
    scope = anyio.CancelScope()
    timer = threading.Timer(seconds, waker(scope.cancel))
    timer.daemon = True
    timer.start()
    return scope


def _is_frozen() -> bool:
    return time.monotonic.__module__ != "time"


def _unfrozen(name: str) -> float:
    # This module may be imported while time is frozen, so it is looked for at each call.
    freezegun = sys.modules.get("freezegun.api")
    read = getattr(time, name) if freezegun is None else getattr(freezegun, f"real_{name}")
    return float(read())
