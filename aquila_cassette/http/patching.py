"""Putting a dispatcher into a library: once, for good, and so that it stays there."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["put_in", "stands"]

_MARK = "__aquila_head__"

_THIS = object()
"""Tells our dispatchers from those of an earlier import of this package (pytester makes such)."""


def stands(cls: Any, name: str) -> bool:
    """Tell whether a dispatcher of ours stands there.

    Args:
        cls: The library's class or module.
        name: One of its own methods or functions.
    """
    return getattr(vars(cls)[name], _MARK, None) is _THIS


def put_in(cls: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a dispatcher in the place of a method, unless one stands there.

    Args:
        cls: The library's class or module.
        name: One of its own methods or functions.
        make: Makes the dispatcher of the original method.
    """
    if stands(cls, name):
        return
    found = original = vars(cls)[name]
    while hasattr(original, _MARK):
        original = original.__wrapped__
    dispatcher = functools.wraps(original)(make(original))
    setattr(dispatcher, _MARK, _THIS)
    setattr(cls, name, dispatcher)
    _keep_through_resets(found, dispatcher)


def _keep_through_resets(original: Any, dispatcher: Any) -> None:
    """Let vcrpy, if it is in use beside us, take the dispatcher for the method it found.

    While it sends a request it puts back the methods that stood there when it was imported, in the
    whole process: a request that another thread makes then would slip by.
    """
    patches = sys.modules.get("vcr.patch")
    if patches is not None:
        for name, value in list(vars(patches).items()):
            if value is original:
                setattr(patches, name, dispatcher)
