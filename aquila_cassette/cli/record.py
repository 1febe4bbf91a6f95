"""``record``: cassettes recorded again, by their tests or without them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette import importers
from aquila_cassette.cli import selection
from aquila_cassette.cli.folder import name_of
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.selection import Target
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.importers import refuse_to_record
from aquila_cassette.model import CassetteData
from aquila_cassette.transcript.humanize import escape_control_chars, parse_timespan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Wanted", "run"]


class Wanted(NamedTuple):
    """Which cassettes to record again."""

    names: Sequence[str]  # or paths or patterns; none for all
    folder: Path
    stale: str | None  # only what is older: "30d"
    failed: bool  # only those in which tests missed when they ran last


def run(
    wanted: Wanted,
    *,
    direct: bool,
    dry_run: bool,
    headers: Sequence[str],
    base_url: str | None,
    arguments: Sequence[str],
) -> int:
    """Record cassettes again, by their tests or `direct`; return the exit code, 0 if all were."""
    _check(wanted, direct=direct, for_direct=bool(headers or base_url), for_pytest=bool(arguments))
    cassettes, is_damaged = _load(wanted)
    misses = selection.read_misses(wanted.folder) if wanted.failed else None
    targets = selection.merge_targets(_targets(wanted, cassettes, misses))
    screen = Screen()
    if not targets:
        print_error(_nothing(wanted))
        return 2 if is_damaged else 0
    code = 0
    if direct:
        from aquila_cassette.cli import resend
        from aquila_cassette.cli.connection import Connection, parse_header

        connection = Connection(tuple(map(parse_header, headers)), base_url)
        if dry_run:
            resend.plan(screen, targets, connection)
        else:
            code = resend.resend(screen, targets, connection)
    else:
        from aquila_cassette.cli import record_by_tests

        modules = [selection.module_of(test) for one in targets for test in one.tests]
        root = misses[0] if misses else selection.find_root(modules, wanted.folder)
        if dry_run:
            record_by_tests.plan(screen, targets)
        else:
            code = record_by_tests.run_tests(screen, targets, root, wanted.folder, arguments)
    return code or (2 if is_damaged else 0)


def _check(wanted: Wanted, *, direct: bool, for_direct: bool, for_pytest: bool) -> None:
    if not (wanted.names or wanted.stale or wanted.failed):
        raise UsageError(
            "record needs to know which cassettes to record again.",
            facts=["expected: names, patterns, --stale or --failed"],
            fix="Fix: aquila-cassette record '*' records all",
        )
    if direct and wanted.failed:
        raise UsageError(
            "--direct sends what is on a cassette; what a test missed is not.",
            fix="Fix: aquila-cassette record --failed",
        )
    if direct and for_pytest:
        raise UsageError(
            "--direct runs no tests, so pytest's arguments after `--` have no use.",
            fix="Fix: leave one of them out",
        )
    if for_direct and not direct:
        raise UsageError(
            "--header and --base-url need --direct; tests know whom they ask.",
            fix="Fix: add --direct, or leave them out",
        )


def _load(wanted: Wanted) -> tuple[dict[Path, CassetteData], bool]:
    """Load the cassettes that are named; also return whether some cannot be used."""
    cassettes: dict[Path, CassetteData] = {}
    is_damaged = False
    for path in selection.files_named(wanted.names, wanted.folder):
        try:
            cassette = importers.load(path)
            if cassette.foreign:
                raise refuse_to_record(path, cassette.foreign, "all")
            cassettes[path] = cassette
        except CassetteError as error:
            is_damaged = True
            print_error(escape_control_chars(str(error)))
    return cassettes, is_damaged


def _targets(
    wanted: Wanted,
    cassettes: dict[Path, CassetteData],
    misses: tuple[Path, selection.Misses] | None,
) -> Iterator[Target]:
    if wanted.stale is not None or not wanted.failed:
        before = None
        if wanted.stale is not None:
            before = datetime.now(UTC) - parse_timespan(wanted.stale)
        for path, cassette in cassettes.items():
            target = selection.select(name_of(path, wanted.folder), path, cassette, before)
            if target is not None:
                yield target
    if misses is None:
        return
    root, by_file = misses
    loaded = {path.absolute(): (path, cassette) for path, cassette in cassettes.items()}
    for file, tests in by_file.items():
        path = root / file
        known = loaded.get(path.absolute())
        if known is None and (wanted.names or path.exists()):
            continue  # it was not named, or it is damaged
        path, cassette = known or (path, CassetteData())  # a missed cassette may not exist yet
        yield Target(name_of(path, wanted.folder), path, cassette, tuple(tests))


def _nothing(wanted: Wanted) -> str:
    why = []
    if wanted.failed:
        why.append("no test missed when it ran last")
    if wanted.stale is not None:
        why.append(f"nothing is older than {wanted.stale}")
    return f"Nothing to record again: {', and '.join(why) or 'there are no cassettes'}."
