"""Which cassettes a command is to work on: names, patterns of names, or all there are."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cli.folder import cassettes_in, find, name_of
from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Noted", "files_named", "missed", "root_of"]

_NOTE = Path(".pytest_cache/v/aquila/misses")


class Noted(NamedTuple):
    """What a run noted of its misses.

    Args:
        root: Where its paths begin.
        tests: The tests that missed, each with the files it missed in.
    """

    root: Path
    tests: Mapping[str, Sequence[str]]


def files_named(names: Sequence[str], folder: Path) -> list[Path]:
    """Find the files that `names` mean, each once, in their order.

    Args:
        names: Names, paths or patterns, in which ``*`` stands for slashes, too; none for all
            cassettes in the folder.
        folder: The cassette folder.

    Raises:
        UsageError: There is no such file, or a pattern fits none.
    """
    if not names:
        return list(cassettes_in(folder))
    found: dict[Path, None] = {}
    for name in names:
        found.update(dict.fromkeys(_named(name, folder)))
    return list(found)


def _named(name: str, folder: Path) -> list[Path]:
    try:
        return [find(name, folder)]
    except UsageError:
        if not any(char in name for char in "*?["):
            raise
    fitting = [path for path in cassettes_in(folder) if fnmatchcase(name_of(path, folder), name)]
    if not fitting:
        raise UsageError(
            f"No cassette has a name like {name!r}.",
            fix="List what there is: aquila-cassette list",
        )
    return fitting


def root_of(modules: Iterable[str], folder: Path) -> Path:
    """Give the folder that the node ids of tests begin at.

    Args:
        modules: The files that the tests are in, as the node ids have them.
        folder: The cassette folder, which is below it as a rule.
    """
    modules = list(modules)
    bases = [Path.cwd(), *folder.absolute().parents]
    return next(
        (base for base in bases if any((base / one).is_file() for one in modules)), bases[0]
    )


def missed(folder: Path) -> Noted | None:
    """Give what the last run noted of its misses.

    Args:
        folder: The cassette folder.

    Returns:
        None where no run noted any.
    """
    for base in (Path.cwd(), *folder.absolute().parents):
        if (base / _NOTE).is_file():
            tests = json.loads((base / _NOTE).read_text("utf-8"))
            return Noted(base, tests) if isinstance(tests, dict) and tests else None
    return None
