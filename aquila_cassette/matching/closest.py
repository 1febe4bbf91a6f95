"""Find the recorded request that is most like a request, and whether only volatile text differs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from aquila_cassette.matching.keys import Matcher, Operation, url_of
from aquila_cassette.model import Request

_END = 10_000
_LARGEST = 1 << 17  # bytes of a body that is compared in several ways
_WORD = re.compile(rb"\w+|[^\w\s]")


def closest(
    request: Request, recorded: Sequence[Request], matcher: Matcher | None = None
) -> int | None:
    """Return the place of the recorded request that `request` is most like; None if there is none.

    First come the same method and URL, then the body with the most words in common; of equals the
    first. The effort is bounded: only both ends of a long body are read.
    """
    matcher = matcher or Matcher()
    wanted = _words(request, matcher)
    near = [_nearness(request, one) for one in recorded]
    nearest = max(near, default=None)
    places = [place for place, value in enumerate(near) if value == nearest]

    def similarity(at: int) -> float:
        words = _words(recorded[at], matcher)
        return 2 * (wanted & words).total() / (wanted.total() + words.total() or 1)

    return max(places, key=similarity, default=None)


def _nearness(request: Request, one: Request) -> tuple[bool, ...]:
    """Return what two requests have in common; what weighs most comes first."""
    wanted, url = url_of(request.url), url_of(one.url)
    return (
        request.method == one.method,
        wanted.path == url.path,
        (wanted.host, wanted.port) == (url.host, url.port),
        wanted.query == url.query,
        Operation.of(request) == Operation.of(one),
    )


def _words(request: Request, matcher: Matcher) -> Counter[bytes]:
    body = matcher.compared(request)
    return Counter(_WORD.findall(body if len(body) <= 2 * _END else body[:_END] + body[-_END:]))


def suggest(recorded: Request, request: Request, matcher: Matcher) -> tuple[str, ...] | None:
    """Return the names for ``normalize=`` with which two requests are the same; None if none do."""
    if max(len(recorded.body), len(request.body)) > _LARGEST:
        return None
    for names in (("dates",), ("uuids",), ("dates", "uuids"), ("ids",), ("dates", "ids")):
        if not matcher.plus(normalize=names).differing(recorded, request):
            return names
    return None
