"""Draws that look random and are fixed by what they are drawn from."""

from __future__ import annotations

import hashlib
import json
import string
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


class Seed:
    """Draws fixed by `source`, any JSON value; each by its label, in whatever order.

    Not `random`: only its bare `random()` is promised to stay the same between Pythons.

    Args:
        source: What the draws derive from; the order of its keys does not matter.

    Example:
        >>> Seed({"a": 1, "b": 2}).name("id", 8) == Seed({"b": 2, "a": 1}).name("id", 8)
        True
    """

    def __init__(self, source: Any) -> None:
        canonical = json.dumps(source, sort_keys=True, separators=(",", ":"))
        self._root = hashlib.sha256(canonical.encode()).digest()

    def _number(self, label: str) -> int:
        return int.from_bytes(hashlib.sha512(self._root + label.encode()).digest())

    def name(self, label: str, length: int, alphabet: str = ALNUM) -> str:
        """Draw `length` letters of `alphabet`; at most 64 of them differ from chance."""
        number = self._number(label)
        letters = []
        for _ in range(length):
            number, letter = divmod(number, len(alphabet))
            letters.append(alphabet[letter])
        return "".join(letters)

    def unit(self, label: str) -> float:
        """Draw a number from 0 up to 1."""
        return (self._number(label) >> 459) / (1 << 53)

    def pick(self, label: str, options: Sequence[T]) -> T:
        """Draw one of `options`."""
        return options[self._number(label) % len(options)]
