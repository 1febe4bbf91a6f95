"""The lines at the end of a pytest run: counts, changes, unused cassettes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.plugin.misses import MissRow, rows_of
from aquila_cassette.plugin.naming import suite_id
from aquila_cassette.session.current_session import SESSION, is_within

if TYPE_CHECKING:
    from aquila_cassette.session.owner import Outcome, Owner

Unused = dict[str, list[int]]
"""For the path of a cassette below pytest's root the numbers of unused interactions; none: all."""


@dataclass
class Tally:
    """What the tests of a run did, mergeable over its processes; paths are below pytest's root."""

    cassettes: int = 0
    replayed: int = 0
    recorded: int = 0
    missed: int = 0
    unplayed: list[str] = field(default_factory=list)  # the cassette of each
    # The tests that ran, but for those whose recordings were given up: they are still to record.
    ran: list[str] = field(default_factory=list)
    misses: list[MissRow] = field(default_factory=list)
    missed_by: dict[str, list[str]] = field(default_factory=dict)  # files below the root, by test
    # Owners that recorded, and the file: in mode `all` it may stay as it is.
    recorded_by: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # also on what was not kept
    # What was used.
    sizes: dict[str, int] = field(default_factory=dict)  # of each cassette opened
    used: set[tuple[str, int]] = field(default_factory=set)  # what was replayed
    recorded_into: set[str] = field(default_factory=set)
    unmatched_bodies: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)  # collected, whether selected or not
    modules: set[str] = field(default_factory=set)  # collected without an error
    passed: set[str] = field(default_factory=set)
    not_passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    xfailed: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)  # on the command line, as names of owners
    is_partial: bool = False

    def add(self, owner: Owner, root: Path) -> None:
        from aquila_cassette.session.saving import discarded_note

        self.misses += rows_of(owner)
        for cassette in owner.sessions:
            self.cassettes += 1
            self.replayed += len(cassette.played)
            self.recorded += 0 if cassette.keeps_old else len(cassette.recorded)
            self.missed += len(cassette.misses)
            path = _below(cassette.path, root)
            noted = self.missed_by.get(owner.noted_as or "", [])
            if cassette.misses and owner.noted_as and path not in noted:
                self.missed_by[owner.noted_as] = [*noted, path]
            if note := discarded_note(cassette):
                self.notes.append(note)
            if cassette.keeps_old and cassette.recorded:
                how = "was skipped" if owner.outcome == "skipped" else "failed"
                self.notes.append(not_changed(cassette.path, f"{owner.name} {how}"))
            elif cassette.recorded and owner.noted_as:
                self.recorded_by.append((owner.noted_as, str(cassette.path)))
            if all(cassette.replaced):
                from aquila_cassette.transcript.comparison import compare

                comparison = compare(*cassette.replaced)
                again = f"aquila: {cassette.shown_path} was recorded again: {comparison.summary()}"
                self.notes += [] if comparison.same else [again]
            self.folders.add(str(owner.root / cassette.options.cassette_dir))
            self.used |= {(path, place) for place in cassette.index.played}
            self.sizes[path] = len(cassette.index.interactions)
            if cassette.mode == "all" or cassette.recorded:
                self.recorded_into.add(path)
            if "body" not in cassette.options.match_on:
                self.unmatched_bodies.add(path)
        for cassette, left in owner.unplayed():
            self.unplayed += [cassette.name] * len(left)

    def line(self) -> str:
        names = f" ({', '.join(sorted(set(self.unplayed)))})" if self.unplayed else ""
        return (
            f"aquila: {self.replayed} replayed, {self.recorded} recorded, {self.missed} missed, "
            f"{len(self.unplayed)} unplayed{names}"
        )

    def report(self, report: pytest.TestReport, test: str) -> None:
        if str(report.outcome) == "rerun":  # another attempt follows, which counts
            return
        if not report.passed:
            self.not_passed.add(test)
            if report.failed:
                self.failed.add(test)
            elif outcome_of(report) == "xfailed":
                self.xfailed.add(test)
        elif report.when == "call":
            self.passed.add(test)

    def has_failed(self, owner: str) -> bool:
        return any(is_within(test, owner) for test in self.failed)

    def is_whole(self, owner: str, *, is_complete: bool = False) -> bool:
        """Return whether all tests of a wider owner ran to their end; of the session in a complete run."""
        tests = {test for test in self.tests if is_within(test, owner)}
        is_asked_for = any(is_within(owner, one) for one in self.given)
        is_asked_for = is_complete if owner == SESSION else is_asked_for
        return is_asked_for and tests <= self.passed | self.xfailed

    def unused(self, root: Path) -> Unused:
        """Return what no test used, given that the run was complete."""
        found: Unused = {}
        if not self.folders:
            return found
        from aquila_cassette import importers
        from aquila_cassette.errors import CassetteError
        from aquila_cassette.storage.names import cassettes_in

        folders = map(Path, self.folders)
        for path in sorted({path for folder in folders for path in cassettes_in(folder)}):
            name = _below(path, root)
            places = range(self.sizes.get(name, 0))
            left = {place for place in places if (name, place) not in self.used}
            if name in self.sizes and (not left or name in self.recorded_into):
                continue
            try:
                interactions = importers.load(path).interactions
            except CassetteError:
                continue  # `aquila-cassette check` reports it
            ended = [self._has_ended(one.owner, root) for one in interactions]
            if name not in self.sizes:
                if all(ended):
                    found[name] = []
            elif numbers := [at for at, over in enumerate(ended, 1) if over and at - 1 in left]:
                found[name] = numbers
        return found

    def _has_ended(self, owner: str | None, root: Path) -> bool:
        """Return whether the owner of something is gone, or all its tests ran and passed.

        A test that was skipped, failed or could not be collected may use it another time.
        """
        if owner is None:
            return not self.not_passed
        if tests := {test for test in self.tests if is_within(test, owner)}:
            return tests <= self.passed - self.not_passed
        module = owner.partition("::")[0]
        return module in self.modules or not (root / module).exists()


def outcome_of(report: pytest.TestReport) -> Outcome:
    """Return how a part of a test ended; one that is not even set up (``run=False``) is skipped."""
    xfailed = report.skipped and hasattr(report, "wasxfail") and report.when != "setup"
    return "xfailed" if xfailed else report.outcome


def merge(mine: Tally, other: Mapping[str, Any]) -> None:
    """Add what another process counted, given as `vars` of its tally."""
    for name, value in vars(mine).items():
        adds_up = isinstance(value, list) or type(value) is int
        setattr(mine, name, value + other[name] if adds_up else value | other[name])


def given_names(config: pytest.Config) -> set[str]:
    """Return the owners that the command line names; none where pytest selects tests by itself."""
    if _is_selected(config):
        return set()
    here, root = config.invocation_params.dir, config.rootpath
    names = set()
    for path, separator, inside in (argument.partition("::") for argument in config.args):
        name = os.path.relpath(here / path, root).replace(os.sep, "/")
        test = suite_id(f"{name}{separator}{inside}", config)
        names.add(SESSION if name == "." else test)
    return names


def _is_selected(config: pytest.Config) -> bool:
    return any(getattr(config.option, name, False) for name in ("lf", "stepwise", "collectonly"))


def is_complete(config: pytest.Config, session: pytest.Session, tally: Tally) -> bool:
    """Return whether a run ran every test of the suite, and nobody stopped it."""
    is_selected = _is_selected(config)
    is_stopped = session.shouldstop or session.shouldfail or session.exitstatus not in (0, 1)
    root = config.rootpath
    if config.args_source == config.ArgsSource.ARGS:
        here = config.invocation_params.dir
        given = {(here / argument).resolve() for argument in config.args}
        wanted = {(root / path).resolve() for path in config.getini("testpaths") or ["."]}
        is_selected |= root.resolve() not in given and not wanted <= given
    elif config.args_source == config.ArgsSource.INVOCATION_DIR:
        is_selected |= config.invocation_params.dir != root
    return not (is_selected or is_stopped or tally.is_partial)


def note(config: pytest.Config, tally: Tally, unused: Unused | None) -> None:
    """Keep for the command line what was missed, and what a complete run found unused (else None)."""
    if target := config.getoption("--aquila-report"):
        data = {"root": str(config.rootpath), **vars(tally), "unused": unused}
        Path(target).write_text(json.dumps(data, default=sorted), "utf-8")
    cache = getattr(config, "cache", None)  # none under -p no:cacheprovider
    if cache is None or not tally.sizes:
        return
    misses = cache.get("aquila/misses", {})
    others = {test: paths for test, paths in misses.items() if test not in tally.ran}
    before = cache.get("aquila/unused", None)
    if unused is None and before is not None:
        unused = {path: numbers for path, numbers in before.items() if path not in tally.sizes}
    loose = cache.get("aquila/unmatched_bodies", [])
    loose_now = set(loose).difference(tally.sizes) | tally.unmatched_bodies
    for name, was, now in (
        ("misses", misses, others | tally.missed_by),
        ("unused", before, unused),
        ("unmatched_bodies", loose, sorted(loose_now)),
    ):
        if now != was:
            cache.set(f"aquila/{name}", now)


def unused_lines(unused: Unused) -> list[str]:
    from aquila_cassette.transcript.humanize import escape_control_chars

    lines = []
    for path, numbers in unused.items():
        of = f"interaction {', '.join(map(str, numbers))} of " if numbers else ""
        lines.append(f"aquila: no test used {of}{escape_control_chars(path)}")
    return [*lines, "Fix: aquila-cassette unused --delete"] if unused else []


def not_changed(path: Path, why: str) -> str:
    from aquila_cassette.storage.names import display_path

    return f"aquila: {display_path(path)} was not changed, since {why}"


def _below(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
