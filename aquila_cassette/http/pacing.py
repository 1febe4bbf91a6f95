"""Waiting for a recorded piece to be due, in threads and in either event loop."""

from __future__ import annotations

import asyncio
import time

import anyio
from anyio.lowlevel import checkpoint

__all__ = ["PIECES_A_TURN", "give_way", "wait", "wait_async"]

PIECES_A_TURN = 50
"""How many pieces an unpaced replay gives before other tasks get a turn.

A live stream never holds the loop between two reads. Giving way at each piece costs more than the
rest of the replay together, so a turn is a few pieces, and always the same few: a replay must
interleave with others in the same way each time.
"""


def wait(seconds: float) -> None:
    """Wait in this thread."""
    if seconds > 0:
        time.sleep(seconds)


async def wait_async(seconds: float) -> None:
    """Wait in this task, and let the others run in any case."""
    if seconds > 0:
        await anyio.sleep(seconds)
    else:
        await give_way()


async def give_way() -> None:
    """Let the other tasks of this loop run once; for asyncio without anyio's way round."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        await checkpoint()
    else:
        await asyncio.sleep(0)
