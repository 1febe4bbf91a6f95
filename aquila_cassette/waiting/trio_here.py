"""Whether this code runs in a task of trio, without importing trio."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["trio_here"]


def trio_here() -> Any:
    """Give trio where this is one of its tasks, maybe one within asyncio; else None.

    Another thread may be importing trio right now; then its modules are there, and half empty.
    """
    trio = sys.modules.get("trio")
    in_trio_task = getattr(getattr(trio, "lowlevel", None), "in_trio_task", None)
    return trio if in_trio_task is not None and in_trio_task() else None
