"""Calling what users wrote: sync or async, and what may not be kept from going on up."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import anyio

__all__ = ["called", "goes_on_up"]


async def called(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function, sync or async, and give what it returned."""
    value = function(*args)
    return await value if inspect.isawaitable(value) else value


def goes_on_up(error: BaseException) -> bool:
    """Tell whether `error` ends the task that it came to, rather than what the task was doing.

    A cancelled future that is awaited raises asyncio's ``CancelledError`` in a task that nobody
    has cancelled; that, and what testing tools raise past ``except Exception``, is only an error.
    """
    if isinstance(error, BaseExceptionGroup):  # trio's nurseries make one of what they cancel
        return all(goes_on_up(one) for one in error.exceptions)
    if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
        return True
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, anyio.get_cancelled_exc_class())
