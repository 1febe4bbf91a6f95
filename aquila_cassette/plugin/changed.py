"""What changed in a cassette that a test recorded again, as lines of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.transcript.comparison import compare
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.model import Interaction

__all__ = ["changed"]

_MOST_LINES = 20  # of each interaction


def changed(name: str, old: Sequence[Interaction], new: Sequence[Interaction]) -> str | None:
    """Return what changed; None where only what differs each time one asks did."""
    comparison = compare(old, new)
    if comparison.same:
        return None
    lines = map(escape_control_chars, comparison.lines(_MOST_LINES))
    head = f"aquila: {name} was recorded again: {comparison.summary()}"
    return "\n".join([head, *(f"  {line}" for line in lines)])
