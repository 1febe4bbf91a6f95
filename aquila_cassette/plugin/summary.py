"""Counting what a run replayed, recorded, missed and left unplayed; the line that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.session.owner import Owner

__all__ = ["Tally"]

_MOST_CHANGES = 20


@dataclass
class Tally:
    """Counts over the tests of a run, mergeable over its processes.

    Args:
        cassettes: How many were opened.
        replayed: How many interactions were played.
        recorded: How many were recorded.
        missed: How many requests had no recording.
        unplayed: How many interactions were left unplayed, by cassette.
        ran: The tests that ran, but for those that recorded in vain: what they missed is to be
            recorded still.
        missed_by: The tests that missed, and the files where, as they stand below the root.
        not_kept: What is to be said of recordings that were not kept.
        notes: What else is to be said at the end.
        changed: What changed in what was recorded again.
        explained: Each cassette's options and where they came from.
    """

    cassettes: int = 0
    replayed: int = 0
    recorded: int = 0
    missed: int = 0
    unplayed: dict[str, int] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    missed_by: dict[str, list[str]] = field(default_factory=dict)
    not_kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)

    def add(self, owner: Owner) -> None:
        """Count what one owner's cassettes did."""
        from aquila_cassette.session.outcome import discarded_note

        for cassette in owner.cassettes:
            self.cassettes += 1
            self.replayed += len(cassette.played)
            self.recorded += len(cassette.recorded)
            self.missed += len(cassette.misses)
            if cassette.misses and owner.name:
                self._note_miss(owner.name, _in_root(cassette.path, owner.root))
            note = discarded_note(cassette)
            if note:
                self.not_kept.append(note)
            if cassette.keeps_old and cassette.recorded:
                self.not_kept.append(
                    f"aquila: {cassette.shown_path} stays as it was, since {owner.name} failed"
                )
            if all(cassette.replaced):
                from aquila_cassette.plugin.changed import changed

                if change := changed(cassette.shown_path, *cassette.replaced):
                    self.changed.append(change)
            self.explained.append(_explained(owner, cassette))
        for cassette, left in owner.unplayed():
            name = cassette.name
            self.unplayed[name] = self.unplayed.get(name, 0) + len(left)

    def _note_miss(self, test: str, path: str) -> None:
        paths = self.missed_by.setdefault(test, [])
        if path not in paths:
            paths.append(path)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add what another process counted, given as `data`."""
        for name in ("cassettes", "replayed", "recorded", "missed"):
            setattr(self, name, getattr(self, name) + other[name])
        for name, count in other["unplayed"].items():
            self.unplayed[name] = self.unplayed.get(name, 0) + count
        self.ran += other["ran"]
        self.missed_by |= other["missed_by"]
        self.not_kept += other["not_kept"]
        self.notes += other["notes"]
        self.changed += other["changed"]
        self.explained += other["explained"]

    def data(self) -> dict[str, Any]:
        """Give the counts as plain data, to be sent to another process."""
        return dict(vars(self))

    def shown_changes(self) -> list[str]:
        """Say what changed in what was recorded again, as much of it as one reads."""
        more = len(self.changed) - _MOST_CHANGES
        if more <= 0:
            return self.changed
        note = f"aquila: {more} more changed; aquila-cassette diff NAME says how"
        return [*self.changed[:_MOST_CHANGES], note]

    def line(self) -> str:
        """Say it in one line."""
        names = f" ({', '.join(sorted(self.unplayed))})" if self.unplayed else ""
        return (
            f"aquila: {self.replayed} replayed, {self.recorded} recorded, {self.missed} missed, "
            f"{sum(self.unplayed.values())} unplayed{names}"
        )


def _in_root(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


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
