"""``rm --orphans``: cassettes that no test uses, removed."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import typer

from aquila_cassette.cli import collected
from aquila_cassette.cli.check import say_doubt
from aquila_cassette.cli.maintenance.inspection import find_orphans
from aquila_cassette.cli.maintenance.owners import owners
from aquila_cassette.cli.maintenance.writing import remove
from aquila_cassette.cli.output import Screen, align_columns, print_error
from aquila_cassette.cli.shelf import Rules, Shelf, shelf
from aquila_cassette.errors import UsageError
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.cli.maintenance.sheet import Sheet

__all__ = ["run"]


def run(given: Sequence[str], folder: Path, *, orphans: bool, yes: bool, dry_run: bool) -> int:
    """Remove orphans.

    Args:
        given: Names and paths; none for the whole folder.
        folder: The cassette folder.
        orphans: Whether that was asked for; nothing else can be.
        yes: Whether not to ask.
        dry_run: Whether only to list them.

    Returns:
        The exit code: 1 where the user said no or it is a dry run, and there are some; else 0.

    Raises:
        UsageError: It was not asked for, cannot be asked, or cannot be told.
        CassetteSaveError: One could not be removed.
    """
    if not orphans:
        raise UsageError(
            "rm removes what no test uses, and nothing else.",
            fix="Ask for that: aquila-cassette rm --orphans",
        )
    there = shelf(given, folder, rules=Rules(), tests=True)
    if there.stock.size and (there.known.census is None or not there.known.census.tests):
        raise UsageError(
            "It cannot be told which cassettes no test uses: pytest collected no test.",
            fix=f"Run it where the tests are. What pytest says: {collected.COMMAND}",
        )
    lost = find_orphans(there.stock, there.known)
    say_doubt(lost)
    sheets = [sheet for sheet in there.stock.sheets if sheet.path in lost.sure]
    if not sheets:
        print_error(f"No orphans among {count(there.stock.size, 'cassette')}.")
        return 0
    for sheet in sheets:
        _refuse_to_leave(sheet.path, there)
    screen = Screen()
    _list(sheets, screen)
    if dry_run:
        return 1
    if not yes and not _agreed(len(sheets), screen):
        print_error("Nothing was removed.")
        return 1
    for sheet in sheets:
        real = sheet.path.resolve() if sheet.path.is_symlink() else None
        remove(sheet.path, sheet.data)
        if real is not None:
            path, target = (
                escape_control_chars(display_path(sheet.path)),
                escape_control_chars(display_path(real)),
            )
            print_error(f"{path} is a link: {target}, to which it leads, stays.")
    print_error(f"{count(len(sheets), 'cassette')} removed.")
    return 0


def _refuse_to_leave(path: Path, there: Shelf) -> None:
    if (real := there.way_out(path, entry=True)) is not None:
        folder = shlex.quote(display_path(real.parent))
        raise UsageError(
            f"{display_path(path)} leads out of the folder that it is in; it is not removed.",
            facts=[f"to: {display_path(real)}"],
            fix=f"Leave it out, or name that folder: aquila-cassette rm --orphans {folder}",
        )


def _list(sheets: Sequence[Sheet], screen: Screen) -> None:
    rows = []
    for sheet in sheets:
        recorded = [one.recorded_at[:10] for one in sheet.tape.interactions if one.recorded_at]
        by = owners(sheet)
        more = f" +{len(by) - 1}" if len(by) > 1 else ""
        rows.append(
            [
                escape_control_chars(display_path(sheet.path)),
                count(len(sheet.tape.interactions), "interaction"),
                format_size(len(sheet.data)),
                escape_control_chars(max(recorded, default="-")),
                escape_control_chars(f"by {by[0]}{more}") if by else "-",
            ]
        )
    for name, *rest in align_columns(rows, right=[2]):
        screen.line((name, "bold"), "  ", ("  ".join(rest), "dim"))


def _agreed(number: int, screen: Screen) -> bool:
    if not (screen.is_terminal and sys.stdin.isatty()):
        raise UsageError(
            f"{count(number, 'cassette')} would be removed, and nobody can be asked.",
            fix="Look at the list, then: aquila-cassette rm --orphans --yes",
        )
    return typer.confirm(f"Remove {count(number, 'cassette')}?", err=True)
