"""Long runs of the characters that keys are made of: where there is none, there is no key."""

from __future__ import annotations

import string
from typing import NamedTuple

__all__ = ["RUN", "Runs", "long_runs"]

RUN = 19
"""The shortest run, in bytes, that a key is looked for in; field names and numbers are shorter."""

_CLASS = (string.ascii_letters + string.digits + "_-+/").encode()
_SHOWN = bytes(ord("x") if byte in _CLASS else ord(" ") for byte in range(256))
_LONG = b"x" * RUN
_CONTEXT = 5
_LONGEST = 1024


class Runs(NamedTuple):
    """The long runs of some bytes.

    Args:
        text: The runs, joined by spaces, each behind the few bytes before it, for keys whose prefix
            is no part of the run. A character is a byte: text is searched five times as fast.
        cut: Whether some run was too long to be here whole. Those are images and the like.
    """

    text: str
    cut: bool


def long_runs(data: bytes) -> Runs:
    """Find the runs of at least `RUN` key characters: letters, digits, ``_-+/``.

    To look here first is what makes redaction fast: text has few such runs, and most are names.

    Args:
        data: The bytes to search.

    Example:
        >>> long_runs(b"use the model claude-sonnet-4-20250514 to answer").text
        'odel claude-sonnet-4-20250514'
    """
    shown = data.translate(_SHOWN)
    find = shown.find
    start = find(_LONG)
    if start < 0:
        return _NONE
    found: list[bytes] = []
    cut = False
    while start >= 0:
        end = find(b" ", start + RUN)
        if end < 0:
            end = len(data)
        shown_end = end
        if end - start > _LONGEST:
            shown_end, cut = start + _LONGEST, True
        found.append(data[start - _CONTEXT if start > _CONTEXT else 0 : shown_end])
        start = find(_LONG, end)
    return Runs(b" ".join(found).decode("latin-1"), cut)


_NONE = Runs("", cut=False)
