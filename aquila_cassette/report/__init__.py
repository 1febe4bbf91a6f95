"""``report``: a page to look through a shelf of cassettes, in one file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.errors import UsageError
from aquila_cassette.report.page import page
from aquila_cassette.report.shelf import entries
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.report.shelf import Entry

__all__ = ["run"]

_OURS = b"<!doctype html>"


def run(place: Path | None, folder: Path, output: Path, *, open_it: bool) -> int:
    """Write the report of the cassettes in `place`, or of all.

    Args:
        place: A folder or a file; None for the cassette folder.
        folder: The cassette folder.
        output: The file to write; a page that stands there is replaced.
        open_it: Whether to open it in the browser.

    Returns:
        The exit code: 2 where a cassette is damaged, else 0.

    Raises:
        UsageError: There is no such place, or the page cannot stand where it shall.
    """
    if place is not None and not place.exists():
        raise UsageError(
            f"There is no {display_path(place)!r} to report on.",
            fix="Report on the cassette folder: aquila-cassette report",
        )
    where = place or folder
    found = list(entries(where, folder))
    about = {
        "place": display_path(where),
        "made": round(datetime.now(UTC).timestamp() * 1000),
        "by": f"aquila-cassette {version('aquila-cassette')}",
    }
    octets = _write(output, page(found, about=about))
    _tell(output, octets, found, where)
    if open_it:
        import webbrowser

        webbrowser.open(output.absolute().as_uri())
    return 2 if any(entry.full is None for entry in found) else 0


def _write(output: Path, data: bytes) -> int:
    """Put the page where it shall stand; never over a file that is none."""
    target = Path(os.path.realpath(output))
    try:
        if target.exists() and target.read_bytes()[: len(_OURS)].lower() != _OURS:
            raise UsageError(
                f"{display_path(output)} is no page, and would be lost.",
                fix="Name another file: aquila-cassette report -o report.html",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        files.replace_file(target, data, check=lambda _written: None)
    except OSError as error:
        raise UsageError(
            f"{display_path(output)} could not be written: {(error.strerror or str(error)).lower()}.",
            fix="Name another file: aquila-cassette report -o report.html",
        ) from error
    return len(data)


def _tell(output: Path, octets: int, found: Sequence[Entry], where: Path) -> None:
    screen = Screen()
    total = sum(len(entry.full or ()) for entry in found)
    facts = f"{count(len(found), 'cassette')}, {count(total, 'interaction')}, {format_size(octets)}"
    screen.line((escape_control_chars(display_path(output)), "bold"), f" {facts}")
    if not found:
        print_error(
            f"No cassettes in {display_path(where)} yet. A test that opens one records it: pytest"
        )
    damaged = [entry.short["name"] for entry in found if entry.full is None]
    if damaged:
        print_error(
            f"{len(damaged)} of {count(len(found), 'file')} cannot be read. "
            f"What is wrong: aquila-cassette show {escape_control_chars(damaged[0])}"
        )
