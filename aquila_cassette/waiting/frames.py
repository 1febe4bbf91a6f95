"""Whose code a frame runs, where it stands, and which frames a suspended task is in."""

from __future__ import annotations

import functools
import gc
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

__all__ = [
    "is_installed",
    "is_plumbing",
    "is_yours",
    "outermost_of_yours",
    "outwards",
    "suspended",
    "where",
    "yours",
]

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
def is_yours(filename: str) -> bool:
    """Tell whether a file is the user's own: neither Python's, nor installed, nor of this package.

    Args:
        filename: As a code object names it.
    """
    if filename.startswith("<frozen "):
        return False
    if filename.startswith(_PACKAGE) or is_installed(filename):
        return False
    return not filename.startswith(_LIBRARIES)


def is_installed(filename: str) -> bool:
    """Tell whether a file belongs to an installed package.

    Args:
        filename: As a code object names it.
    """
    return any(part in filename for part in _INSTALLED)


def yours(code: CodeType) -> bool:
    """Tell whether `code` is the user's own."""
    return is_yours(code.co_filename)


def is_plumbing(frame: FrameType) -> bool:
    """Tell whether a frame only carries orders to a thread: of `threading`, a pool, or anyio."""
    module = frame.f_globals.get("__name__") or ""
    return module.partition(".")[0] in ("threading", "concurrent", "anyio", "trio", "asyncio")


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Walk from `frame` to its callers."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def suspended(coroutine: Any) -> list[FrameType]:
    """List the frames of a suspended coroutine, from its own to the innermost that it awaits.

    Generators, and objects that wrap one (an async generator's step), are looked through.
    """
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
            coroutine = _wrapped(coroutine)
    return frames


def _wrapped(awaitable: Any) -> Any:
    # An async generator's step names the generator nowhere; only the garbage collector knows it.
    if not type(awaitable).__name__.startswith(("async_generator", "coroutine_wrapper")):
        return None
    for referent in gc.get_referents(awaitable):
        if hasattr(referent, "ag_frame") or hasattr(referent, "cr_frame"):
            return referent
    return None


def outermost_of_yours(inwards: list[FrameType]) -> FrameType | None:
    """Give the first frame of the user's own code."""
    return next((frame for frame in inwards if yours(frame.f_code)), None)


def where(inwards: list[FrameType]) -> str | None:
    """Say where a task or thread stands: the innermost line of the user's own code.

    Args:
        inwards: Its frames, the outermost first.
    """
    mine = [frame for frame in inwards if yours(frame.f_code)]
    if not mine:
        return None
    frame = mine[-1]
    path = Path(frame.f_code.co_filename)
    try:
        shown = path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        shown = str(path)
    return f"{shown}:{frame.f_lineno} in {frame.f_code.co_qualname}"
