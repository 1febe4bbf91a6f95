"""Texts that stand within a text, and other texts put in their place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.values import places

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["stands_in", "swapped"]


def stands_in(part: str, text: str) -> bool:
    r"""Tell whether `part` stands in `text`, not within a word.

    Args:
        part: What is looked for.
        text: Where.

    Example:
        >>> stands_in("Par", "Paris"), stands_in("Paris", "In Paris?")
        (False, True)
        >>> stands_in("\u6771\u4eac", "\u6771\u4eac\u306f\u6674\u308c")
        True
    """
    return any(places(part, text))


def swapped(text: str, swaps: Mapping[str, str]) -> str:
    """Put other texts in the place of some.

    Args:
        text: Where they stand.
        swaps: What is sought, and what takes its place; the longest goes first.

    Example:
        >>> swapped("ab abc", {"ab": "x", "abc": "y"})
        'x y'
    """
    if not swaps:
        return text
    pattern = "|".join(map(re.escape, sorted(swaps, key=len, reverse=True)))
    return re.sub(pattern, lambda match: swaps[match[0]], text)
