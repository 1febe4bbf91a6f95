"""What the commands that look after a shelf begin with: which files, which rules, which tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli import collected
from aquila_cassette.cli.folder import cassettes_in, find
from aquila_cassette.cli.maintenance.inspection import Known, Stock, read
from aquila_cassette.cli.maintenance.links import way_out
from aquila_cassette.cli.maintenance.owners import owners
from aquila_cassette.cli.maintenance.project import Project
from aquila_cassette.cli.output import print_error
from aquila_cassette.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

__all__ = ["Rules", "Shelf", "shelf"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a command line says about secrets.

    Args:
        names: Further names of secret fields.
        keep_headers: Further headers to keep.
        allow: Values and names of fields that are not secret.
    """

    names: Sequence[str] = ()
    keep_headers: Sequence[str] = ()
    allow: Sequence[str] = ()

    def redaction(self) -> Redaction:
        """Give them as redaction takes them."""
        return Redaction(self.names, (), self.keep_headers, self.allow)


@dataclass(frozen=True)
class Shelf:
    """The files that a command is about, and what is known of them.

    Args:
        places: The folders and files that were asked for.
        stock: What is in them.
        known: What to go by.
    """

    places: tuple[Path, ...]
    stock: Stock
    known: Known

    def way_out(self, path: Path, *, entry: bool = False) -> Path | None:
        """Give what a path leads to where that is not in the folders that were asked for.

        Args:
            path: A file of the stock.
            entry: Whether the path itself counts, of a link the link.
        """
        return way_out(path, (*self.places, self.known.folder), entry=entry)


def shelf(
    given: Sequence[str],
    folder: Path,
    *,
    rules: Rules,
    tests: bool,
    longest: timedelta | None = None,
) -> Shelf:
    """Read the files that are meant, and ask pytest for the tests.

    Args:
        given: Names and paths; none for the whole folder.
        folder: The cassette folder.
        rules: What the command line says about secrets.
        tests: Whether to ask pytest.
        longest: The greatest age that will do.

    Raises:
        UsageError: There is no such file.
    """
    places = tuple(_place(one, folder) for one in given) or (folder,)
    paths = list(dict.fromkeys(path for place in places for path in cassettes_in(place)))
    stock = read(paths)
    census = collected.census() if tests and paths else None
    project = None
    if census is not None:
        by = [test for sheet in stock.sheets for test in owners(sheet)]
        census = collected.merged(census, by)
        project = Project((census.root, Path.cwd()), _home(places, folder))
    elif tests and paths:
        print_error(
            "pytest could not collect the tests, so whose the cassettes are is not known.\n"
            f"What is wrong: {collected.COMMAND}"
        )
    now = datetime.now(UTC)
    home = _home(places, folder)
    return Shelf(places, stock, Known(home, now, rules.redaction(), census, project, longest))


def _place(given: str, folder: Path) -> Path:
    path = Path(given)
    if path.is_dir() or path.is_symlink():
        return path
    inside = folder / given
    return inside if inside.is_dir() else find(given, folder)


def _home(places: Sequence[Path], folder: Path) -> Path:
    """Give the folder that cassettes have their names from: one that lies elsewhere has its own."""
    first = places[0].absolute()
    if len(places) == 1 and first.is_dir() and not first.is_relative_to(folder.absolute()):
        return places[0]
    return folder
