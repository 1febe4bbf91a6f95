"""Which cassettes and interactions no test used: known from a complete run, in all its processes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aquila_cassette.plugin.naming import without_group
from aquila_cassette.plugin.summary import below

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction
    from aquila_cassette.session.owner import Owner

__all__ = ["Usage", "is_complete", "note_unused", "unused_lines"]

# The command line reads the files that pytest's cache makes of these: .pytest_cache/v/aquila/...
_UNUSED = "aquila/unused"
_UNMATCHED_BODIES = "aquila/unmatched_bodies"
_TEARDOWN = " (teardown)"
_MOST_LINES = 20

Unused = dict[str, list[int]]
"""For the path of a cassette below pytest's root the numbers of unused interactions; none: all."""


@dataclass
class Usage:
    """What the tests of a run used, mergeable over its processes; paths stand below the root."""

    replayed: dict[str, set[int]] = field(default_factory=dict)  # by each cassette opened
    sizes: dict[str, int] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)
    unmatched_bodies: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)  # collected, whether selected or not
    modules: set[str] = field(default_factory=set)  # collected without an error
    passed: set[str] = field(default_factory=set)
    not_passed: set[str] = field(default_factory=set)
    is_partial: bool = False

    def add(self, owner: Owner) -> None:
        """Note the cassettes that an owner opened."""
        for cassette in owner.sessions:
            path = below(cassette.path, owner.root)
            self.folders.add(str(owner.root / cassette.options.cassette_dir))
            self.replayed.setdefault(path, set()).update(cassette.index.played)
            self.sizes[path] = len(cassette.index.interactions)
            if cassette.mode == "all" or cassette.recorded:
                self.recorded.add(path)
            if "body" not in cassette.options.match_on:
                self.unmatched_bodies.add(path)

    def report(self, report: pytest.TestReport) -> None:
        """Note how a part of a test ended."""
        test = without_group(report.nodeid)
        if not report.passed:
            self.not_passed.add(test)
        elif report.when == "call":
            self.passed.add(test)

    def data(self) -> dict[str, Any]:
        """Return it as plain data, to be sent to another process."""
        data = {name: sorted(value) for name, value in vars(self).items() if isinstance(value, set)}
        replayed = {path: sorted(numbers) for path, numbers in self.replayed.items()}
        return data | {"replayed": replayed, "sizes": self.sizes, "is_partial": self.is_partial}

    def merge(self, data: Mapping[str, Any]) -> None:
        """Add what another process noted."""
        for name, value in vars(self).items():
            if isinstance(value, set):
                value.update(data[name])
        for path, numbers in data["replayed"].items():
            self.replayed.setdefault(path, set()).update(numbers)
        self.sizes.update(data["sizes"])
        self.is_partial |= data["is_partial"]

    def unused(self, root: Path) -> Unused:
        """Return what no test used, given that the run was complete."""
        found: Unused = {}
        if not self.folders:
            return found
        from aquila_cassette.storage.names import cassettes_in

        folders = map(Path, self.folders)
        for path in sorted({path for folder in folders for path in cassettes_in(folder)}):
            name = below(path, root)
            left = set(range(self.sizes.get(name, 0))) - self.replayed.get(name, set())
            if name in self.replayed and (not left or name in self.recorded):
                continue
            interactions = _interactions(path)
            if interactions is None:
                continue
            if name not in self.replayed:
                if all(self._has_ended(one.recorded_by, root) for one in interactions):
                    found[name] = []
            elif len(interactions) == self.sizes[name]:
                by = {number: interactions[number].recorded_by for number in left}
                numbers = [at + 1 for at in sorted(left) if self._has_ended(by[at], root)]
                if numbers:
                    found[name] = numbers
        return found

    def _has_ended(self, recorded_by: str | None, root: Path) -> bool:
        """Return whether the test that recorded something is gone, or ran and passed.

        One that was skipped, failed or could not be collected may use it another time.
        """
        if recorded_by is None:
            return not self.not_passed
        test = recorded_by.removesuffix(_TEARDOWN)
        module = test.partition("::")[0]
        if test in self.tests:
            return test in self.passed and test not in self.not_passed
        return module in self.modules or not (root / module).exists()


def is_complete(config: pytest.Config, session: pytest.Session, usage: Usage) -> bool:
    """Return whether a run ran every test of the suite, and nobody stopped it."""
    option = config.option
    is_selected = any(getattr(option, name, False) for name in ("lf", "stepwise", "collectonly"))
    is_stopped = session.shouldstop or session.shouldfail or session.exitstatus not in (0, 1)
    root = config.rootpath
    if config.args_source == config.ArgsSource.ARGS:
        here = config.invocation_params.dir
        given = {(here / argument).resolve() for argument in config.args}
        wanted = {(root / path).resolve() for path in config.getini("testpaths") or ["."]}
        is_selected |= root.resolve() not in given and not wanted <= given
    elif config.args_source == config.ArgsSource.INVOCATION_DIR:
        is_selected |= config.invocation_params.dir != root
    return not (is_selected or is_stopped or usage.is_partial)


def note_unused(config: pytest.Config, usage: Usage, unused: Unused | None) -> None:
    """Keep what a complete run found (None: it was not) for the command line; forget what was used."""
    if target := config.getoption("--aquila-unused-report"):
        data = {"root": str(config.rootpath), "unused": unused}
        Path(target).write_text(json.dumps(data), "utf-8")
    cache = getattr(config, "cache", None)  # none under -p no:cacheprovider
    if cache is None or not usage.replayed:
        return
    before = cache.get(_UNUSED, None)
    now = unused
    if now is None and before is not None:
        now = {path: numbers for path, numbers in before.items() if path not in usage.replayed}
    if now != before:
        cache.set(_UNUSED, now)
    loose = set(cache.get(_UNMATCHED_BODIES, []))
    loose_now = (loose - usage.replayed.keys()) | usage.unmatched_bodies
    if loose_now != loose:
        cache.set(_UNMATCHED_BODIES, sorted(loose_now))


def unused_lines(unused: Unused) -> Iterator[str]:
    """Yield the lines of the terminal summary."""
    for path, numbers in list(unused.items())[:_MOST_LINES]:
        what = f"interaction {', '.join(map(str, numbers))} of {path}" if numbers else path
        yield f"aquila: no test used {what}"
    if len(unused) > _MOST_LINES:
        yield f"aquila: and {len(unused) - _MOST_LINES} more"
    if unused:
        yield "Fix: aquila-cassette unused --delete"


def _interactions(path: Path) -> tuple[Interaction, ...] | None:
    from aquila_cassette import importers
    from aquila_cassette.errors import CassetteError

    try:
        return importers.load(path).interactions
    except CassetteError:
        return None  # `aquila-cassette check` reports it
