"""What is said when no recording matches a request."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from aquila_cassette.errors import MissError
from aquila_cassette.matching.closest import closest
from aquila_cassette.matching.difference import describe
from aquila_cassette.session.caller import sender

if TYPE_CHECKING:
    from aquila_cassette.model import Request
    from aquila_cassette.session.session import Session

__all__ = ["miss"]

_SHOWN = {"url": "the URL"} | {
    name: f"the {name}" for name in ("method", "scheme", "host", "port", "path", "query", "body")
}


def miss(cassette: Session, request: Request, number: int, key: Hashable) -> MissError:
    """Say that `request` has no recording, which one comes closest, and how to record it.

    Args:
        cassette: The cassette in force.
        request: The request, redacted.
        number: Its place among the requests of this block, from 1.
        key: Its key.
    """
    return MissError(
        f"No recording matches {request.method} {request.url} (request {number} of this block).",
        method=request.method,
        url=request.url,
        path=cassette.path,
        facts=[
            f"cassette: {_where(cassette)}",
            *([f"sent by:  {by}"] if (by := sender()) else []),
            *_closest(cassette, request, key),
        ],
        fix=cassette.owner.rerecord,
    )


def _where(cassette: Session) -> str:
    absent = "; there is no such file yet" if cassette.index.state == "absent" else ""
    return f"{cassette.shown_path} (mode {cassette.mode}{absent})"


def _closest(cassette: Session, request: Request, key: Hashable) -> list[str]:
    index, matcher = cassette.index, cassette.matcher
    if index.state == "absent":
        return []
    recorded = index.interactions
    if not recorded:
        return ["closest:  none, the cassette is empty"]
    played = index.played_last(key)
    if played is not None:
        where = f"interaction {played + 1}, {_dated(cassette, played)}"
        again = "already played (repeats=True plays it again)"
        return [f"closest:  {where}the same request, {again}"]
    place = closest(request, [interaction.request for interaction in recorded], matcher)
    if place is None:
        return []
    nearest = recorded[place].request
    where = f"interaction {place + 1}, {_dated(cassette, place)}"
    parts = [_SHOWN.get(part, part) for part in matcher.differing(nearest, request)]
    return [
        f"closest:  {where}differs in {' and '.join(parts)}",
        *(f"  {line}" for line in describe(nearest, request, matcher)),
    ]


def _dated(cassette: Session, place: int) -> str:
    at = cassette.index.interactions[place].recorded_at
    return f"recorded {at[:10]}, " if at else ""
