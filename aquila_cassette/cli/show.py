"""``show``: a cassette as a person reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import responses
from typing import TYPE_CHECKING, Any

from aquila_cassette import importers
from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.errors import AquilaError
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import (
    body_lines,
    count,
    escape_control_chars,
    format_age,
    format_duration,
    format_size,
    json_lines,
    parse_time,
)
from aquila_cassette.transcript.interaction import InteractionView, arrival_bar, count_arrivals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.cli.output import Span
    from aquila_cassette.model import CassetteData

__all__ = ["end_of", "head_of", "run"]

_BAR = 40
_MOST_LINES = 24  # of an answer that is no model's
_INDENT = 13
_KINDS = {"words": "", "part": "", "thought": "dim italic", "call": "magenta", "result": "cyan"}
_ROLES = {"system": "yellow", "user": "cyan", "assistant": "green", "model": "green"}
_ENDS = {"complete": "green", "closed": "yellow", "failed": "red"}


def run(names: Sequence[str], folder: Path, *, as_json: bool) -> int:
    """Show the cassettes that `names` mean, one after the other.

    Args:
        names: Names of cassettes, or paths.
        folder: The cassette folder.
        as_json: Whether a program reads it.

    Returns:
        The exit code: 2 where one could not be read, else 0.
    """
    screen = Screen()
    told: list[dict[str, Any]] = []
    failed = shown_before = False
    for name in names:
        try:
            path = find(name, folder)
            tape = importers.load(path)
        except AquilaError as error:
            failed = True
            print_error(str(error))
            continue
        if as_json:
            told.append(_as_json(name_of(path, folder), path, tape))
            continue
        if shown_before:
            screen.line()
        shown_before = True
        _Shower(screen).tape(name_of(path, folder), path, tape)
    if as_json:
        screen.data(told)
    return 2 if failed else 0


def _as_json(name: str, path: Path, tape: CassetteData) -> dict[str, Any]:
    return {
        "name": name,
        "path": display_path(path),
        "recorded_with": tape.recorded_with or None,
        "interactions": [
            InteractionView(interaction).as_json() for interaction in tape.interactions
        ],
    }


class _Shower:
    """Shows one cassette.

    Args:
        screen: Where.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def tape(self, name: str, path: Path, tape: CassetteData) -> None:
        """Show all of it."""
        where = display_path(path)
        facts = [
            *([where] if where != name else []),
            count(len(tape.interactions), "interaction"),
            format_size(path.stat().st_size),
            *([f"by {tape.recorded_with}"] if tape.recorded_with else []),
        ]
        self._screen.line((escape_control_chars(name), "bold"))
        self._screen.line((escape_control_chars(", ".join(facts)), "dim"))
        for number, interaction in enumerate(tape.interactions, 1):
            self._screen.line()
            self._interaction(f"{number}/{len(tape.interactions)}", InteractionView(interaction))

    def _interaction(self, number: str, told: InteractionView) -> None:
        request = told.request
        self._screen.line(
            (number, "bold"),
            " ",
            (escape_control_chars(request.method), "bold"),
            f" {escape_control_chars(request.url)}",
        )
        if provenance := _provenance(told):
            self._screen.line((escape_control_chars(provenance), "dim"))
        self._screen.line()
        if request.body or told.asked.model:
            self._request(told)
            self._screen.line()
        self._answer(told)
        self._stream(told)

    def _request(self, told: InteractionView) -> None:
        asked = told.asked
        if asked.model:
            self._row("model", asked.model)
        for turn in asked.turns:
            lead = f"{self._screen.glyphs.arrow} " if turn.kind == "call" else ""
            label = (turn.role, _ROLES.get(turn.role, "cyan"))
            self._row(label, lead + turn.text, _KINDS[turn.kind])
        if asked.tools:
            self._row("tools", "\n".join(asked.tools), "magenta")
        if asked.rest:
            self._row("with", "\n".join(json_lines(asked.rest)), "dim")
        if asked.other:
            self._row("body", asked.other, "dim")

    def _answer(self, told: InteractionView) -> None:
        said = told.said
        self._row("answer", head_of(told))
        if said.reasoning:
            self._row("thought", said.reasoning, "dim italic")
        if said.text:
            self._row(("said", "green"), said.text)
        if said.refusal:
            self._row("refused", said.refusal, "yellow")
        for call in said.tool_calls:
            lead = f"{self._screen.glyphs.arrow} {call.name} "
            self._row(("called", "green"), lead + call.arguments, "magenta")
        if said.error:
            self._row(("error", "red"), said.error, "red")
        heard = said.text or said.refusal or said.tool_calls or said.reasoning or said.error
        if told.response.body and not heard:
            self._row("body", "\n".join(_body(told)), "dim")

    def _stream(self, told: InteractionView) -> None:
        pieces = told.response.pieces
        came = f"{count(len(pieces), 'piece')}, {format_size(len(told.response.body))}"
        if not pieces:
            came = "nothing"
        elif told.events is not None:
            came = f"{count(told.events, 'event')} in {came}"
        self._row("came", came)
        times = [piece.at for piece in pieces]
        if len(times) > 1 and max(times):
            drawn = arrival_bar(
                count_arrivals(times, _BAR), ascii_only=self._screen.glyphs.ascii_only
            )
            spans = f"{format_duration(max(times))}, first after {format_duration(min(times))}"
            self._row("arrived", f"{drawn} {spans}", "blue")
        self._row("ended", *end_of(told))
        if counted := _counted(told.said.usage):
            self._row("usage", counted, "dim")

    def _row(self, label: Span, text: str, style: str = "") -> None:
        label = (label, "dim") if isinstance(label, str) else label
        label = (escape_control_chars(label[0]), label[1])
        lines = [(line, style) for line in escape_control_chars(text).rstrip("\n").split("\n")]
        self._screen.labelled(label, lines, indent=_INDENT)


def _provenance(told: InteractionView) -> str:
    """Say when it was recorded and whose it is."""
    interaction = told.interaction
    at = parse_time(interaction.recorded_at)
    parts = []
    if at is not None:
        ago = format_age(at, datetime.now(UTC))
        parts.append(
            f"recorded {at:%Y-%m-%d %H:%M} UTC ({'just now' if ago == 'now' else f'{ago} ago'})"
        )
    elif interaction.recorded_at:
        parts.append(f"recorded {interaction.recorded_at}")
    if interaction.recorded_by:
        parts.append(f"by {interaction.recorded_by}")
    return ", ".join(parts)


def head_of(told: InteractionView) -> str:
    """Say what answered: the status, the dialect, the model where another was asked for.

    Args:
        told: The interaction.
    """
    status = told.response.status
    if status is None:
        return "none"
    phrase = responses.get(status, "") if status >= 400 else ""
    model = told.said.model
    wait = told.response.header("retry-after")
    parts = [
        f"{status} {phrase}".rstrip(),
        told.title or told.content_type or "",
        model if model and model != told.asked.model else "",
        f"retry after {wait}" if wait else "",
    ]
    return ", ".join(filter(None, parts))


def _body(told: InteractionView) -> list[str]:
    """Give the lines of an answer that is no model's, as many as one wants to see."""
    lines = body_lines(told.response.body, told.content_type)
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], f"({len(lines) - _MOST_LINES} more lines in the file)"]


def end_of(told: InteractionView) -> tuple[str, str]:
    """Say how it ended, and in which style.

    Args:
        told: The interaction.
    """
    response = told.response
    match response.ended:
        case "complete":
            how = "complete"
        case "closed":
            how = "closed by its consumer"
        case "failed":
            error = response.error
            why = [error.type, error.message] if error else []
            how = ": ".join(["failed", *filter(None, why)])
    reason = told.said.finish_reason
    return f"{how} ({reason})" if reason else how, _ENDS[response.ended]


def _counted(usage: dict[str, Any] | None) -> str:
    """Give the provider's counts that count something, under its own names."""
    pairs = (usage or {}).items()
    return ", ".join(f"{name} {number}" for name, number in pairs if type(number) is int and number)
