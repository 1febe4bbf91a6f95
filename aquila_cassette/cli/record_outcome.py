"""Report what a run of `record` changed, and what it left as it was."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from aquila_cassette.cli.output import print_diff, print_error
from aquila_cassette.transcript.comparison import compare
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.cli.output import Screen
    from aquila_cassette.model import CassetteData
    from aquila_cassette.transcript.comparison import Comparison


Result = Literal["re-recorded", "in part", "kept"]

_HEADINGS = ("NAME", "RESULT", "CHANGED, OR WHY NOT")
_STYLES = {"re-recorded": "green", "in part": "yellow", "kept": "red"}
_SHRINK = ((2, 30), (0, 20), (2, 12))
_INTERRUPTED = 130  # what a shell gives a program that Ctrl-C ended
_MOST_LINES = 40  # of the differences of one interaction


@dataclass(frozen=True)
class Outcome:
    """What became of one cassette, from `old` to `new`; `why` it was not, or not all of it."""

    name: str
    result: Result
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


def show_outcomes(screen: Screen, outcomes: Sequence[Outcome], *, is_stopped: bool) -> int:
    """Print what changed in each cassette, a line for each, and a sum; return the exit code."""
    for one in outcomes:
        if one.result != "kept" and one.old.interactions and not one.comparison.same:
            screen.line((escape_control_chars(one.name), "bold"))
            print_diff(one.comparison.lines(_MOST_LINES), screen)
            screen.line()
    rows = [
        ((one.name, "bold"), (one.result, _STYLES[one.result]), " ".join(one.changed.split()))
        for one in outcomes
    ]
    for line in screen.table(_HEADINGS, rows, shrink=_SHRINK):
        screen.line(line)
    screen.line()
    screen.line(_summary(outcomes))
    if is_stopped:
        print_error("Stopped. Each cassette is whole: the old one or the new one.")
        return _INTERRUPTED
    return int(any(one.result != "re-recorded" for one in outcomes))


def _summary(outcomes: Sequence[Outcome]) -> str:
    results: list[str] = [one.result for one in outcomes]
    summary = f"{count(results.count('re-recorded'), 'cassette')} re-recorded"
    for result, words in (("in part", "in part"), ("kept", "kept as before")):
        if number := results.count(result):
            summary += f", {number} {words}"
    if set(results) != {"kept"}:
        changed = sum(one.result != "kept" and not one.comparison.same for one in outcomes)
        summary += f"; {changed or 'nothing'} changed"
    return f"{summary}."
