"""What a run replayed, recorded, missed and left unplayed; the lines that say so at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from aquila_cassette.model import Interaction
    from aquila_cassette.session.owner import Owner

__all__ = ["Tally", "below", "note_misses"]

_MOST_CHANGES = 20
_MOST_LINES = 20  # of each interaction that changed
# The command line reads the file that pytest's cache makes of it: .pytest_cache/v/aquila/misses
_MISSES = "aquila/misses"


@dataclass
class Tally:
    """Counts over the tests of a run, mergeable over its processes."""

    cassettes: int = 0
    replayed: int = 0
    recorded: int = 0
    missed: int = 0
    unplayed: dict[str, int] = field(default_factory=dict)  # by cassette
    # The tests that ran, but for those whose recordings were given up: they are still to record.
    ran: list[str] = field(default_factory=list)
    missed_by: dict[str, list[str]] = field(default_factory=dict)  # files below the root, by test
    not_kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)  # options and where they came from

    def add(self, owner: Owner) -> None:
        """Count what one owner's cassettes did."""
        from aquila_cassette.session.saving import discarded_note

        for cassette in owner.sessions:
            self.cassettes += 1
            self.replayed += len(cassette.played)
            self.recorded += len(cassette.recorded)
            self.missed += len(cassette.misses)
            if cassette.misses and owner.name:
                paths = self.missed_by.setdefault(owner.name, [])
                path = below(cassette.path, owner.root)
                paths += [path] if path not in paths else []
            note = discarded_note(cassette, "the test failed" if owner.name else "the block raised")
            if note:
                self.not_kept.append(note)
            if cassette.keeps_old and cassette.recorded:
                self.not_kept.append(
                    f"aquila: {cassette.shown_path} was not changed, since {owner.name} failed"
                )
            if all(cassette.replaced) and (
                change := _change(cassette.shown_path, *cassette.replaced)
            ):
                self.changed.append(change)
            self.explained.append(_explained(owner, cassette))
        for cassette, left in owner.unplayed():
            name = cassette.name
            self.unplayed[name] = self.unplayed.get(name, 0) + len(left)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add what another process counted, given as `data`."""
        for name, mine in vars(self).items():
            if isinstance(mine, int):
                setattr(self, name, mine + other[name])
            elif isinstance(mine, list):
                mine += other[name]
        for name, count in other["unplayed"].items():
            self.unplayed[name] = self.unplayed.get(name, 0) + count
        self.missed_by |= other["missed_by"]

    def data(self) -> dict[str, Any]:
        """Return the counts as plain data, to be sent to another process."""
        return dict(vars(self))

    def shown_changes(self) -> list[str]:
        """Return what changed in what was recorded again, as much of it as one reads."""
        more = len(self.changed) - _MOST_CHANGES
        if more <= 0:
            return self.changed
        note = f"aquila: {more} more changed; aquila-cassette diff NAME shows how"
        return [*self.changed[:_MOST_CHANGES], note]

    def line(self) -> str:
        """Return the one line that sums up the run."""
        names = f" ({', '.join(sorted(self.unplayed))})" if self.unplayed else ""
        return (
            f"aquila: {self.replayed} replayed, {self.recorded} recorded, {self.missed} missed, "
            f"{sum(self.unplayed.values())} unplayed{names}"
        )


def note_misses(config: pytest.Config, tally: Tally) -> None:
    """Note which tests missed, and where; forget those that ran and did not."""
    cache = getattr(config, "cache", None)  # none under -p no:cacheprovider
    if cache is None:
        return
    before: Any = cache.get(_MISSES, {})
    if not isinstance(before, dict):
        before = {}
    ran = set(tally.ran)
    now = {test: paths for test, paths in before.items() if test not in ran} | tally.missed_by
    if now != before:
        cache.set(_MISSES, now)


def below(path: Path, root: Path) -> str:
    """Return a path relative to pytest's root, with slashes."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _change(name: str, old: Sequence[Interaction], new: Sequence[Interaction]) -> str | None:
    """Return what changed; None where only what differs each time one asks did."""
    from aquila_cassette.transcript.comparison import compare
    from aquila_cassette.transcript.humanize import escape_control_chars

    comparison = compare(old, new)
    if comparison.same:
        return None
    lines = map(escape_control_chars, comparison.lines(_MOST_LINES))
    head = f"aquila: {name} was recorded again: {comparison.summary()}"
    return "\n".join([head, *(f"  {line}" for line in lines)])


def _explained(owner: Owner, cassette: Any) -> str:
    options = cassette.options
    rows = [f"{owner.name or 'a wider fixture'}  {cassette.shown_path}"]
    for name, source in cassette.sources.items():
        rows.append(f"  {name:<24} {_shown(getattr(options, name)):<32} {source}")
    return "\n".join(rows)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or "-"
    return "-" if value is None else str(value)
