"""Tell the user's code from libraries, say where a frame stands, list the frames of a suspended task."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate, chain, repeat, starmap, takewhile
from operator import methodcaller
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Any

from aquila_cassette.waiting.event_loops import TaskOrThread, coroutine_of

PACKAGE = str(Path(__file__).parents[1]) + os.sep
_LIBRARIES = tuple(
    sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_AWAITED = {"cr_frame": "cr_await", "ag_frame": "ag_await", "gi_frame": "gi_yieldfrom"}
"""Where a coroutine or generator has its frame, and what it awaits."""
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@functools.cache
def is_user_code(filename: str) -> bool:
    """Return whether a code object's file is the user's: not Python's, not installed, not ours."""
    if filename.startswith(("<frozen ", PACKAGE)) or is_installed(filename):
        return False
    return not filename.startswith(_LIBRARIES)


def is_installed(filename: str) -> bool:
    return any(part in filename for part in _INSTALLED)


def runs_user_code(frames: Iterable[FrameType]) -> bool:
    return any(is_user_code(frame.f_code.co_filename) for frame in frames)


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def frames_of(driver: TaskOrThread | None) -> list[FrameType]:
    """List the frames of a suspended task or of a thread, from the outermost."""
    if isinstance(driver, threading.Thread):
        # All in one call of C, without finalizers, or the thread goes on meanwhile, and leaves what
        # is no stack at all.
        innermost = map(methodcaller("get", driver.ident), starmap(sys._current_frames, [()]))
        step: Any = getattr
        frames: Iterator[FrameType] = accumulate(chain(innermost, repeat("f_back")), step)
        with _no_collection():
            return list(takewhile(bool, frames))[::-1]
    return [] if driver is None else suspended_frames(coroutine_of(driver))


def suspended_frames(coroutine: Any) -> list[FrameType]:
    """List the frames of a suspended coroutine, from its own to the innermost awaited."""
    frames: list[FrameType] = []
    while coroutine is not None:
        if type(coroutine) is CoroutineType and coroutine.cr_frame is not None:  # as it mostly is
            frames.append(coroutine.cr_frame)
            coroutine = coroutine.cr_await
            continue
        name = next((name for name in _AWAITED if hasattr(coroutine, name)), None)
        if name is None:
            coroutine = _unwrap_awaitable(coroutine)
            continue
        if (frame := getattr(coroutine, name)) is not None:
            frames.append(frame)
        coroutine = getattr(coroutine, _AWAITED[name])
    return frames


def _unwrap_awaitable(awaitable: Any) -> Any:
    # A step of an async generator names its generator nowhere; only the garbage collector knows it.
    if not type(awaitable).__name__.startswith(("async_generator", "anext", "coroutine_wrapper")):
        return None
    referents = gc.get_referents(awaitable)
    known = (one for one in referents if any(hasattr(one, name) for name in _AWAITED))
    steps = (one for one in referents if type(one).__name__.startswith("async_generator"))
    return next(known, None) or next(steps, None)


def location(frames: Sequence[FrameType]) -> str | None:
    """Return the innermost line of the user's code: ``tests/test_chat.py:12 in Chat.ask``."""
    users = (frame for frame in frames[::-1] if is_user_code(frame.f_code.co_filename))
    return next(map(_place, users), None)


def fits(patterns: Sequence[str], frames: Iterable[FrameType]) -> bool:
    """Return whether the user named one of `frames`: by its function, or its file."""
    return any(
        fnmatchcase(_place(frame), f"*{pattern}*") for frame in frames for pattern in patterns
    )


def _place(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return f"{path.as_posix()}:{frame.f_lineno} in {frame.f_code.co_qualname}"
