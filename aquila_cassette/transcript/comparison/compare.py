"""Two cassettes compared: which interactions belong together, and what changed in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.matching.keys import Matcher
from aquila_cassette.transcript.comparison.answers import answer_changes
from aquila_cassette.transcript.comparison.pairing import pairs
from aquila_cassette.transcript.comparison.requests import Requests, request_changes
from aquila_cassette.transcript.comparison.result import Change, Compared, Comparison
from aquila_cassette.transcript.comparison.values import changed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.model import CassetteData

__all__ = ["compare"]


def compare(old: CassetteData, new: CassetteData, *, everything: bool = False) -> Comparison:
    """Say how `new` differs from `old`.

    Args:
        old: The older cassette.
        new: The newer one.
        everything: Whether ids, dates, padding, latencies, each ms and each cut count as well;
            then only equal cassettes are the same.
    """
    matcher = Matcher()
    ours, theirs = Requests(old), Requests(new)
    found = pairs(
        old.interactions,
        new.interactions,
        (
            lambda at: matcher.key(old.interactions[at].request),
            lambda at: matcher.key(new.interactions[at].request),
        ),
        (lambda at: matcher.key(ours.plain(at)), lambda at: matcher.key(theirs.plain(at))),
    )
    compared = []
    for was, now, moved in found:
        changes: tuple[Change, ...] = ()
        if was is not None and now is not None:
            changes = tuple(_changes(ours, was, theirs, now, everything=everything))
        compared.append(
            Compared(
                None if was is None else old.interactions[was],
                None if now is None else new.interactions[now],
                None if was is None else was + 1,
                None if now is None else now + 1,
                moved,
                changes,
            )
        )
    kept = changed([("recorded_with", old.recorded_with, new.recorded_with)]) if everything else []
    return Comparison(tuple(compared), (Change("kept", tuple(kept)),) if kept else ())


def _changes(
    ours: Requests, at: int, theirs: Requests, place: int, *, everything: bool
) -> Iterator[Change]:
    old, new = ours.tape.interactions[at], theirs.tape.interactions[place]
    if old == new:
        return
    if old.request != new.request:
        pair = (old.request, new.request) if everything else (ours.plain(at), theirs.plain(place))
        if details := request_changes(*pair, everything=everything):
            yield Change("request", tuple(details))
    yield from answer_changes(old, new, everything=everything)
    if everything and (
        kept := changed([
            ("recorded_at", old.recorded_at, new.recorded_at),
            ("recorded_by", old.recorded_by, new.recorded_by),
            ("http_version", old.response.http_version, new.response.http_version),
        ])
    ):  # fmt: skip
        yield Change("kept", tuple(kept))
