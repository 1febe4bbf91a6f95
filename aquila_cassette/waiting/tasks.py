"""What a suspended task does, told by what it waits for; and the tasks that it waits for.

Public names where there are any; tests/test_private_names.py has a table of the others.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextvars import Context
from enum import Enum
from fnmatch import fnmatchcase
from types import CodeType, FrameType
from typing import Any, NamedTuple

import anyio.abc
import anyio.to_thread

from aquila_cassette.waiting import threads
from aquila_cassette.waiting.event_loops import awaited_future, coroutine_of, is_asyncio_task
from aquila_cassette.waiting.frames import (
    PACKAGE,
    is_user_code,
    runs_user_code,
    suspended_frames,
)
from aquila_cassette.waiting.notifier import notify


class State(Enum):
    RUNS = "is about to run, asks, or waits for a worker thread"
    SLEEPS = "sleeps for a time"
    READS = "waits for the I/O of a library"
    HELD = "waits for the next event of a held stream"
    HOPS = "waits for a worker thread that is parked"
    PARKED = "waits for what others do: a queue, an event, a lock, a task, a group"


class Look(NamedTuple):
    """What a task does now, and whether it runs the user's code or was created by it."""

    state: State
    frames: list[FrameType]
    is_users: bool


_PLUMBING = ("asyncio", "anyio", "trio")
_PARKING = {
    *(f"asyncio.{name}" for name in ("locks", "queues", "tasks", "taskgroups", "threads")),
    *(f"trio.{name}" for name in ("_channel", "_sync", "_timeouts")),
    *(f"trio._core.{name}" for name in ("_parking_lot", "_run")),
}
"""Modules in which tasks wait for what others do; a call in a pool counts by itself."""
_BYTE_STREAMS = (anyio.abc.ByteReceiveStream, anyio.abc.ByteSendStream, anyio.abc.UDPSocket)
_RECEIVING = (
    "recv*",
    "receive*",
    "accept",
    "listen",
    "get_message",
    "serve_forever",
    "wait_closed",
)
"""Functions of libraries that wait for whoever may send something, some time."""
_ASKING = tuple(PACKAGE + one for one in ("http", "session/player", "session/ordering"))


def look_at(task: Any) -> Look:
    """Tell what a task does; called in its event loop."""
    coroutine = coroutine_of(task)
    frames = suspended_frames(coroutine)
    plumbing = _plumbing(frames)
    waited = awaited_future(task)
    codes = {frame.f_code for frame in plumbing}
    known = _public_functions("trio" in sys.modules)
    is_woken = is_asyncio_task(task) and (waited is None or waited.done())
    if getattr(coroutine, "cr_running", False):  # and runs, further out, who asks
        state = State.PARKED
    elif codes & known["sleep"]:
        state = State.SLEEPS
    elif is_woken or codes & known["turn"] or not frames:
        state = State.RUNS
    elif codes & known["thread"]:
        state = State.HOPS if any(map(threads.is_parked_in, plumbing)) else State.RUNS
    else:
        state = _state(frames, plumbing, waited)
    origin = getattr(coroutine, "cr_origin", None) or ((None,),)
    if state is State.READS and origin[0][0] == asyncio.streams.__file__:  # a server made it
        state = State.PARKED
    is_timer_of_library = state is State.SLEEPS and len(frames) > len(plumbing)
    is_users = runs_user_code(frames) or (not is_timer_of_library and _made_by_user(coroutine))
    return Look(state, frames, is_users)


def _plumbing(frames: Sequence[FrameType]) -> list[FrameType]:
    """List the innermost frames, those of the event loop; their caller chose what to wait for."""
    found: list[FrameType] = []
    for frame in reversed(frames):
        if _package(frame) not in _PLUMBING:
            break
        found.append(frame)
    return found


def _state(frames: Sequence[FrameType], plumbing: Sequence[FrameType], waited: Any) -> State:
    for frame in reversed(frames):
        if threads.is_held([frame]):
            return State.HELD
        if frame.f_code.co_filename.startswith(_ASKING):
            return State.RUNS
    caller = frames[-len(plumbing) - 1] if len(plumbing) < len(frames) else None
    is_parked = _waits_for_others(plumbing, caller, waited) or _receives(frames)
    return State.PARKED if is_parked else State.READS


def _waits_for_others(plumbing: Sequence[FrameType], caller: FrameType | None, waited: Any) -> bool:
    if any(isinstance(frame.f_locals.get("self"), _BYTE_STREAMS) for frame in plumbing):
        return False
    for frame in plumbing:
        module = frame.f_globals["__name__"]
        if module != "trio._core._traps":
            return module in _PARKING or module.startswith("anyio.")
    is_task = waited is not None and type(waited) is not asyncio.Future  # or a gather
    return is_task or caller is None or is_user_code(caller.f_code.co_filename)


def _receives(frames: Sequence[FrameType]) -> bool:
    """Return whether the user's code called what a library calls receiving."""
    called: list[FrameType] = []
    for frame in reversed(frames):
        if is_user_code(frame.f_code.co_filename):
            break
        called.append(frame)
    packages = {_package(frame) for frame in called[-1:]} - {*_PLUMBING}
    names = [frame.f_code.co_name for frame in called if _package(frame) in packages]
    return any(fnmatchcase(name, pattern) for name in names for pattern in _RECEIVING)


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


@functools.cache
def _public_functions(with_trio: bool) -> dict[str, set[CodeType]]:
    """Return the code of what sleeps, of what waits for a thread, of what lets others run once."""
    found: dict[str, list[Any]] = {"sleep": [asyncio.sleep], "turn": []}
    found["thread"] = [anyio.to_thread.run_sync]
    if with_trio:
        import trio

        found["sleep"].append(trio.sleep_until)
        found["thread"].append(trio.to_thread.run_sync)
        found["turn"].append(trio.lowlevel.cancel_shielded_checkpoint)
    return {
        name: {inspect.unwrap(function).__code__ for function in functions}
        for name, functions in found.items()
    }


def _made_by_user(coroutine: Any) -> bool:
    """Return whether the user's code made it, or started it by a function of an event loop."""
    origin = getattr(coroutine, "cr_origin", None) or ()
    return is_user_code(next((file for file, *_ in origin if not _is_plumbing(file)), PACKAGE))


@functools.cache
def _is_plumbing(file: str) -> bool:
    return any(f"/{name}/" in file.replace("\\", "/") for name in _PLUMBING)


def awaited_tasks(task: Any, look: Look) -> Iterator[Any]:
    """List the tasks that a task waits for: itself, or in a group, a gather, a nursery."""
    if not is_asyncio_task(task):
        if look.state is State.PARKED and task.child_nurseries:
            yield from task.child_nurseries[-1].child_tasks
        return
    waited = awaited_future(task)
    found = [waited, *getattr(waited, "_children", ())]
    for value in [one for frame in _plumbing(look.frames) for one in frame.f_locals.values()]:
        held = getattr(value, "_tasks", value)
        found += held if isinstance(held, set | list | tuple | dict) else [held]
    yield from filter(is_asyncio_task, found)


def notify_after_step(task: Any) -> None:
    """Notify, once, when a task has had its next step; of trio, any but the one that runs this."""
    waited = awaited_future(task)
    if not is_asyncio_task(task):
        _NotifyAfterStep(sys.modules["trio"].lowlevel)
    elif waited is None or waited.done():
        task.get_loop().call_soon(notify)
    else:
        waited.remove_done_callback(_notify)
        # After the task's own. The future may outlive the block: an empty context keeps nothing alive.
        waited.add_done_callback(_notify, context=Context())


def _notify(_future: object) -> None:
    notify()


class _NotifyAfterStep:
    """An instrument of trio."""

    def __init__(self, lowlevel: Any) -> None:
        self._lowlevel = lowlevel
        self._here = lowlevel.current_task()
        lowlevel.add_instrument(self)

    def after_task_step(self, task: Any) -> None:
        if task is not self._here:
            self._lowlevel.remove_instrument(self)
            notify()
