"""Putting our method in the place of a library's: once, for good, and so that it stays there."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["put_in", "stands"]

_MARK = "__aquila_head__"

_THIS = object()
"""Tells our methods from those of an earlier import of this package (pytester makes such)."""


def stands(cls: Any, name: str) -> bool:
    """Return whether a method of ours stands there."""
    return getattr(vars(cls)[name], _MARK, None) is _THIS


def put_in(cls: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a method of ours in the place of one of `cls` (a class or a module), if none stands there.

    What stands there may be any descriptor: instrumentation puts objects of wrapt there, which know
    their instance only when they are bound. So ours binds it at each call.
    """
    if stands(cls, name):
        return
    found = original = vars(cls)[name]
    while hasattr(original, _MARK):
        original = original.__wrapped__
    method = make(_bound(original) if isinstance(cls, type) else original)
    method = functools.update_wrapper(method, original)
    setattr(method, _MARK, _THIS)
    setattr(cls, name, method)
    _keep_through_resets(found, method)


def _bound(original: Any) -> Callable[..., Any]:
    def call(instance: Any, *args: Any, **kwargs: Any) -> Any:
        return original.__get__(instance, type(instance))(*args, **kwargs)

    return call


def _keep_through_resets(original: Any, method: Any) -> None:
    """Have vcrpy, where it is in use too, take our method for the one that it found.

    While it sends a request it puts back the methods that stood there when it was imported, in the
    whole process: a request that another thread makes then would pass by unseen.
    """
    patches = sys.modules.get("vcr.patch")
    if patches is not None:
        for name, value in list(vars(patches).items()):
            if value is original:
                setattr(patches, name, method)
