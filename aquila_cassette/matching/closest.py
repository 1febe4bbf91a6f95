"""Which recorded request a request is most like."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from aquila_cassette.matching.keys import Matcher, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.model import Request

__all__ = ["closest", "likeness", "tokens"]

_CANDIDATES = 32
_END = 4096
_BYTE_WORD = re.compile(rb"\w+")
_TOKENS = 3000
_LONGEST_BODY = 256 * 1024
_WORD = re.compile(r"\w+|[^\w\s]")


def closest(
    request: Request, recorded: Sequence[Request], matcher: Matcher | None = None
) -> int | None:
    """Find the recorded request that `request` is most like; None if there is none at all.

    First come the same method and URL, then the body whose fields and words are most the same; of
    equals the first. The effort is bounded: of many candidates, a few are read as a whole.

    Args:
        request: The request that has no recording, redacted.
        recorded: The candidates.
        matcher: What counts; by default method, URL and body.

    Example:
        >>> from aquila_cassette.model import Request
        >>> said = [Request("POST", "https://a.example/v1", body=text) for text in (b"yes", b"no")]
        >>> closest(Request("POST", "https://a.example/v1", body=b"no!"), said)
        1
    """
    if not recorded:
        return None
    near = [_nearness(request, one) for one in recorded]
    best = max(near)
    places = [place for place, value in enumerate(near) if value == best]
    if len(places) > _CANDIDATES:
        places = _of_similar_words(places, request, recorded)
    if len(places) == 1:
        return places[0]
    matcher = matcher or Matcher()
    wanted = tokens(request, matcher)
    return max(places, key=lambda place: likeness(wanted, tokens(recorded[place], matcher)))


def _nearness(request: Request, one: Request) -> tuple[int, ...]:
    """Rate how near the addresses of two requests are; what weighs most comes first."""
    if request.url == one.url:
        return (request.method == one.method, 1, 1, 1)
    wanted, url = url_of(request.url), url_of(one.url)
    return (
        request.method == one.method,
        wanted.path == url.path,
        (wanted.host, wanted.port) == (url.host, url.port),
        wanted.query == url.query,
    )


def _of_similar_words(
    places: Sequence[int], request: Request, recorded: Sequence[Request]
) -> list[int]:
    """Choose from many candidates those worth a closer look: with most words in common."""
    wanted = _words_at_the_ends(request.body)

    def apart(place: int) -> int:
        return len(wanted ^ _words_at_the_ends(recorded[place].body))

    return sorted(sorted(places, key=apart)[:_CANDIDATES])


def _words_at_the_ends(body: bytes) -> set[bytes]:
    if len(body) > 2 * _END:
        body = body[:_END] + body[-_END:]
    return set(_BYTE_WORD.findall(body))


def tokens(request: Request, matcher: Matcher) -> Counter[object]:
    """Count what a body is made of: the fields of JSON with each their words, else the words.

    Args:
        request: The request; of a large body its beginning is enough.
        matcher: What counts of it.
    """
    if len(request.body) > _LONGEST_BODY:
        text = request.body[:_LONGEST_BODY].decode("utf-8", "replace")
        return Counter(islice(_words(text), _TOKENS))
    body = matcher.body(request)
    if body.kind == "json":
        try:
            return Counter(islice(_leaves("", body.value), _TOKENS))
        except RecursionError:  # it could be parsed, and is nested too deeply to be walked
            pass
    rest = request.body if body.kind == "json" else body.value
    return Counter(islice(_words(rest.decode("utf-8", "replace")), _TOKENS))


def _words(text: str) -> Iterator[object]:
    return (match[0] for match in _WORD.finditer(text))


def _leaves(path: str, value: Any) -> Iterator[object]:
    if isinstance(value, dict):
        for key, held in value.items():
            yield from _leaves(f"{path}.{key}", held)
    elif isinstance(value, list):
        for held in value:
            yield from _leaves(path, held)
    elif isinstance(value, str):
        yield path
        for word in _words(value):
            yield path, word
    else:
        yield path, value


def likeness(one: Counter[object], other: Counter[object]) -> float:
    """Say how much two bodies are alike, from 0 to 1, by what `tokens` counted of each.

    Args:
        one: Of the one.
        other: Of the other.

    Example:
        >>> likeness(Counter({"a": 2}), Counter({"a": 1, "b": 1}))
        0.5
    """
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0
