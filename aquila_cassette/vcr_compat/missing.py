"""The miss: an error of ours and of vcrpy's, since suites catch vcrpy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vcr.errors import (  # type: ignore[import-untyped]
    CannotOverwriteExistingCassetteException,
)

from aquila_cassette.errors import MissError
from aquila_cassette.matching.difference import describe
from aquila_cassette.vcr_compat.translation import our_request

if TYPE_CHECKING:
    from aquila_cassette.model import Request
    from aquila_cassette.vcr_compat.session import Deck

__all__ = ["VcrMissError", "missing"]


class VcrMissError(
    CannotOverwriteExistingCassetteException,  # type: ignore[misc]
    MissError,
):
    """No recording matches a request. It is what vcrpy raises, with a message of ours.

    Args:
        deck: The open cassette.
        request: The request, as it is shown.
        theirs: The same, as vcrpy's.
        number: Its place among the requests, from 1.
        facts: Lines between.
    """

    def __init__(
        self, deck: Deck, request: Request, theirs: Any, number: int, facts: list[str]
    ) -> None:
        self.cassette = deck.tape
        self.failed_request = theirs
        self.similar_requests = deck.tape.find_requests_with_most_matches(theirs)
        self.reason = _reason(deck, self.similar_requests)
        MissError.__init__(
            self,
            f"No recording matches {request.method} {request.url} "
            f"(request {number} of this block).",
            method=request.method,
            url=request.url,
            path=deck.path,
            facts=facts,
            fix=deck.fix,
        )


def missing(deck: Deck, request: Request, number: int, theirs: Any) -> VcrMissError:
    """Say that `request` has no recording, which one comes closest, and how to record it.

    Args:
        deck: The open cassette.
        request: The request, redacted.
        number: Its place among the requests.
        theirs: The request as vcrpy's, redacted.
    """
    absent = "" if deck.tape.rewound else "; there is no such file yet"
    mode = getattr(deck.tape.record_mode, "value", deck.tape.record_mode)
    facts = [f"cassette: {deck.shown_path} (mode {mode}{absent})", *_closest(deck, request, theirs)]
    return VcrMissError(deck, request, theirs, number, facts)


def _closest(deck: Deck, request: Request, theirs: Any) -> list[str]:
    results = deck.tape.compared(theirs)
    if not results:
        return ["closest:  none, the cassette is empty"] if deck.tape.rewound else []
    place = min(range(len(results)), key=lambda place: (len(results[place]), place))
    where = f"closest:  recording {place + 1}, "
    if results[place]:
        names = " and ".join(_shown(name) for name, _ in results[place])
        reasons = [text or "" for _, text in results[place]]
        lines = [f"  {line}" for reason in reasons for line in reason.strip().splitlines()]
        return [f"{where}differs in {names}", *lines]
    if deck.tape.play_counts[place]:
        again = "already played (allow_playback_repeats=True plays it again)"
        return [f"{where}the same request, {again}"]
    lines = describe(our_request(deck.tape.requests[place]), request, deck.matcher)
    return [f"{where}differs in the body", *(f"  {line}" for line in lines)]


def _shown(name: str) -> str:
    return "the URL" if name in ("uri", "url") else f"the {name.replace('_', ' ')}"


def _reason(deck: Deck, similar: list[Any]) -> str:
    if not deck.tape.rewound and not len(deck.tape):
        return "cassette_not_found"
    if similar and not similar[0][2]:
        return "already_played"
    return "no_match" if similar else "nothing_similar"
