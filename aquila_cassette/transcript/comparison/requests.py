"""Two requests compared, without the ids that came of the answers before them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from aquila_cassette.matching.difference import bytes_hunks, differences
from aquila_cassette.matching.keys import body_of
from aquila_cassette.transcript.comparison.answer import Answer
from aquila_cassette.transcript.comparison.noise import without_echoes
from aquila_cassette.transcript.comparison.values import changed, headers_changed

if TYPE_CHECKING:
    from aquila_cassette.model import CassetteData, Request
    from aquila_cassette.transcript.comparison.result import Detail

__all__ = ["Requests", "request_changes"]

# The body says what it is, and how an SDK says so is no difference.
_NOISE = frozenset({"accept", "content-type", "last-event-id"})
_LONG_ENOUGH = 8  # an id, to be looked for within a URL


class Requests:
    """The requests of a cassette without the ids of its answers, which are others each time.

    Args:
        cassette: The cassette.
    """

    def __init__(self, tape: CassetteData) -> None:
        self.tape = tape
        self._plain: dict[int, Request] = {}

    def plain(self, at: int) -> Request:
        """Give the request at a place of the cassette, with the same word for each such id."""
        if at not in self._plain:
            self._plain[at] = self._without_echoes(self.tape.interactions[at].request)
        return self._plain[at]

    @cached_property
    def _echoes(self) -> frozenset[str]:
        answers = (Answer(one.response) for one in self.tape.interactions)
        return frozenset(id_ for answer in answers for id_ in answer.ids)

    def _without_echoes(self, request: Request) -> Request:
        url = request.url
        for echo in self._echoes:
            if len(echo) >= _LONG_ENOUGH:
                url = url.replace(echo, "[id]")
        body = body_of(request)
        if body.kind != "json":
            return replace(request, url=url)
        try:
            plain = json.dumps(without_echoes(body.value, self._echoes))
        except RecursionError:
            return replace(request, url=url)
        return replace(request, url=url, body=plain.encode())


def request_changes(old: Request, new: Request, *, everything: bool) -> list[Detail]:
    """Compare two requests as matching does, and the API versions in their headers.

    Args:
        old: The older one.
        new: The newer one.
        everything: Whether all headers and each byte count.
    """
    found: list[Detail]
    try:
        found = [*differences(old, new)]
    except RecursionError:  # nobody nests that deep; it came by accident, or to do harm
        found = [*bytes_hunks("body", old.body, new.body)]
    found += headers_changed(
        old.headers, new.headers, is_noise=_NOISE.__contains__, everything=everything
    )
    if everything and not found:
        found += changed([("url", old.url, new.url)])
        found += bytes_hunks("body", old.body, new.body)
    return found
