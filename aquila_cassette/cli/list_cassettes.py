"""`list`: print one line for each cassette."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aquila_cassette import importers
from aquila_cassette.cli.folder import name_of
from aquila_cassette.cli.output import Screen, print_what_is_wrong
from aquila_cassette.cli.shared_options import AsJson, Folder, Place, app
from aquila_cassette.dialects.providers import provider_name
from aquila_cassette.errors import CassetteError
from aquila_cassette.storage.bodies import one_at_a_time
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import format_age, format_size, parse_time
from aquila_cassette.transcript.interaction_text import InteractionView

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aquila_cassette.cli.output import Span

_HEADINGS = ("NAME", "N", "PROVIDER", "MODEL", "AGE", "SIZE", "ENDS")
_RIGHT = (1, 5)
_SHRINK = ((2, 17), (3, 11), (0, 12), (2, 8))
_ENDING_STYLES = {"complete": "green", "failed": "red"}


@dataclass(frozen=True, slots=True)
class _File:
    """What the list says of one file; `error` where it cannot be read."""

    name: str
    path: Path
    octets: int
    interactions: tuple[InteractionView, ...] = ()
    error: CassetteError | None = None

    @classmethod
    def load(cls, path: Path, folder: Path) -> _File:
        name, octets = name_of(path, folder), path.stat().st_size
        try:
            cassette = importers.load(path)
        except CassetteError as error:
            return cls(name, path, octets, error=error)
        views = []
        for view in map(InteractionView, one_at_a_time(cassette.interactions)):
            _ = view.said  # while its body is there
            views.append(view)
        return cls(name, path, octets, tuple(views))

    def cells(self, now: datetime) -> list[Span]:
        """Return its cells, in the order of the headings."""
        size = (format_size(self.octets), "dim")
        if self.error is not None:
            return [(self.name, "bold"), *["-"] * 4, size, ("unreadable", "red")]
        times = filter(None, (parse_time(one.interaction.recorded_at) for one in self.interactions))
        # An error does not show its provider's dialect; other answers of the same host do.
        providers: dict[str, str] = {}
        for one in sorted(self.interactions, key=lambda one: one.said.dialect is None):
            providers.setdefault(urlsplit(one.request.url).netloc, one.provider)
        ends = Counter(one.outcome for one in self.interactions).most_common()
        only = ends[0][0] if len(ends) == 1 else ""
        endings = only or ", ".join(f"{number} {outcome}" for outcome, number in ends) or "-"
        return [
            (self.name, "bold"),
            str(len(self.interactions)),
            (_first_of(providers.values()), "cyan"),
            _first_of(one.model for one in self.interactions),
            (format_age(max(times, default=None), now), "dim"),
            size,
            (endings, _ENDING_STYLES.get(endings, "yellow")),
        ]

    def as_json(self) -> dict[str, Any]:
        facts = {"name": self.name, "path": display_path(self.path), "bytes": self.octets}
        if self.error is not None:
            return {**facts, "error": str(self.error)}
        every = self.interactions
        times = [one.interaction.recorded_at for one in every if one.interaction.recorded_at]
        return {
            **facts,
            "interactions": len(every),
            "providers": _distinct(provider_name(one.request.url, None) for one in every),
            "dialects": _distinct(one.said.dialect for one in every),
            "models": _distinct(one.model for one in every),
            "recorded_at": max(times, default=None),
            "ends": dict(Counter(one.outcome for one in every)),
        }


@app.command("list")
def run(place: Place = None, folder: Folder = FOLDER, as_json: AsJson = False) -> int:
    """List cassettes, a line for each.

    A file that cannot be read has a line with its error, and the exit code is 2.

    \b
    Example:
      aquila-cassette list --json | jq '.[] | select(.ends.failed)'
    """
    found = [_File.load(path, folder) for path in importers.cassettes_in(place or folder)]
    screen = Screen()
    if as_json:
        screen.data([one.as_json() for one in found])
    elif found:
        now = datetime.now(UTC)
        rows = [one.cells(now) for one in found]
        for line in screen.table(_HEADINGS, rows, right=_RIGHT, shrink=_SHRINK):
            screen.line(line)
    damaged = [one.name for one in found if one.error is not None]
    if not as_json:
        print_what_is_wrong(place or folder, len(found), damaged)
    return 2 if damaged else 0


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(filter(None, values)))


def _first_of(values: Iterable[str]) -> str:
    first, *others = _distinct(values) or ["-"]
    return f"{first} +{len(others)}" if others else first
