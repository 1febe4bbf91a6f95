"""``scrub``: secrets taken out of cassettes, in place."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.damage import leaks, of_another
from aquila_cassette.cli.maintenance.masked import difference
from aquila_cassette.cli.maintenance.raw import raw_scrubbed, raw_secrets
from aquila_cassette.cli.maintenance.scrubbing import scrubbed
from aquila_cassette.cli.maintenance.writing import replace_raw, rewrite
from aquila_cassette.cli.output import Screen, print_diff, print_error
from aquila_cassette.cli.shelf import Rules, Shelf, shelf
from aquila_cassette.errors import AquilaError, CassetteSaveError
from aquila_cassette.importers import FORMAT_NAMES, ForeignFormat, convert_command, detect_format
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.redaction import Redaction

__all__ = ["run"]


def run(given: Sequence[str], folder: Path, *, rules: Rules, tests: bool, dry_run: bool) -> int:
    """Scrub cassettes.

    Args:
        given: Names and paths; none for the whole folder.
        folder: The cassette folder.
        rules: What the command line says about secrets.
        tests: Whether to ask pytest for the rules of the suite.
        dry_run: Whether to change nothing.

    Returns:
        The exit code: 2 where a file could not be read or written, 1 where a dry run found
        something, else 0.
    """
    there = shelf(given, folder, rules=rules, tests=tests)
    screen = Screen()
    failed = False
    done = kept = 0
    for path, damage in there.stock.damaged:
        kind = _of_another(path)
        if kind is None:
            failed = True
            print_error(escape_control_chars(str(damage)))
        try:
            if kind is None:
                done += _scrub_damaged(path, there, screen, dry_run=dry_run)
            else:
                _refuse_secrets_of_another(path, kind, there)
        except AquilaError as error:
            kept += 1
            print_error(escape_control_chars(str(error)))
    for sheet in there.stock.sheets:
        try:
            done += _scrub(sheet, there, screen, dry_run=dry_run)
        except AquilaError as error:
            kept += 1
            print_error(escape_control_chars(str(error)))
    print_error(_summary(done, kept, there.stock.size, dry_run=dry_run))
    return 2 if failed or kept else 1 if dry_run and done else 0


def _scrub(sheet: Sheet, there: Shelf, screen: Screen, *, dry_run: bool) -> bool:
    new = scrubbed(sheet, there.known.rules(sheet))
    if new is None:
        return False
    _refuse_to_leave(sheet.path, there)
    _show(sheet.path, difference(sheet.text, new.text, names=_headers(sheet)), screen)
    if not dry_run:
        rewrite(sheet.path, sheet.data, sheet.encoded(new.text), new.interactions)
    return True


def _of_another(path: Path) -> ForeignFormat | None:
    """Tell whose format it is in, if another recorder's that replays as it lies."""
    try:
        return of_another(path)
    except (AquilaError, FileNotFoundError):
        return None


def _refuse_secrets_of_another(path: Path, kind: ForeignFormat, there: Shelf) -> None:
    """Refuse to change another recorder's cassette: a mark for a header's value could spoil it."""
    data = files.read(path)
    mend = convert_command(path)
    every = leaks(path, data, there.known.raw_rules(path, data), mend)
    if lines := list(dict.fromkeys(str(one.line) for one in every if one.kind == "secret")):
        raise CassetteSaveError(
            f"{display_path(path)} holds a secret, and is in {FORMAT_NAMES[kind]}, which scrub does not change.",
            path=path,
            facts=[f"line: {', '.join(lines)}"],
            fix=f"Make a cassette without it: {mend}",
        )


def _scrub_damaged(path: Path, there: Shelf, screen: Screen, *, dry_run: bool) -> bool:
    """Put a mark where each secret stands in a file that cannot be read, and leave it so."""
    try:
        old = files.read(path)
    except (AquilaError, FileNotFoundError):  # which was told already
        return False
    if detect_format(
        old
    ):  # a mark in the place of a header such as content-encoding would spoil it
        return False
    rules = there.known.raw_rules(path, old)
    new = raw_scrubbed(old, rules)
    if new is None:
        _refuse_to_leave_a_secret(path, old, rules)
        return False
    _refuse_to_leave(path, there)
    before, after = (data.decode("utf-8", "replace") for data in (old, new))
    _show(path, difference(before, after), screen)
    if not dry_run:
        replace_raw(path, old, new)
    return True


def _show(path: Path, lines: Iterable[str], screen: Screen) -> None:
    name = escape_control_chars(display_path(path))
    screen.line((f"--- {name}", "bold"))
    screen.line((f"+++ {name}", "bold"))
    print_diff(lines, screen)


def _refuse_to_leave(path: Path, there: Shelf) -> None:
    if (real := there.way_out(path)) is not None:
        raise CassetteSaveError(
            f"{display_path(path)} holds a secret, and leads out of the folder that it is in.",
            path=path,
            facts=[f"to: {display_path(real)}"],
            fix=f"Scrub that file itself: aquila-cassette scrub {shlex.quote(display_path(real))}",
        )


def _refuse_to_leave_a_secret(path: Path, data: bytes, rules: Redaction) -> None:
    if left := raw_secrets(data, rules):
        lines = ", ".join(dict.fromkeys(str(one.line) for one in left))
        raise CassetteSaveError(
            f"{display_path(path)} still holds a secret, which cannot be taken out safely.",
            path=path,
            facts=[f"line: {lines}"],
            fix="Delete the file, or take it out by hand",
        )


def _headers(sheet: Sheet) -> set[str]:
    """Give the names of all headers on a cassette: they are shown, though what they hold is not."""
    return {
        name
        for one in sheet.tape.interactions
        for name, _ in (*one.request.headers, *one.response.headers)
    }


def _summary(done: int, kept: int, size: int, *, dry_run: bool) -> str:
    if kept and not done:
        return f"Nothing scrubbed in {count(size, 'cassette')}."
    if not done:
        return f"Nothing to hide in {count(size, 'cassette')}."
    would = "would be " if dry_run else ""
    return f"{count(done, 'cassette')} of {size} {would}scrubbed."
