"""``record``: cassettes recorded again, by their tests or without them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette import importers
from aquila_cassette.cli.folder import name_of
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.rerecord.picking import Picked, merged, module_of, pick, tests_that_missed
from aquila_cassette.cli.selection import files_named, missed, root_of
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.importers import refuse_to_record
from aquila_cassette.model import CassetteData
from aquila_cassette.transcript.humanize import escape_control_chars, parse_timespan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from aquila_cassette.cli.selection import Noted

__all__ = ["Wanted", "run"]


class Wanted(NamedTuple):
    """Which cassettes to record again.

    Args:
        names: Names, paths or patterns; none for all.
        folder: The cassette folder.
        stale: Only what was recorded longer ago, as it was written: ``30d``.
        failed: Only those in which tests missed in their last run.
    """

    names: Sequence[str]
    folder: Path
    stale: str | None
    failed: bool


class _Picks(NamedTuple):
    """What is to be done: the cassettes, where their tests begin, and whether some are damaged."""

    cassettes: list[Picked]
    root: Path
    damaged: bool


def run(
    wanted: Wanted,
    *,
    direct: bool,
    dry_run: bool,
    headers: Sequence[str],
    base_url: str | None,
    arguments: Sequence[str],
) -> int:
    """Record cassettes again.

    Args:
        wanted: Which.
        direct: Whether to ask their requests again without their tests.
        dry_run: Whether to say what would be done, and do nothing.
        headers: What to send besides, each ``name: value``.
        base_url: Whom to ask instead of the recorded hosts.
        arguments: What pytest is given besides.

    Returns:
        The exit code: 0 where all were recorded again.

    Raises:
        UsageError: The arguments do not go together.
    """
    _check(wanted, direct=direct, for_direct=bool(headers or base_url), for_pytest=bool(arguments))
    picks = _pick(wanted)
    screen = Screen()
    if not picks.cassettes:
        print_error(_nothing(wanted))
        return 2 if picks.damaged else 0
    if direct:
        from aquila_cassette.cli import record_direct
        from aquila_cassette.cli.rerecord.keys import parse_header
        from aquila_cassette.cli.rerecord.line import Line

        line = Line(tuple(map(parse_header, headers)), base_url)
        if dry_run:
            record_direct.plan(screen, picks.cassettes, line)
            code = 0
        else:
            code = record_direct.run(screen, picks.cassettes, line)
    else:
        from aquila_cassette.cli import record_tests

        if dry_run:
            record_tests.plan(screen, picks.cassettes)
            code = 0
        else:
            code = record_tests.run(screen, picks.cassettes, picks.root, wanted.folder, arguments)
    return code or (2 if picks.damaged else 0)


def _check(wanted: Wanted, *, direct: bool, for_direct: bool, for_pytest: bool) -> None:
    if not (wanted.names or wanted.stale or wanted.failed):
        raise UsageError(
            "record is not told which cassettes to record again.",
            facts=["expected: names, patterns, --stale or --failed"],
            fix="All of them: aquila-cassette record '*'",
        )
    if direct and wanted.failed:
        raise UsageError(
            "--direct sends what is on cassette; what a test missed is not.",
            fix="Leave --direct out: aquila-cassette record --failed",
        )
    if direct and for_pytest:
        raise UsageError(
            "--direct runs no tests, so there is nobody to take what follows `--`.",
            fix="Leave one of them out.",
        )
    if for_direct and not direct:
        raise UsageError(
            "--header and --base-url go with --direct; tests know whom they ask.",
            fix="Add --direct, or leave them out.",
        )


def _pick(wanted: Wanted) -> _Picks:
    tapes: dict[Path, CassetteData] = {}
    damaged = False
    for path in files_named(wanted.names, wanted.folder):
        try:
            tape = importers.load(path)
            if tape.foreign:
                raise refuse_to_record(path, tape.foreign, "all")
            tapes[path] = tape
        except CassetteError as error:
            damaged = True
            print_error(escape_control_chars(str(error)))
    picked: list[Picked] = []
    if wanted.stale is not None or not wanted.failed:
        before = None if wanted.stale is None else datetime.now(UTC) - parse_timespan(wanted.stale)
        named = ((name_of(path, wanted.folder), path, tape) for path, tape in tapes.items())
        picked += filter(None, (pick(*one, before=before) for one in named))
    root = None
    if wanted.failed and (noted := missed(wanted.folder)):
        root = noted.root
        picked += _missed(wanted, tapes, noted)
    picked = merged(picked)
    modules = (module_of(test) for one in picked for test in one.tests)
    return _Picks(picked, root or root_of(modules, wanted.folder), damaged)


def _missed(wanted: Wanted, tapes: Mapping[Path, CassetteData], noted: Noted) -> Iterator[Picked]:
    """Pick by the note of the last run; a cassette that a test misses need not be there yet."""
    loaded = {path.absolute(): (path, tape) for path, tape in tapes.items()}
    for file, tests in tests_that_missed(noted.tests).items():
        path = noted.root / file
        there = loaded.get(path.absolute())
        if there is None and (wanted.names or path.exists()):
            continue  # it was not named, or it is damaged
        path, tape = there or (path, CassetteData())
        yield Picked(name_of(path, wanted.folder), path, tape, tuple(tests))


def _nothing(wanted: Wanted) -> str:
    why = []
    if wanted.failed:
        why.append("no test missed when it ran last")
    if wanted.stale is not None:
        why.append(f"nothing is older than {wanted.stale}")
    if not why:
        why.append("there are no cassettes")
    return f"Nothing to record again: {', and '.join(why)}."
