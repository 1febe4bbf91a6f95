"""Which code a suspended task runs, and which tasks wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextvars import Context
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from aquila_cassette.waiting.event_loops import is_asyncio_task
from aquila_cassette.waiting.notifier import notify

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_LIBRARIES = tuple(
    sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_AWAITED = {"cr_frame": "cr_await", "ag_frame": "ag_await", "gi_frame": "gi_yieldfrom"}
"""Where a coroutine or generator has its frame, and what it awaits."""
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@functools.cache
def is_user_code(filename: str) -> bool:
    """Return whether a code object's file is the user's: not Python's, not installed, not ours."""
    if filename.startswith(("<frozen ", _PACKAGE)) or is_installed(filename):
        return False
    return not filename.startswith(_LIBRARIES)


def is_installed(filename: str) -> bool:
    return any(part in filename for part in _INSTALLED)


def is_plumbing(frame: FrameType) -> bool:
    """Return whether a frame only carries a call into a thread: `threading`, a pool, anyio."""
    module = frame.f_globals.get("__name__") or ""
    return module.partition(".")[0] in ("threading", "concurrent", "anyio", "trio", "asyncio")


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def stack(frame: FrameType | None) -> list[FrameType]:
    """List `frame` and its callers, from the outermost."""
    return list(callers(frame))[::-1]


def coroutine_of(task: Any) -> Any:
    return task.get_coro() if is_asyncio_task(task) else task.coro


def suspended_frames(task: Any) -> list[FrameType]:
    """List the frames of a suspended task, from its own coroutine's to the innermost awaited."""
    coroutine = coroutine_of(task)
    frames: list[FrameType] = []
    while coroutine is not None:
        name = next((name for name in _AWAITED if hasattr(coroutine, name)), None)
        if name is None:
            coroutine = _unwrap_awaitable(coroutine)
            continue
        if (frame := getattr(coroutine, name)) is not None:
            frames.append(frame)
        coroutine = getattr(coroutine, _AWAITED[name])
    return frames


def _unwrap_awaitable(awaitable: Any) -> Any:
    # An async generator's step names its generator nowhere; only the garbage collector knows it.
    if not type(awaitable).__name__.startswith(("async_generator", "coroutine_wrapper")):
        return None
    for referent in gc.get_referents(awaitable):
        if hasattr(referent, "ag_frame") or hasattr(referent, "cr_frame"):
            return referent
    return None


def outermost_user_frame(frames: Sequence[FrameType]) -> FrameType | None:
    return next((frame for frame in frames if is_user_code(frame.f_code.co_filename)), None)


def location(frames: Sequence[FrameType]) -> str | None:
    """Return the innermost line of the user's code: ``tests/test_chat.py:12 in Chat.ask``."""
    frame = outermost_user_frame(frames[::-1])
    if frame is None:
        return None
    path = Path(frame.f_code.co_filename)
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return f"{path.as_posix()}:{frame.f_lineno} in {frame.f_code.co_qualname}"


def is_waiting_on_queue(frames: Sequence[FrameType]) -> bool:
    """Return whether a suspended task waits for the next item of a queue or channel.

    It does nothing by itself then: what will fill the queue is pending, if anything is.
    """
    gets, _ = _waiting_functions(sys.modules.get("trio") is not None)
    return any(frame.f_code in gets for frame in frames)


def awaits_thread(task: Any, frames: Sequence[FrameType]) -> bool:
    """Return whether the user's code waits for a worker thread, or is what the thread runs."""
    is_users = outermost_user_frame(frames) is not None
    if is_users and is_asyncio_task(task) and _awaits_executor(task):
        return True
    _, to_thread = _waiting_functions(sys.modules.get("trio") is not None)
    frame = next((frame for frame in frames if frame.f_code in to_thread), None)
    if frame is None or is_users:
        return frame is not None
    function = frame.f_locals.get("func") or frame.f_locals.get("sync_fn")
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    return code is not None and is_user_code(code.co_filename)


@functools.cache
def _waiting_functions(with_trio: bool) -> tuple[set[CodeType], set[CodeType]]:
    """Return the code of what waits for an item of a queue, and of what waits for a thread."""
    gets: list[Any] = [asyncio.Queue.get, MemoryObjectReceiveStream.receive]
    to_thread: list[Any] = [asyncio.to_thread, anyio.to_thread.run_sync]
    if with_trio:
        import trio

        gets.append(trio.MemoryReceiveChannel.receive)
        to_thread.append(trio.to_thread.run_sync)
    codes = [{inspect.unwrap(one).__code__ for one in functions} for functions in (gets, to_thread)]
    return codes[0], codes[1]


# Which tasks of asyncio wait for a task: directly, or through a group, a gather, a time-out, a
# thread. Nothing public says so before Python 3.14, so the callbacks that run at the end of a task
# are read: what they hold leads to the tasks that they will wake.


def awaited_future(task: asyncio.Task[Any]) -> asyncio.Future[Any] | None:
    """Return the future that will wake `task`; None where it is about to run, or is done."""
    return getattr(task, "_fut_waiter", None)


def notify_after(future: asyncio.Future[Any]) -> None:
    """Notify, once, when `future` is done, after everything that waits for it so far."""
    future.remove_done_callback(_notify)
    # The future may outlive the block: an empty context keeps no cassette alive.
    future.add_done_callback(_notify, context=Context())


def _notify(_future: object) -> None:
    notify()


def tasks_woken_by(future: Any) -> set[asyncio.Task[Any]]:
    """List the tasks that the end of a future (of asyncio, of a pool) wakes, and who awaits those."""
    found: set[asyncio.Task[Any]] = set()
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


def _awaits_executor(task: asyncio.Task[Any]) -> bool:
    """Return whether `task` awaits ``loop.run_in_executor``, which has no frame of its own."""
    return any(
        getattr(callback, "__qualname__", "") == "_chain_future.<locals>._call_check_cancel"
        for callback in _callbacks(awaited_future(task))
    )


def _callbacks(future: Any) -> list[Any]:
    of_asyncio = getattr(future, "_callbacks", None)
    if of_asyncio:
        return [callback for callback, *_ in of_asyncio if callback is not _notify]
    return list(getattr(future, "_done_callbacks", ()))


def _futures_of_callback(callback: Any) -> Iterator[Any]:
    held = [getattr(callback, "__self__", None)]
    if isinstance(callback, functools.partial):
        yield from _futures_of_callback(callback.func)
        held = [*callback.args, *callback.keywords.values()]
    for cell in getattr(callback, "__closure__", None) or ():
        with contextlib.suppress(ValueError):  # not filled yet
            held.append(cell.cell_contents)
    for one in held:
        found = [one]
        if type(one).__module__.partition(".")[0] in ("asyncio", "anyio", "concurrent"):
            # A task group: of asyncio, or of anyio, whose cancel scope knows the task that is in it.
            scope = getattr(one, "cancel_scope", None)
            found += [getattr(one, name, None) for name in ("_on_completed_fut", "_parent_task")]
            found.append(getattr(scope, "_host_task", None))
        yield from filter(asyncio.isfuture, found)
