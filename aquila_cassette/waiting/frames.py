"""Frames: which are of the user's code, where they are, and those of a suspended task."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_LIBRARIES = tuple(
    {
        str(Path(path)) + os.sep
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_paths().get(name))
    }
)
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


@functools.cache
def is_user_code(filename: str) -> bool:
    """Return whether a code object's file is the user's: not Python's, not installed, not ours."""
    if filename.startswith(("<frozen ", _PACKAGE)) or is_installed(filename):
        return False
    return not filename.startswith(_LIBRARIES)


def is_installed(filename: str) -> bool:
    """Return whether a code object's file belongs to an installed package."""
    return any(part in filename for part in _INSTALLED)


def is_plumbing(frame: FrameType) -> bool:
    """Return whether a frame only carries a call into a thread: `threading`, a pool, anyio."""
    module = frame.f_globals.get("__name__") or ""
    return module.partition(".")[0] in ("threading", "concurrent", "anyio", "trio", "asyncio")


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Walk from `frame` to its callers."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def suspended_frames(coroutine: Any) -> list[FrameType]:
    """List the frames of a suspended coroutine, from its own to the innermost that it awaits."""
    frames: list[FrameType] = []
    while coroutine is not None:
        for frame, awaited in (
            ("cr_frame", "cr_await"),
            ("ag_frame", "ag_await"),
            ("gi_frame", "gi_yieldfrom"),
        ):
            if hasattr(coroutine, frame):
                if (found := getattr(coroutine, frame)) is not None:
                    frames.append(found)
                coroutine = getattr(coroutine, awaited)
                break
        else:
            coroutine = _unwrap_awaitable(coroutine)
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
    """Return the first frame of the user's code."""
    return next((frame for frame in frames if is_user_code(frame.f_code.co_filename)), None)


def location(frames: Sequence[FrameType]) -> str | None:
    """Return the innermost line of the user's code: ``tests/test_chat.py:12 in Chat.ask``."""
    frame = outermost_user_frame(frames[::-1])
    if frame is None:
        return None
    path = Path(frame.f_code.co_filename)
    try:
        shown = path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        shown = str(path)
    return f"{shown}:{frame.f_lineno} in {frame.f_code.co_qualname}"


def is_waiting_on_queue(frames: Sequence[FrameType]) -> bool:
    """Return whether a suspended task waits for the next item of a queue or channel.

    It does nothing by itself then: what will fill the queue is pending, if anything is.
    """
    gets = _queue_gets("anyio" in sys.modules, "trio" in sys.modules)
    return any(frame.f_code in gets for frame in frames)


@functools.cache
def _queue_gets(anyio: bool, trio: bool) -> frozenset[CodeType]:
    functions: list[Any] = [asyncio.Queue.get]
    if anyio:
        from anyio.streams.memory import MemoryObjectReceiveStream

        functions.append(MemoryObjectReceiveStream.receive)
    if trio:
        from trio import MemoryReceiveChannel

        functions.append(MemoryReceiveChannel.receive)
    codes = [getattr(inspect.unwrap(function), "__code__", None) for function in functions]
    return frozenset(code for code in codes if code is not None)
