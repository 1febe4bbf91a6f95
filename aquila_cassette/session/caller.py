"""Who made the request that is being answered: the user's line, and the packages between."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.waiting.frames import callers, is_installed, is_user_code, location

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["sender"]

_CARRIERS = frozenset(
    {
        *("httpx", "httpx2", "httpcore", "httpcore2", "httpx_aiohttp", "aiohttp", "anyio"),
        *("requests", "urllib3", "httplib2", "tornado", "vcr", "respx", "pytest_httpx", "uvloop"),
        *("trio", "lm15", "aquila_cassette"),
    }
)
"""Packages that send for others."""

_STARTS = {
    ("asyncio.events", "_run"),
    ("trio._core._run", "unrolled_run"),
    ("threading", "_bootstrap"),
}
"""Where a task or a thread begins: what stands above merely waits for it."""


def sender() -> str | None:
    """Say who sends the request that this is called for; None where nobody can be told.

    That is the innermost line of the user's own code and the packages it went through; in a task
    or thread that a package started by itself, that package.
    """
    inner: list[FrameType] = []
    for frame in callers(sys._getframe(1)):
        if is_user_code(frame.f_code.co_filename):
            return _through(location([frame]), _packages(inner))
        inner.append(frame)
        if (_module(frame), frame.f_code.co_name) in _STARTS:
            break
    return _by_itself(inner)


def _through(line: str | None, packages: list[str]) -> str | None:
    return f"{line}, through {' and '.join(packages)}" if packages else line


def _by_itself(frames: list[FrameType]) -> str | None:
    sending = next((frame for frame in frames if _package(frame)), None)
    if sending is None:
        return None
    parts = Path(sending.f_code.co_filename).parts
    package = _package(sending)
    shown = "/".join(parts[parts.index(package) :] if package in parts else parts[-1:])
    thread = threading.current_thread()
    alone = "" if thread is threading.main_thread() else f" (thread {thread.name})"
    return f"{shown}:{sending.f_lineno} in {sending.f_code.co_qualname}{alone}"


def _packages(frames: list[FrameType]) -> list[str]:
    """List the packages of `frames`, the outermost first, each once."""
    return list(
        dict.fromkeys(package for frame in reversed(frames) if (package := _package(frame)))
    )


def _package(frame: FrameType) -> str:
    """Name the package that a frame runs, if it is one that sends on its own account."""
    if not is_installed(frame.f_code.co_filename):
        return ""
    package = _module(frame).partition(".")[0]
    return "" if package in _CARRIERS or package.startswith("_") else package


def _module(frame: FrameType) -> str:
    return frame.f_globals.get("__name__") or ""
