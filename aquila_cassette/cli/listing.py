"""``list``: a line for each cassette."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.cells import cell_len

from aquila_cassette import importers
from aquila_cassette.cli.folder import cassettes_in, name_of
from aquila_cassette.cli.output import Screen, Span, align_columns, crop, print_error
from aquila_cassette.dialects.providers import provider_name
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    format_age,
    format_size,
    parse_time,
)
from aquila_cassette.transcript.interaction import InteractionView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Row", "run"]

_HEADINGS = ("NAME", "N", "PROVIDER", "MODEL", "AGE", "SIZE", "ENDS")
_RIGHT = (1, 5)
_GIVE = ((2, 17), (3, 11), (0, 12), (2, 8))
_STYLES = ("bold", "", "cyan", "", "dim", "dim", "")
_END_STYLES = {"complete": "green", "failed": "red"}


@dataclass(frozen=True, slots=True)
class Row:
    """What the list says of one file.

    Args:
        name: What `show` finds it by.
        path: Where it is.
        octets: Its size, in bytes.
        cassette: Its interactions; none where it is damaged.
        error: What is wrong with it; None where nothing is.
    """

    name: str
    path: Path
    octets: int
    tape: tuple[InteractionView, ...] = ()
    error: CassetteError | None = None

    @classmethod
    def of(cls, path: Path, folder: Path) -> Row:
        """Read the file at `path`; a damaged one makes a row as well."""
        name, octets = name_of(path, folder), path.stat().st_size
        try:
            tape = importers.load(path)
        except CassetteError as error:
            return cls(name, path, octets, error=error)
        return cls(name, path, octets, tuple(map(InteractionView, tape.interactions)))

    def cells(self, now: datetime) -> list[str]:
        """Give its cells, in the order of the headings."""
        times = filter(None, (parse_time(one.interaction.recorded_at) for one in self.tape))
        return [
            escape_control_chars(self.name),
            str(len(self.tape)),
            escape_control_chars(_first_of(self._providers())),
            escape_control_chars(_first_of(one.model for one in self.tape)),
            format_age(max(times, default=None), now),
            format_size(self.octets),
            _ends([one.outcome for one in self.tape]),
        ]

    def _providers(self) -> list[str]:
        """Name who answered; an error does not say what its provider speaks, other answers do."""
        names: dict[str, str] = {}
        for one in sorted(self.tape, key=lambda one: one.dialect is None):
            names.setdefault(urlsplit(one.request.url).netloc, one.provider)
        return _distinct(names.values())

    def as_json(self) -> dict[str, Any]:
        """Give the same for programs, with every name and count in full."""
        told: dict[str, Any] = {
            "name": self.name,
            "path": display_path(self.path),
            "bytes": self.octets,
        }
        if self.error is not None:
            return {**told, "error": str(self.error)}
        times = [one.interaction.recorded_at for one in self.tape if one.interaction.recorded_at]
        return {
            **told,
            "interactions": len(self.tape),
            "providers": _distinct(provider_name(one.request.url, None) for one in self.tape),
            "dialects": _distinct(one.dialect for one in self.tape),
            "models": _distinct(one.model for one in self.tape),
            "recorded_at": max(times, default=None),
            "ends": dict(Counter(one.outcome for one in self.tape)),
        }


def run(place: Path | None, folder: Path, *, as_json: bool) -> int:
    """List the cassettes in `place`, or all.

    Args:
        place: A folder or a file; None for the cassette folder.
        folder: The cassette folder.
        as_json: Whether a program reads it.

    Returns:
        The exit code: 2 where a file is damaged, else 0.

    Raises:
        UsageError: There is no such place.
    """
    if place is not None and not place.exists():
        raise UsageError(
            f"There is no {display_path(place)!r} to list.",
            fix="List the cassette folder: aquila-cassette list",
        )
    rows = [Row.of(path, folder) for path in cassettes_in(place or folder)]
    screen = Screen()
    if as_json:
        screen.data([row.as_json() for row in rows])
    elif rows:
        _print(rows, screen)
    else:
        where = display_path(place or folder)
        print_error(f"No cassettes in {where} yet. A test that opens one records it: pytest")
    damaged = [row for row in rows if row.error is not None]
    if damaged and not as_json:
        print_error(
            f"{len(damaged)} of {count(len(rows), 'file')} cannot be read. "
            f"What is wrong: aquila-cassette show {damaged[0].name}"
        )
    return 2 if damaged else 0


def _print(rows: Sequence[Row], screen: Screen) -> None:
    now = datetime.now(UTC)
    empty = [""] * (len(_HEADINGS) - 1)
    cells = [
        [escape_control_chars(row.name), *empty] if row.error else row.cells(now) for row in rows
    ]
    heading, *table = align_columns(
        [list(_HEADINGS), *cells],
        right=_RIGHT,
        gives=_GIVE,
        width=screen.width,
        ellipsis=screen.glyphs.ellipsis,
    )
    screen.line(("  ".join(heading), "dim"))
    for row, line in zip(rows, table, strict=True):
        if row.error is None:
            styles = [*_STYLES[:-1], _END_STYLES.get(line[-1], "yellow")]
            spans = [(cell, style) for cell, style in zip(line, styles, strict=True)]
            screen.line(*_spaced(spans))
        else:
            what = escape_control_chars(str(row.error).partition("\n")[0])
            if screen.width:
                what = crop(what, max(screen.width - cell_len(line[0]) - 2, 20))
            screen.line((line[0], "bold"), "  ", (what, "red"))


def _spaced(spans: Iterable[Span]) -> Iterator[Span]:
    for place, span in enumerate(spans):
        if place:
            yield "  "
        yield span


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(filter(None, values)))


def _first_of(values: Iterable[str]) -> str:
    first, *others = _distinct(values) or ["-"]
    return f"{first} +{len(others)}" if others else first


def _ends(outcomes: Sequence[str]) -> str:
    counted = Counter(outcomes)
    if len(counted) == 1:
        return outcomes[0]
    return ", ".join(f"{number} {outcome}" for outcome, number in counted.most_common()) or "-"
