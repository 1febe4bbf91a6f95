"""What changed in a cassette that a test recorded again, as lines of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.model import CassetteData
from aquila_cassette.transcript.comparison import compare
from aquila_cassette.transcript.comparison.lines import LABELS, lines, plain
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.model import Interaction
    from aquila_cassette.transcript.comparison import Compared

__all__ = ["changed"]

_INDENT = 13


def changed(name: str, old: Sequence[Interaction], new: Sequence[Interaction]) -> str | None:
    """Say what changed; None where nothing did that does not change each time.

    Args:
        name: The cassette's path as people see it.
        old: What gave way.
        new: What came instead.
    """
    comparison = compare(CassetteData(tuple(old)), CassetteData(tuple(new)))
    if comparison.same:
        return None
    rows = [f"aquila: {name} was recorded again: {comparison.summary()}"]
    for one in comparison.interactions:
        if one.state != "same":
            rows += _interaction(one)
    return "\n".join(rows)


def _interaction(one: Compared) -> Iterator[str]:
    interaction = one.new or one.old
    assert interaction
    request = interaction.request
    state = "" if one.state == "changed" else f" {one.state}"
    number = one.new_number or one.old_number
    yield escape_control_chars(f"  {number} {request.method} {request.url}{state}")
    for change in one.changes:
        label = LABELS.get(change.aspect, change.aspect)
        for line in plain(lines(change)):
            yield escape_control_chars(f"    {label:<{_INDENT - 4}}{line}")
            label = ""
