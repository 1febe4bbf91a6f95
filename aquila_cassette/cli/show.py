"""`show`: print a cassette as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aquila_cassette import importers
from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.shared_options import AsJson, Folder, app, complete_names
from aquila_cassette.errors import AquilaError
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars, format_size
from aquila_cassette.transcript.interaction_text import InteractionView

if TYPE_CHECKING:
    from aquila_cassette.model import CassetteData
    from aquila_cassette.transcript.interaction_text import Row

_INDENT = 13
_MOST_LINES = 24  # of an answer that is no model's
ENDING_STYLES = {"complete": "green", "closed": "yellow", "failed": "red"}
_ROLE_STYLES = {"system": "yellow", "user": "cyan", "assistant": "green", "model": "green"}
LABEL_STYLES = {"said": "green", "called": "green", "error": "red"}
_STYLES = ENDING_STYLES | {
    "thought": "dim italic",
    "call": "magenta",
    "result": "cyan",
    "tools": "magenta",
    "detail": "dim",
    "refusal": "yellow",
    "error": "red",
    "timing": "blue",
}


@app.command("show")
def run(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME", help="Cassettes, or paths.", autocompletion=complete_names),
    ],
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> int:
    """Show a cassette: what was asked, what the model answered, when, and how it ended.

    \b
    Example:
      aquila-cassette show chat_live.responds
    """
    screen = Screen()
    data: list[dict[str, Any]] = []
    failed = printed = False
    for name in names:
        try:
            path = find(name, folder)
            cassette = importers.load(path)
        except AquilaError as error:
            failed = True
            print_error(str(error))
            continue
        if as_json:
            views = [InteractionView(one).as_json() for one in cassette.interactions]
            about = {"name": name_of(path, folder), "path": display_path(path)}
            program = cassette.recorded_with or None
            data.append({**about, "recorded_with": program, "interactions": views})
            continue
        if printed:
            screen.line()
        printed = True
        _print_cassette(screen, name_of(path, folder), path, cassette)
    if as_json:
        screen.data(data)
    return 2 if failed else 0


def _print_cassette(screen: Screen, name: str, path: Path, cassette: CassetteData) -> None:
    facts = [
        display_path(path) if display_path(path) != name else "",
        count(len(cassette.interactions), "interaction"),
        format_size(path.stat().st_size),
        f"by {cassette.recorded_with}" if cassette.recorded_with else "",
    ]
    screen.line((escape_control_chars(name), "bold"))
    screen.line((escape_control_chars(", ".join(filter(None, facts))), "dim"))
    for number, interaction in enumerate(cassette.interactions, 1):
        screen.line()
        head = f"{number}/{len(cassette.interactions)}"
        _print_interaction(screen, head, InteractionView(interaction))


def _print_interaction(screen: Screen, number: str, view: InteractionView) -> None:
    method, url = escape_control_chars(view.request.method), escape_control_chars(view.request.url)
    screen.line((number, "bold"), " ", (method, "bold"), f" {url}")
    if provenance := view.provenance():
        screen.line((escape_control_chars(provenance), "dim"))
    screen.line()
    requested = list(view.request_rows())
    for row in requested:
        _print_row(screen, row)
    if requested:
        screen.line()
    for row in (*view.answer_rows(), *view.arrival_rows()):
        _print_row(screen, row)


def _print_row(screen: Screen, row: Row) -> None:
    if row.section == "turn":
        label_style = _ROLE_STYLES.get(row.label, "cyan")
    else:
        label_style = LABEL_STYLES.get(row.label, "dim")
    text = f"→ {row.text}" if row.kind == "call" else row.text
    lines = escape_control_chars(text).rstrip("\n").split("\n")
    if row.section == "answer" and row.label == "body" and len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"({len(lines) - _MOST_LINES} more lines in the file)"]
    style = _STYLES.get(row.kind, "")
    label = (escape_control_chars(row.label), label_style)
    screen.labelled(label, [(line, style) for line in lines], indent=_INDENT)
