"""Counting what a run replayed, recorded, missed and left unplayed; the line that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aquila_cassette.engine.owner import Owner

__all__ = ["Tally"]


@dataclass
class Tally:
    """Counts over the tests of a run, mergeable over its processes."""

    cassettes: int = 0
    replayed: int = 0
    recorded: int = 0
    missed: int = 0
    unplayed: dict[str, int] = field(default_factory=dict)
    not_kept: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)

    def add(self, owner: Owner) -> None:
        """Count what one owner's cassettes did."""
        from aquila_cassette.engine.verdict import discarded_note

        for cassette in owner.cassettes:
            self.cassettes += 1
            self.replayed += len(cassette.played)
            self.recorded += len(cassette.recorded)
            self.missed += len(cassette.misses)
            note = discarded_note(cassette)
            if note:
                self.not_kept.append(note)
            if owner.failed and cassette.mode == "all" and cassette.recorded:
                self.not_kept.append(
                    f"aquila: {cassette.shown_path} stays as it was, since {owner.name} failed"
                )
            self.explained.append(_explained(owner, cassette))
        for cassette, left in owner.unplayed():
            name = cassette.name
            self.unplayed[name] = self.unplayed.get(name, 0) + len(left)

    def merge(self, other: Mapping[str, Any]) -> None:
        """Add what another process counted, given as `data`."""
        for name in ("cassettes", "replayed", "recorded", "missed"):
            setattr(self, name, getattr(self, name) + other[name])
        for name, count in other["unplayed"].items():
            self.unplayed[name] = self.unplayed.get(name, 0) + count
        self.not_kept += other["not_kept"]
        self.explained += other["explained"]

    def data(self) -> dict[str, Any]:
        """Give the counts as plain data, to be sent to another process."""
        return dict(vars(self))

    def line(self) -> str:
        """Say it in one line."""
        names = f" ({', '.join(sorted(self.unplayed))})" if self.unplayed else ""
        return (
            f"aquila: {self.replayed} replayed, {self.recorded} recorded, {self.missed} missed, "
            f"{sum(self.unplayed.values())} unplayed{names}"
        )


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
