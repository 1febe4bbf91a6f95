"""``scrub``: secrets taken out of tapes, in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cassette.names import shown
from aquila_cassette.cassette.words import clean, count
from aquila_cassette.cli import patches
from aquila_cassette.cli.screen import Screen, complain
from aquila_cassette.cli.shelf import Rules, shelf
from aquila_cassette.errors import AquilaError
from aquila_cassette.shelf.masked import difference
from aquila_cassette.shelf.scrubbing import scrubbed
from aquila_cassette.shelf.writing import rewrite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.shelf.sheet import Sheet

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
    done = 0
    for _, error in there.stock.damaged:
        failed = True
        complain(clean(str(error)))
    for sheet in there.stock.sheets:
        new = scrubbed(sheet, there.known.rules(sheet))
        if new is None:
            continue
        name = clean(shown(sheet.path))
        screen.line((f"--- {name}", "bold"))
        screen.line((f"+++ {name}", "bold"))
        patches.show(difference(sheet.text, new.text, names=_headers(sheet)), screen)
        try:
            if not dry_run:
                rewrite(sheet.path, sheet.data, sheet.encoded(new.text), new.interactions)
            done += 1
        except AquilaError as error:
            failed = True
            complain(clean(str(error)))
    complain(_summary(done, there.stock.size, dry_run=dry_run))
    return 2 if failed else 1 if dry_run and done else 0


def _headers(sheet: Sheet) -> set[str]:
    """Give the names of all headers on a tape: they are shown, though what they hold is not."""
    return {
        name
        for one in sheet.tape.interactions
        for name, _ in (*one.request.headers, *one.response.headers)
    }


def _summary(done: int, size: int, *, dry_run: bool) -> str:
    if not done:
        return f"Nothing to hide in {count(size, 'cassette')}."
    would = "would be " if dry_run else ""
    return f"{count(done, 'cassette')} of {size} {would}scrubbed."
