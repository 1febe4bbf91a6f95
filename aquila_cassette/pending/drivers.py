"""Which task or thread runs this code."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

__all__ = ["Driver", "current_driver"]

Driver = Any
"""A task of asyncio, a task of trio, or a thread."""


def current_driver() -> Driver:
    """Tell which task, of asyncio or trio, or else which thread runs this code."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return trio.lowlevel.current_task()
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.current_thread() if task is None else task
