"""Who uses a cassette: the test that recorded it, a marker, a name in the code; and who no longer does.

A cassette is an orphan only where nothing speaks for it: no interaction was recorded by a test that is
there or may be there, no collected test opens it by its marker or its own name, no call in the
project's code can come to its name, and its name stands in quotes in no file of the project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.cli.maintenance.openings import openings
from aquila_cassette.cli.maintenance.reach import ANYTHING, Reach
from aquila_cassette.cli.maintenance.standing import standing
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from aquila_cassette.cli.maintenance.census import Census
    from aquila_cassette.cli.maintenance.project import Project
    from aquila_cassette.cli.maintenance.sheet import Sheet

__all__ = ["Orphans", "gone", "orphans", "owners"]


@dataclass(frozen=True, slots=True)
class Orphans:
    """The cassettes that nobody uses.

    Args:
        sure: Those of which it is sure.
        doubtful: Those that only code uses that cannot be followed, if anybody does.
        doubt: Where that code is: ``tests/test_chat.py:12``; empty where there is none.
    """

    sure: tuple[Path, ...]
    doubtful: tuple[Path, ...] = ()
    doubt: str = ""


def owners(sheet: Sheet) -> list[str]:
    """List the tests that recorded what is on a cassette, each once.

    Args:
        sheet: The file.
    """
    recorded_by = (one.recorded_by for one in sheet.tape.interactions)
    return list(dict.fromkeys(by for by in recorded_by if by))


def gone(sheet: Sheet, census: Census, project: Project | None) -> Iterator[Finding]:
    """Find interactions whose test no longer exists; one finding for each such test.

    Args:
        sheet: The file.
        census: What was collected.
        project: The code; None where it is not looked at.
    """
    told: set[str] = set()
    for number, interaction in sheet.numbered:
        by = interaction.recorded_by
        if by and by not in told and standing(by, sheet.path, census, project) == "gone":
            told.add(by)
            line = sheet.line("interactions", number, "recorded_by")
            what = f"recorded_by names {by}, which no longer exists"
            yield Finding(
                sheet.path, line, "gone", what, "record it again by the test that uses it"
            )


def orphans(sheets: Sequence[tuple[Sheet, str]], census: Census, project: Project) -> Orphans:
    """Find the cassettes that nobody uses.

    Args:
        sheets: The files, each with its name in the cassette folder, without its suffix.
        census: What was collected. Where that is nothing, nothing is an orphan.
        project: The code.
    """
    if not census.tests:
        return Orphans(())
    opened = {name.casefold() for name in census.tests.values() if name}
    left = [
        (sheet.path, name)
        for sheet, name in sheets
        if all(standing(by, sheet.path, census, project) == "gone" for by in owners(sheet))
        and not opened.intersection(_tails(name))
    ]
    if left:
        left = _unnamed(left, project)
    if not left:
        return Orphans(())
    doubt = ""
    reach = Reach(project)
    for opening in openings(project):
        pattern = reach.pattern(opening.name, opening.source) if opening.name else ANYTHING
        if pattern == ANYTHING:
            doubt = doubt or f"{display_path(opening.source.path)}:{opening.line}"
            continue
        meant = re.compile(rf"(?:{pattern})(?:\.ya?ml)?", re.DOTALL | re.IGNORECASE)
        left = [pair for pair in left if not any(map(meant.fullmatch, _tails(pair[1])))]
    paths = tuple(path for path, _ in left)
    return Orphans((), paths, doubt) if doubt and paths else Orphans(paths)


def _unnamed(left: Sequence[tuple[Path, str]], project: Project) -> list[tuple[Path, str]]:
    """Leave those whose name stands in quotes, or as the name of a file, nowhere in the project."""
    every = sorted({tail for _, name in left for tail in _tails(name)}, key=len, reverse=True)
    names = "|".join(map(re.escape, every))
    # In quotes, in which a folder may stand before it; or as a file's name, without quotes.
    pattern = re.compile(
        rf"""(?<=["'`/])({names})(?=(?:\.ya?ml)?\\*["'`])|(?<![\w.-])({names})\.ya?ml(?![\w-])""",
        re.IGNORECASE,
    )
    found = {(match[1] or match[2]).casefold() for match in project.search(pattern)}
    return [(path, name) for path, name in left if not found.intersection(_tails(name))]


def _tails(name: str) -> Iterable[str]:
    """Give a name and its ends from each folder on: a test may open it from a folder further in."""
    parts = name.casefold().split("/")
    return ["/".join(parts[place:]) for place in range(len(parts))]
