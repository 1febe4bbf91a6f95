"""Select the cassettes to re-record and the tests that record them; what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from aquila_cassette import importers
from aquila_cassette.cli.folder import find, name_of, read_note
from aquila_cassette.cli.output import print_error
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.model import CassetteData, Interaction
from aquila_cassette.storage.names import cassettes_in
from aquila_cassette.transcript.comparison import Comparison, compare
from aquila_cassette.transcript.humanize import escape_control_chars, parse_time, parse_timespan


@dataclass(frozen=True, slots=True)
class Target:
    """A cassette that is to be recorded again."""

    name: str  # that the commands know it by
    path: Path
    cassette: CassetteData  # nothing where there is no file yet
    tests: tuple[str, ...]  # that record it
    unsigned: int = 0  # its interactions to be recorded again that name no test


Result = Literal["re-recorded", "in part", "kept"]


@dataclass(frozen=True)
class Outcome:
    """What became of one cassette, from `old` to `new`; `why` it was not, or not all of it."""

    name: str
    result: Result
    old: CassetteData
    new: CassetteData
    why: str = ""

    @cached_property
    def comparison(self) -> Comparison:
        return compare(self.old.interactions, self.new.interactions)

    @property
    def changed(self) -> str:
        """What changed in a few words, or why nothing did."""
        if self.result == "kept":
            return self.why
        summary = self.comparison.summary() if self.old.interactions else "new"
        return f"{summary}; {self.why}" if self.why else summary


class Selection(NamedTuple):
    """The cassettes that are wanted; `root` is where the node ids of their tests begin."""

    targets: list[Target]
    root: Path
    is_damaged: bool  # a file that was wanted cannot be used


def owner_of(interaction: Interaction) -> str | None:
    """Return the test that records `interaction`; None where no test does, or no single one."""
    return None if interaction.owner == "session" else interaction.owner


def owners_of(interactions: Iterable[Interaction]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(owner_of, interactions))))


def module_of(test: str) -> str:
    """Return the file of a test, given its node id."""
    return test.partition("::")[0]


def select(
    names: Sequence[str], folder: Path, stale: str | None = None, *, failed: bool = False
) -> Selection:
    """Find the cassettes that are wanted, each once; report files that cannot be used.

    `names` may be paths or patterns, none for all; `stale` ("30d") wants only what is older, and
    `failed` those in which tests missed when they ran last.
    """
    loaded, is_damaged = _load(_files(names, folder))
    found: dict[Path, Target] = {}

    def add(path: Path, cassette: CassetteData, tests: tuple[str, ...], unsigned: int = 0) -> None:
        target = Target(name_of(path, folder), path, cassette, tests, unsigned)
        if known := found.get(path.absolute()):
            target = replace(known, tests=tuple(dict.fromkeys([*known.tests, *tests])))
        found[path.absolute()] = target

    if stale is not None or not failed:
        limit = datetime.now(UTC) - (parse_timespan(stale) if stale else timedelta())
        for path, cassette in loaded.items():
            # One without a time is not known to be old.
            old = [
                one
                for one in cassette.interactions
                if not stale or (parse_time(one.recorded_at) or limit) < limit
            ]
            if old or not stale:
                add(path, cassette, owners_of(old), sum(owner_of(one) is None for one in old))
    root = _root(found.values(), folder)
    note = read_note("misses", folder) if failed else None
    if note is not None:
        root = note.root
        by_place: dict[Path, Path] = {one.absolute(): one for one in loaded}
        for test, missed in note.content.items():
            for place in [note.root / one for one in missed]:
                path = by_place.get(place.absolute()) or place
                if path not in loaded and (names or path.exists()):
                    continue  # it was not named, or it is damaged
                add(path, loaded.get(path, CassetteData()), (test,))  # it may not exist yet
    return Selection(list(found.values()), root, is_damaged)


def _files(names: Sequence[str], folder: Path) -> list[Path]:
    """Return the files that names, paths or patterns (``*`` also matches slashes) mean."""
    if not names:
        return list(cassettes_in(folder))
    found: list[Path] = []
    for name in names:
        try:
            found.append(find(name, folder))
        except UsageError:
            if not any(char in name for char in "*?["):
                raise
            every = cassettes_in(folder)
            matching = [path for path in every if fnmatchcase(name_of(path, folder), name)]
            if not matching:
                raise UsageError(
                    f"No cassette has a name like {name!r}.",
                    fix="Fix: aquila-cassette list shows what there is",
                ) from None
            found += matching
    return list(dict.fromkeys(found))


def _load(paths: Iterable[Path]) -> tuple[dict[Path, CassetteData], bool]:
    loaded: dict[Path, CassetteData] = {}
    is_damaged = False
    for path in paths:
        try:
            cassette = importers.load(path)
            if cassette.foreign:
                raise importers.refuse_to_record(path, cassette.foreign, "all")
            loaded[path] = cassette
        except CassetteError as error:
            is_damaged = True
            print_error(escape_control_chars(str(error)))
    return loaded, is_damaged


def _root(targets: Iterable[Target], folder: Path) -> Path:
    """Return the first folder, this one or one above the cassettes, that has a test's module."""
    modules = {module_of(test) for one in targets for test in one.tests}
    bases = [Path.cwd(), *folder.absolute().parents]
    return next(
        (base for base in bases if any((base / one).is_file() for one in modules)), bases[0]
    )
