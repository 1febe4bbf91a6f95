"""What is said when no recording matches a request."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from aquila_cassette.cassette import diff
from aquila_cassette.errors import MissError

if TYPE_CHECKING:
    from aquila_cassette.cassette.model import Request
    from aquila_cassette.engine.deck import Cassette

__all__ = ["miss"]


def miss(cassette: Cassette, request: Request, number: int, key: Hashable) -> MissError:
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
        facts=[f"cassette: {_where(cassette)}", *_closest(cassette, request, key)],
        remedy=cassette.owner.rerecord,
    )


def _where(cassette: Cassette) -> str:
    absent = "; there is no such file yet" if cassette.reel.state == "absent" else ""
    return f"{cassette.shown_path} (mode {cassette.mode}{absent})"


def _closest(cassette: Cassette, request: Request, key: Hashable) -> list[str]:
    reel = cassette.reel
    if reel.state == "absent":
        return []
    recorded = reel.interactions
    if not recorded:
        return ["closest:  none, the cassette is empty"]
    played = reel.played_last(key)
    if played is not None:
        where = f"interaction {played + 1}, {_dated(cassette, played)}"
        again = "already played (repeats=True plays it again)"
        return [f"closest:  {where}the same request, {again}"]
    place = diff.closest(request, [interaction.request for interaction in recorded])
    if place is None:
        return [f"closest:  none of the {len(recorded)} recorded requests is like it"]
    closest = recorded[place].request
    where = f"interaction {place + 1}, {_dated(cassette, place)}"
    return [
        f"closest:  {where}differs in {_differing(closest, request)}",
        *(f"  {line}" for line in diff.describe(closest, request)),
    ]


def _dated(cassette: Cassette, place: int) -> str:
    at = cassette.reel.interactions[place].recorded_at
    return f"recorded {at[:10]}, " if at else ""


def _differing(recorded: Request, request: Request) -> str:
    parts = [
        name
        for name, differs in (
            ("the method", recorded.method != request.method),
            ("the URL", recorded.url != request.url),
            ("the body", recorded.body != request.body),
        )
        if differs
    ]
    return " and ".join(parts) or "what match_on looks at"
