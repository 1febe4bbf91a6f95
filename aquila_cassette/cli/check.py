"""``check``: what is wrong with the cassettes of a shelf."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aquila_cassette.cli import findings
from aquila_cassette.cli.maintenance.finding import KINDS
from aquila_cassette.cli.maintenance.inspection import Inspection, inspect, inspect_sheet
from aquila_cassette.cli.maintenance.mending import mend
from aquila_cassette.cli.maintenance.writing import remove_leftover
from aquila_cassette.cli.options import Format
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.shelf import Rules, Shelf, shelf
from aquila_cassette.errors import AquilaError, UsageError
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars, parse_timespan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.cli.maintenance.finding import Finding
    from aquila_cassette.cli.maintenance.owners import Orphans

__all__ = ["run", "say_doubt"]


def run(
    given: Sequence[str],
    folder: Path,
    *,
    rules: Rules,
    max_age: str | None,
    ignore: Sequence[str],
    tests: bool,
    fix: bool,
    how: Format,
) -> int:
    """Check cassettes.

    Args:
        given: Names and paths; none for the whole folder.
        folder: The cassette folder.
        rules: What the command line says about secrets.
        max_age: The greatest age that will do, as the user wrote it.
        ignore: Kinds of fault to pass over.
        tests: Whether to ask pytest for the tests.
        fix: Whether to mend what is safe to mend.
        how: How to write the findings.

    Returns:
        The exit code: 1 where something is left to see to, else 0.

    Raises:
        UsageError: An argument cannot be meant.
    """
    _refuse_unknown(ignore)
    longest = None if max_age is None else parse_timespan(max_age)
    there = shelf(given, folder, rules=rules, tests=tests, longest=longest)
    inspection = inspect(there.stock, there.places, there.known)
    found = [one for one in inspection.findings if one.kind not in ignore]
    fixed = _fix(found, there) if fix else []
    findings.show(found, fixed, how, Screen())
    say_doubt(inspection.orphans)
    if how is Format.text:
        print_error(_summary(found, fixed, inspection, there))
    return 1 if len(found) > len(fixed) else 0


def say_doubt(orphans: Orphans) -> None:
    """Say of which cassettes it cannot be told whether somebody uses them, and why.

    Args:
        orphans: What was found out.
    """
    if orphans.doubtful:
        names = ", ".join(escape_control_chars(display_path(path)) for path in orphans.doubtful)
        print_error(
            f"Perhaps no test uses {names}. It cannot be told: "
            f"{escape_control_chars(orphans.doubt)} opens a cassette whose name is made when it runs."
        )


def _refuse_unknown(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(
                f"There is no kind of finding {kind!r}.",
                facts=[f"known: {', '.join(KINDS)}"],
                fix="See what each is: aquila-cassette check --help",
            )


def _fix(found: Sequence[Finding], there: Shelf) -> list[Finding]:
    """Mend what can be mended; give the findings that are so no more."""
    fixed: list[Finding] = []
    paths = [sheet.path for sheet in there.stock.sheets]
    wanted = [one for one in found if one.mends]
    for one in wanted:
        if one.kind == "leftover" and remove_leftover(one.path, paths, time.time()):
            fixed.append(one)
    for sheet in there.stock.sheets:
        ours = [one for one in wanted if one.path == sheet.path and one.kind != "leftover"]
        try:
            mended = mend(sheet) if ours else None
        except AquilaError as error:
            print_error(escape_control_chars(str(error)))
            continue
        if mended is not None:
            left = {(one.kind, one.what) for one in inspect_sheet(mended, there.known)}
            fixed += [one for one in ours if (one.kind, one.what) not in left]
    return fixed


def _summary(
    found: Sequence[Finding], fixed: Sequence[Finding], inspection: Inspection, there: Shelf
) -> str:
    tapes = count(there.stock.size, "cassette")
    if not there.stock.size and not found:
        return "No cassettes there. A test that opens one records it: pytest"
    left = [one for one in found if one not in fixed]
    done = f"{count(len(fixed), 'finding')} fixed. " if fixed else ""
    if not left:
        return f"{done}Nothing {'else ' if fixed else ''}found in {tapes}."
    where = len({one.path for one in left})
    mends = sum(one.mends for one in left)
    rest = f" --fix mends {mends} of them." if mends and not fixed else ""
    return f"{done}{count(len(left), 'finding')} in {where} of {tapes}.{rest}"
