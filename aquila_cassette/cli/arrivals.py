"""The time line: when the pieces of an answer came, as one small bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["arrivals", "bar"]

_BLOCKS = "·▁▂▃▄▅▆▇█"
_ASCII = ".:-=+*#%@"


def arrivals(times: Sequence[int], width: int) -> list[int]:
    """Count what came in each of `width` equal spans between the request and the last piece.

    Args:
        times: When each piece came, in ms since the request; in any order.
        width: How many spans.

    Example:
        >>> arrivals([0, 10, 90, 100], 4)
        [2, 0, 0, 2]
    """
    counts = [0] * width
    last = max(times, default=0)
    for at in times:
        counts[min(at * width // last, width - 1) if last else 0] += 1
    return counts


def bar(counts: Sequence[int], *, ascii_only: bool = False) -> str:
    """Draw `counts`, the most of them as a full block, none as a dot.

    Args:
        counts: How many came in each span.
        ascii_only: Whether the blocks cannot be shown.

    Example:
        >>> bar([0, 1, 2, 4]), bar([0, 1, 2, 4], ascii_only=True)
        ('·▂▄█', '.-+@')
    """
    steps = _ASCII if ascii_only else _BLOCKS
    most = max(counts, default=0) or 1
    # Rounded up: one piece must not look like none.
    return "".join(steps[-(-number * (len(steps) - 1) // most)] for number in counts)
