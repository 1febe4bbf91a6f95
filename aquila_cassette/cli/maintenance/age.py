"""How long ago cassettes were recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.transcript.humanize import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aquila_cassette.cli.maintenance.sheet import Sheet

__all__ = ["dates", "old"]

_AHEAD = timedelta(days=1)  # by which another machine's clock may be
_REMEDY = 'write it as "2026-11-22T10:30:00Z", or take it out'


def dates(sheet: Sheet, now: datetime) -> Iterator[Finding]:
    """Find what stands in the place of a time and is none, or is still to come.

    Args:
        sheet: The file.
        now: The time.
    """
    for number, interaction in sheet.numbered:
        if not interaction.recorded_at:
            continue
        at = parse_time(interaction.recorded_at)
        if at is not None and at - now <= _AHEAD:
            continue
        what = "is no time" if at is None else f"lies in the future: {at:%Y-%m-%d}"
        line = sheet.line("interactions", number, "recorded_at")
        yield Finding(sheet.path, line, "date", f"recorded_at {what}", _REMEDY)


def old(sheet: Sheet, longest: timedelta, now: datetime) -> Iterator[Finding]:
    """Find a cassette whose oldest interaction is too old; one that does not say when it was is not.

    Args:
        sheet: The file.
        longest: The greatest age that will do.
        now: The time to count from.
    """
    times = [
        (at, number)
        for number, interaction in sheet.numbered
        if (at := parse_time(interaction.recorded_at)) is not None
    ]
    if not times:
        return
    oldest, number = min(times)
    if now - oldest <= longest:
        return
    days = (now - oldest).days
    ago = f"{days} day{'' if days == 1 else 's'} ago"
    line = sheet.line("interactions", number, "recorded_at")
    what = f"interaction {number + 1} was recorded on {oldest:%Y-%m-%d}, {ago}"
    yield Finding(sheet.path, line, "old", what, "record it again")
