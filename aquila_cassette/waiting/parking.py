"""Whether a worker waits for its next order, in a queue or a channel.

It does nothing then by itself: whoever will fill the queue is pending, if anybody is.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from types import CodeType, FrameType
from typing import Any

__all__ = ["parked"]


def parked(inwards: list[FrameType]) -> bool:
    """Tell whether a suspended task waits for the next item of a queue or a channel.

    Args:
        inwards: Its frames, the outermost first.
    """
    gets = _gets()
    return any(frame.f_code in gets for frame in inwards)


def _gets() -> frozenset[CodeType]:
    return _gets_of("anyio" in sys.modules, "trio" in sys.modules)


@functools.cache
def _gets_of(anyio: bool, trio: bool) -> frozenset[CodeType]:
    functions: list[Any] = [asyncio.Queue.get]
    if anyio:
        from anyio.streams.memory import MemoryObjectReceiveStream

        functions.append(MemoryObjectReceiveStream.receive)
    if trio:
        from trio import MemoryReceiveChannel

        functions.append(MemoryReceiveChannel.receive)
    return frozenset(
        code
        for function in functions
        if (code := getattr(_unwrapped(function), "__code__", None)) is not None
    )


def _unwrapped(function: Any) -> Any:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function
