"""Looking at what belongs to another event loop: in that loop, between two of its steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import anyio

from aquila_cassette.waiting.loops import waker
from aquila_cassette.waiting.trio_here import trio_here

__all__ = ["Home", "elsewhere", "home_here", "turn"]

T = TypeVar("T")

Home = Any
"""An event loop of asyncio, or a token of trio's."""

_AGAIN = 0.01
"""How long a loop that does not answer is believed to run, in seconds."""


def home_here() -> Home:
    """Give the event loop that runs this code."""
    trio = trio_here()
    if trio is not None:
        return trio.lowlevel.current_trio_token()
    return asyncio.get_running_loop()


async def elsewhere(home: Home, function: Callable[[], T], gone: T) -> T:
    """Run `function` in the event loop `home`, and give its result.

    Args:
        home: The loop.
        function: What to run there; it must not raise.
        gone: The result where that loop has ended, or stopped meanwhile.
    """
    results: list[T] = []
    done = anyio.Event()
    wake = waker(done.set)

    def run() -> None:
        try:
            results.append(function())
        finally:
            wake()

    if not _post(home, run):
        return gone
    while not done.is_set():
        with anyio.move_on_after(_AGAIN):
            await done.wait()
        if not (done.is_set() or _runs(home)):
            return gone  # What was posted to it is lost, and nobody says so.
    return results[0]


async def turn(homes: set[Home]) -> None:
    """Let each of the event loops have a turn, this one too."""
    await anyio.lowlevel.checkpoint()
    for home in homes:
        await elsewhere(home, lambda: None, None)


def _runs(home: Home) -> bool:
    if isinstance(home, asyncio.AbstractEventLoop):
        return home.is_running()
    return _post(home, lambda: None)


def _post(home: Home, function: Callable[[], None]) -> bool:
    try:
        if isinstance(home, asyncio.AbstractEventLoop):
            home.call_soon_threadsafe(function)
        else:
            home.run_sync_soon(function)
    except RuntimeError:  # closed; trio's RunFinishedError is one
        return False
    return True
