"""The identity of one stream."""

from __future__ import annotations

from itertools import count

__all__ = ["StreamRef"]

_numbers = count(1)


class StreamRef:
    """Names one stream, and no other; two are equal only if they are the same object.

    Any other hashable object serves as well: pass it as ``ref``.

    Example:
        >>> StreamRef() == StreamRef()
        False
    """

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = next(_numbers)

    def __repr__(self) -> str:
        return f"<StreamRef {self._number}>"
