"""What changed between two recordings, as a person reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.matching.difference import cut
from aquila_cassette.transcript.comparison.lines import LABELS, lines, plain
from aquila_cassette.transcript.humanize import escape_control_chars
from aquila_cassette.transcript.interaction import InteractionView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.output import Screen, Span
    from aquila_cassette.model import Interaction
    from aquila_cassette.transcript.comparison import Change, Compared, Comparison
    from aquila_cassette.transcript.comparison.lines import Line

__all__ = ["as_json", "show_changes"]

_INDENT = 13
_STYLES = {" ": "", "-": "red", "+": "green", "@": "cyan"}
_STATES = {"added": "green", "removed": "red", "moved": "yellow", "changed": "bold"}


def show_changes(screen: Screen, comparison: Comparison) -> None:
    """Print what changed, interaction by interaction; nothing where nothing did.

    Args:
        screen: Where.
        comparison: What `compare` gave.
    """
    shower = _Shower(screen)
    first = True
    for change in comparison.changes:
        shower.change(change)
        first = False
    for one in comparison.interactions:
        if one.state != "same":
            if not first:
                screen.line()
            first = False
            shower.interaction(one)


class _Shower:
    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def interaction(self, one: Compared) -> None:
        told = InteractionView(_interaction(one))
        state = one.state
        head: list[Span] = [
            (_number(one, self._screen.glyphs.arrow), "bold"),
            " ",
            (escape_control_chars(told.request.method), "bold"),
            f" {escape_control_chars(told.request.url)}",
        ]
        if state != "changed" or one.moved:
            head += [" ", (_state(one), _STATES[state])]
        self._screen.line(*head)
        if one.old is None or one.new is None:
            sign = "+" if one.old is None else "-"
            for label, text in _gist(told):
                self._row(
                    label,
                    [
                        [
                            (
                                f"{sign}{escape_control_chars(cut(' '.join(text.split())))}",
                                _STYLES[sign],
                            )
                        ]
                    ],
                )
        for change in one.changes:
            self.change(change)

    def change(self, change: Change) -> None:
        shown = lines(change, arrow=self._screen.glyphs.arrow)
        self._row(LABELS.get(change.aspect, change.aspect), [_styled(line) for line in shown])

    def _row(self, label: str, rows: list[list[Span]]) -> None:
        self._screen.labelled((label, "dim"), rows, indent=_INDENT)


def _interaction(one: Compared) -> Interaction:
    """Give the newer of the two, or the only one."""
    interaction = one.new or one.old
    assert interaction
    return interaction


def _number(one: Compared, arrow: str) -> str:
    if one.old_number and one.new_number and one.old_number != one.new_number:
        return f"{one.old_number} {arrow} {one.new_number}"
    return str(one.new_number or one.old_number)


def _gist(told: InteractionView) -> Iterator[tuple[str, str]]:
    """Say in a line each what was asked last, and what came."""
    words = [turn for turn in told.asked.turns if turn.kind == "words"]
    if words:
        yield words[-1].role, words[-1].text
    said = told.said
    if said.text:
        yield "said", said.text
    for call in said.tool_calls:
        yield "called", f"{call.name} {call.arguments}"
    if said.error:
        yield "error", said.error
    if told.outcome != "complete":
        yield "ended", told.outcome


def _styled(line: Line) -> list[Span]:
    return [(escape_control_chars(span.text), _STYLES[span.sign]) for span in line]


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Give a comparison as the JSON that programs read.

    Args:
        comparison: What `compare` gave.
    """
    return {
        "same": comparison.same,
        "summary": comparison.summary(),
        "changes": _changes(comparison.changes),
        "interactions": [
            {
                "state": one.state,
                "old": one.old_number,
                "new": one.new_number,
                "moved": one.moved,
                "method": _interaction(one).request.method,
                "url": _interaction(one).request.url,
                "changes": _changes(one.changes),
            }
            for one in comparison.interactions
        ],
    }


def _changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [{"aspect": one.aspect, "lines": plain(lines(one))} for one in changes]


def _state(one: Compared) -> str:
    return "changed, moved" if one.state == "changed" else one.state
