"""All checks on all files: what is known goes in, findings come out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.age import dates, old
from aquila_cassette.cli.maintenance.damage import damage, dangling, hollow, leaks, of_another
from aquila_cassette.cli.maintenance.doubles import doubles
from aquila_cassette.cli.maintenance.ends import ends
from aquila_cassette.cli.maintenance.finding import MENDS, Finding
from aquila_cassette.cli.maintenance.forms import forms
from aquila_cassette.cli.maintenance.heads import bodiless, lengths, requests, types
from aquila_cassette.cli.maintenance.layout import layout, relaid
from aquila_cassette.cli.maintenance.leftovers import leftovers, leftovers_in
from aquila_cassette.cli.maintenance.links import way_out
from aquila_cassette.cli.maintenance.names import names
from aquila_cassette.cli.maintenance.owners import Orphans, gone, orphans, owners
from aquila_cassette.cli.maintenance.raw import raw_owners
from aquila_cassette.cli.maintenance.secrets import secrets
from aquila_cassette.cli.maintenance.sheet import Sheet
from aquila_cassette.cli.maintenance.timelines import timelines
from aquila_cassette.errors import CassetteError
from aquila_cassette.importers import convert_command, detect_format
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from aquila_cassette.cli.maintenance.census import Census
    from aquila_cassette.cli.maintenance.project import Project

__all__ = [
    "Inspection",
    "Known",
    "Stock",
    "find_orphans",
    "inspect",
    "inspect_sheet",
    "name_in",
    "read",
]

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Known:
    """What the checks go by.

    Args:
        folder: The cassette folder, from which cassettes have their names.
        now: The time.
        redact: What is kept out of cassettes beside the defaults.
        census: What pytest collected; None where that is not known.
        project: The code; None where it is not looked at.
        longest: The greatest age that will do; None for any.
    """

    folder: Path
    now: datetime
    redact: Redaction = field(default_factory=Redaction)
    census: Census | None = None
    project: Project | None = None
    longest: timedelta | None = None

    def rules(self, sheet: Sheet) -> Redaction:
        """Give what is kept out of one cassette: what was said, and what its tests say."""
        return self._rules(owners(sheet), sheet.path)

    def raw_rules(self, path: Path, data: bytes) -> Redaction:
        """Give what is kept out of a file that cannot be read.

        Args:
            path: The file.
            data: Its bytes.
        """
        return self._rules(raw_owners(data), path)

    def _rules(self, owners: Iterable[str], path: Path) -> Redaction:
        if self.census is None:
            return self.redact
        return self.redact | self.census.rules_for(owners, name_in(path, self.folder))


@dataclass(frozen=True)
class Stock:
    """Cassettes, read.

    Args:
        sheets: The files that could be read.
        damaged: The others, each with what was raised.
    """

    sheets: tuple[Sheet, ...]
    damaged: tuple[tuple[Path, CassetteError], ...] = ()

    @property
    def size(self) -> int:
        """How many files there are."""
        return len(self.sheets) + len(self.damaged)

    @property
    def paths(self) -> list[Path]:
        """The files, by name."""
        return sorted([*(sheet.path for sheet in self.sheets), *(path for path, _ in self.damaged)])


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Args:
        findings: By file and line.
        orphans: The cassettes that nobody uses.
    """

    findings: tuple[Finding, ...]
    orphans: Orphans


def name_in(path: Path, folder: Path) -> str:
    """Give the name of a cassette in the cassette folder, without its suffix.

    Args:
        path: The file.
        folder: The folder; a file elsewhere is named by its whole path.
    """
    try:
        whole = path.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError:
        whole = path.absolute().as_posix()
    return whole[: -len(path.suffix)] if path.suffix.lower() in _SUFFIXES else whole


def read(paths: Iterable[Path]) -> Stock:
    """Read cassettes; damaged ones end nothing.

    Args:
        paths: The files.
    """
    sheets: list[Sheet] = []
    damaged: list[tuple[Path, CassetteError]] = []
    for path in paths:
        try:
            sheets.append(Sheet.of(path))
        except CassetteError as error:
            damaged.append((path, error))
        except FileNotFoundError:  # somebody removed it just now
            continue
    return Stock(tuple(sheets), tuple(damaged))


def inspect(stock: Stock, places: Sequence[Path], known: Known) -> Inspection:
    """Check files, and the places they lie in.

    Args:
        stock: The cassettes.
        places: The folders or files that were asked for.
        known: What to go by.
    """
    found = [one for sheet in stock.sheets for one in inspect_sheet(sheet, known)]
    for path, error in stock.damaged:
        if (fault := _fault(path, error)) is not None:
            found.append(damage(path, fault))
        found += _leaks(path, known)
    found += names(stock.paths, known.folder)
    for place in places:
        found += dangling(place)
        found += leftovers(leftovers_in(place))
    found = [_left_outside(one, known, places) if one.mends else one for one in found]
    lost = find_orphans(stock, known)
    # That the tests of an orphan are gone goes without saying.
    found = [one for one in found if one.kind != "gone" or one.path not in lost.sure]
    for path in lost.sure:
        what = "no test uses it"
        found.append(Finding(path, 1, "orphan", what, "aquila-cassette rm --orphans"))
    distinct = dict.fromkeys(found)
    ordered = sorted(distinct, key=lambda one: (str(one.path), one.line))
    return Inspection(tuple(ordered), lost)


def inspect_sheet(sheet: Sheet, known: Known) -> list[Finding]:
    """Check one file that could be read.

    Args:
        sheet: The file.
        known: What to go by.
    """
    found = [
        *hollow(sheet),
        *secrets(sheet, known.rules(sheet), _scrub(sheet.path)),
        *dates(sheet, known.now),
        *doubles(sheet),
        *ends(sheet),
        *requests(sheet),
        *lengths(sheet),
        *bodiless(sheet),
        *types(sheet),
        *forms(sheet),
        *_layout(sheet),
    ]
    if known.longest is not None:
        found += old(sheet, known.longest, known.now)
    if known.census is not None:
        found += gone(sheet, known.census, known.project)
    return found


def _layout(sheet: Sheet) -> list[Finding]:
    """Check what `relaid` can mend, and tell what it does mend."""
    found = [*timelines(sheet), *layout(sheet)]
    text = relaid(sheet) if found else None
    if text is None:
        return found
    mended = Sheet(sheet.path, text.encode(), sheet.tape)
    left = {(one.kind, one.what) for one in (*timelines(mended), *layout(mended))}
    return [
        one if (one.kind, one.what) in left else replace(one, fix=MENDS, mends=True)
        for one in found
    ]


def _left_outside(one: Finding, known: Known, places: Sequence[Path]) -> Finding:
    """Tell what would be mended, and lies outside of the folders that were asked for."""
    real = way_out(one.path, (*places, known.folder), entry=one.kind == "leftover")
    if real is None:
        return one
    command = f"aquila-cassette check --fix {shlex.quote(display_path(real))}"
    return replace(one, fix=f"it leads out of the folder: {command}", mends=False)


def _fault(path: Path, error: CassetteError) -> CassetteError | None:
    """Give what keeps a file from being replayed; a cassette of another recorder is, as it lies."""
    try:
        if of_another(path):
            return None
    except CassetteError as other:
        return other
    except FileNotFoundError:
        pass
    return error


def _leaks(path: Path, known: Known) -> list[Finding]:
    try:
        data = files.read(path)
    except (CassetteError, FileNotFoundError):
        return []
    mends = convert_command(path) if detect_format(data) else _scrub(path)
    return list(leaks(path, data, known.raw_rules(path, data), mends))


def _scrub(path: Path) -> str:
    return f"aquila-cassette scrub {shlex.quote(display_path(path))}"


def find_orphans(stock: Stock, known: Known) -> Orphans:
    """Find the cassettes that nobody uses; none where the tests or the code are not known.

    Args:
        stock: The cassettes.
        known: What to go by.
    """
    if known.census is None or known.project is None:
        return Orphans(())
    named = [(sheet, name_in(sheet.path, known.folder)) for sheet in stock.sheets]
    return orphans(named, known.census, known.project)
