"""What came of recording cassettes again: what changed in them, and which stayed as they were."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from aquila_cassette.cli.output import align_columns, print_diff
from aquila_cassette.transcript.comparison import compare
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.cli.output import Screen
    from aquila_cassette.model import CassetteData
    from aquila_cassette.transcript.comparison import Comparison

__all__ = ["Outcome", "show_outcomes"]

_HEADINGS = ("NAME", "RESULT", "CHANGED, OR WHY NOT")
_STYLES = {"re-recorded": "green", "in part": "yellow", "kept": "red"}
_SHRINK = ((2, 30), (0, 20), (2, 12))
_MOST_LINES = 40  # of the differences of one interaction


@dataclass(frozen=True)
class Outcome:
    """What became of one cassette, from `old` to `new`; `why` it was not, or not all of it."""

    name: str
    result: Literal["re-recorded", "in part", "kept"]
    old: CassetteData
    new: CassetteData
    why: str = ""

    @cached_property
    def comparison(self) -> Comparison:
        return compare(self.old.interactions, self.new.interactions)

    @property
    def changed(self) -> str:
        """What changed in a few words, or why nothing did."""
        if self.result == "kept":
            return self.why
        summary = self.comparison.summary() if self.old.interactions else "new"
        return f"{summary}; {self.why}" if self.why else summary


def show_outcomes(screen: Screen, outcomes: Sequence[Outcome]) -> None:
    """Print what changed in each cassette, then a line for each, then how many there were."""
    for one in outcomes:
        if one.result != "kept" and one.old.interactions and not one.comparison.same:
            screen.line((escape_control_chars(one.name), "bold"))
            print_diff(one.comparison.lines(_MOST_LINES), screen)
            screen.line()
    rows = [
        (escape_control_chars(one.name), one.result, _one_line(one.changed)) for one in outcomes
    ]
    heading, *table = align_columns(
        [_HEADINGS, *rows], shrink=_SHRINK, width=screen.width, ellipsis=screen.glyphs.ellipsis
    )
    screen.line(("  ".join(heading), "dim"))
    for (name, result, changed), one in zip(table, outcomes, strict=True):
        screen.line((name, "bold"), "  ", (result, _STYLES[one.result]), "  ", changed)
    screen.line()
    screen.line(_summary(outcomes))


def _summary(outcomes: Sequence[Outcome]) -> str:
    results = [one.result for one in outcomes]
    rerecorded = [one for one in outcomes if one.result != "kept"]
    changed = sum(not one.comparison.same for one in rerecorded)
    parts = [f"{count(results.count('re-recorded'), 'cassette')} re-recorded"]
    if partly := results.count("in part"):
        parts.append(f"{partly} in part")
    if kept := results.count("kept"):
        parts.append(f"{kept} kept as before")
    summary = ", ".join(parts)
    return f"{summary}; {changed or 'nothing'} changed." if rerecorded else f"{summary}."


def _one_line(text: str) -> str:
    return escape_control_chars(" ".join(text.split()))
