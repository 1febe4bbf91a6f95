"""Which task or thread runs this code."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from aquila_cassette.waiting.trio_here import trio_here

__all__ = ["Driver", "current_driver"]

Driver = Any
"""A task of asyncio, a task of trio, or a thread."""


def current_driver() -> Driver:
    """Tell which task, of asyncio or trio, or else which thread runs this code."""
    trio = trio_here()
    if trio is not None:
        return trio.lowlevel.current_task()
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.current_thread() if task is None else task
