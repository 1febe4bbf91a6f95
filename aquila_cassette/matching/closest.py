"""Find the recorded request that is most like a request."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from aquila_cassette.matching.keys import Matcher, url_of
from aquila_cassette.model import Request

_MAX_CANDIDATES = 32
_MAX_TOKENS = 3000
_LONGEST_BODY = 256 * 1024
_END = 4096
_BYTE_WORD = re.compile(rb"\w+")
_WORD = re.compile(r"\w+|[^\w\s]")


def closest(
    request: Request, recorded: Sequence[Request], matcher: Matcher | None = None
) -> int | None:
    """Return the place of the recorded request that `request` is most like; None if there is none.

    First come the same method and URL, then the body with the most fields and words in common; of
    equals the first. The effort is bounded: of many candidates, a few are read as a whole.
    """
    if not recorded:
        return None
    near = [_nearness(request, one) for one in recorded]
    nearest = max(near)
    places = [place for place, value in enumerate(near) if value == nearest]
    if len(places) > _MAX_CANDIDATES:
        words = _words_at_the_ends(request.body)
        places.sort(key=lambda place: len(words ^ _words_at_the_ends(recorded[place].body)))
        places = sorted(places[:_MAX_CANDIDATES])
    if len(places) == 1:
        return places[0]
    matcher = matcher or Matcher()
    wanted = _tokens(request, matcher)
    return max(places, key=lambda place: _similarity(wanted, _tokens(recorded[place], matcher)))


def _nearness(request: Request, one: Request) -> tuple[bool, ...]:
    """Return what two requests have in common; what weighs most comes first."""
    is_same_method = request.method == one.method
    if request.url == one.url:
        return (is_same_method, True, True, True)
    wanted, url = url_of(request.url), url_of(one.url)
    return (
        is_same_method,
        wanted.path == url.path,
        (wanted.host, wanted.port) == (url.host, url.port),
        wanted.query == url.query,
    )


def _words_at_the_ends(body: bytes) -> set[bytes]:
    if len(body) > 2 * _END:
        body = body[:_END] + body[-_END:]
    return set(_BYTE_WORD.findall(body))


def _tokens(request: Request, matcher: Matcher) -> Counter[object]:
    """Count what a body is made of: the fields of JSON with each their words, else the words."""
    if len(request.body) > _LONGEST_BODY:
        text = request.body[:_LONGEST_BODY].decode("utf-8", "replace")
        return Counter(islice(_WORD.findall(text), _MAX_TOKENS))
    body = matcher.body(request)
    if body.kind == "json":
        try:
            return Counter(islice(_leaves("", body.value), _MAX_TOKENS))
        except RecursionError:  # it could be parsed, and is nested too deeply to be walked
            pass
    rest = request.body if body.kind == "json" else body.value
    return Counter(islice(_WORD.findall(rest.decode("utf-8", "replace")), _MAX_TOKENS))


def _leaves(path: str, value: Any) -> Iterator[object]:
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _leaves(f"{path}.{key}", held)
    elif isinstance(value, list):
        for held in value:
            yield from _leaves(path, held)
    elif isinstance(value, str):
        yield path
        for word in _WORD.findall(value):
            yield path, word
    else:
        yield path, value


def _similarity(one: Counter[object], other: Counter[object]) -> float:
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0
