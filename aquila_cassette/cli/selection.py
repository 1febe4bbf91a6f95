"""Which cassettes are to be recorded again, and the tests that record them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli.folder import cassettes_in, find, name_of, read_note
from aquila_cassette.errors import UsageError
from aquila_cassette.transcript.humanize import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from aquila_cassette.model import CassetteData, Interaction

__all__ = [
    "Misses",
    "Target",
    "files_named",
    "find_root",
    "merge_targets",
    "module_of",
    "owner_of",
    "owners_of",
    "read_misses",
    "select",
]

Misses = dict[str, list[str]]
"""The tests that missed, by the file they missed in, relative to pytest's root."""

_TEARDOWN = " (teardown)"


@dataclass(frozen=True, slots=True)
class Target:
    """A cassette that is to be recorded again.

    Args:
        name: The name that the commands know it by.
        path: The file.
        cassette: What it holds; nothing where there is no file yet.
        tests: The tests that record it.
        unsigned: How many of its interactions to be recorded again name no test.
    """

    name: str
    path: Path
    cassette: CassetteData
    tests: tuple[str, ...]
    unsigned: int = 0


def owner_of(interaction: Interaction) -> str | None:
    """Return the test that records `interaction`, in its body or in its teardown."""
    by = interaction.recorded_by
    return by.removesuffix(_TEARDOWN) if by else None


def owners_of(interactions: Iterable[Interaction]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(owner_of, interactions))))


def module_of(test: str) -> str:
    """Return the file of a test, given its node id.

    Example:
        >>> module_of("tests/test_a.py::TestIt::test_b[x::y]")
        'tests/test_a.py'
    """
    return test.partition("::")[0]


def select(name: str, path: Path, cassette: CassetteData, before: datetime | None) -> Target | None:
    """Return what was recorded before a time (None: all of it); None if nothing was.

    An interaction without `recorded_at` is not known to be that old.
    """
    old = [one for one in cassette.interactions if before is None or _is_before(one, before)]
    if before is not None and not old:
        return None
    unsigned = sum(owner_of(one) is None for one in old)
    return Target(name, path, cassette, owners_of(old), unsigned)


def _is_before(interaction: Interaction, limit: datetime) -> bool:
    at = parse_time(interaction.recorded_at)
    return at is not None and at < limit


def merge_targets(targets: Iterable[Target]) -> list[Target]:
    """Return each cassette once, with the tests of all its targets, in order of first mention."""
    by_path: dict[Path, Target] = {}
    for one in targets:
        path = one.path.absolute()
        if known := by_path.get(path):
            tests = tuple(dict.fromkeys([*known.tests, *one.tests]))
            one = replace(known, tests=tests, unsigned=max(known.unsigned, one.unsigned))
        by_path[path] = one
    return list(by_path.values())


def files_named(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the files that names, paths or patterns (``*`` also matches slashes) mean.

    Without names: all cassettes in the folder.

    Raises:
        UsageError: There is no such file, or a pattern matches none.
    """
    if not names:
        return list(cassettes_in(folder))
    return list(dict.fromkeys(path for name in names for path in _files_named(name, folder)))


def _files_named(name: str, folder: Path) -> list[Path]:
    try:
        return [find(name, folder)]
    except UsageError:
        if not any(char in name for char in "*?["):
            raise
    found = [path for path in cassettes_in(folder) if fnmatchcase(name_of(path, folder), name)]
    if not found:
        raise UsageError(
            f"No cassette has a name like {name!r}.",
            fix="Fix: aquila-cassette list shows what there is",
        )
    return found


def find_root(modules: Iterable[str], folder: Path) -> Path:
    """Return the folder that node ids of tests in `modules` begin at."""
    modules = list(modules)
    bases = [Path.cwd(), *folder.absolute().parents]
    return next(
        (base for base in bases if any((base / one).is_file() for one in modules)), bases[0]
    )


def read_misses(folder: Path) -> tuple[Path, Misses] | None:
    """Return pytest's root and, for each file, the tests that missed in it when they ran last."""
    note = read_note("misses", folder)
    if note is None:
        return None
    by_file: Misses = {}
    for test, files in note.content.items():
        for file in files:
            by_file.setdefault(file, []).append(test)
    return (note.root, by_file) if by_file else None
