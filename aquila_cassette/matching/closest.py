"""Find the recorded request that is most like a request, and the options under which both match."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aquila_cassette.matching.keys import Matcher, url_of
from aquila_cassette.matching.volatile import PATTERNS, RANDOM
from aquila_cassette.model import Request

_END = 10_000
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
    return max(
        places, key=lambda at: _similarity(wanted, _words(recorded[at], matcher)), default=None
    )


def _nearness(request: Request, one: Request) -> tuple[bool, ...]:
    """Return what two requests have in common; what weighs most comes first."""
    wanted, url = url_of(request.url), url_of(one.url)
    return (
        request.method == one.method,
        wanted.path == url.path,
        (wanted.host, wanted.port) == (url.host, url.port),
        wanted.query == url.query,
    )


def _words(request: Request, matcher: Matcher) -> Counter[bytes]:
    body = matcher.compared(request)
    return Counter(_WORD.findall(body if len(body) <= 2 * _END else body[:_END] + body[-_END:]))


def _similarity(one: Counter[bytes], other: Counter[bytes]) -> float:
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0


# What differs each time.

_NAMED = (("dates",), ("uuids",), ("dates", "uuids"))
_SHORT = r"(?<![0-9A-Za-z])(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,15}(?![0-9A-Za-z])"
_IDS = re.compile(rf"{RANDOM.pattern}|{_SHORT}")
_LARGEST = 1 << 17  # bytes of a body: more would take long


class _Difference(NamedTuple):
    """Where two requests differ: the option that takes it out, and what to give it."""

    option: str
    value: Any
    what: str


class _NotVolatileError(Exception):
    """Something else differs too."""


def suggest(recorded: Request, request: Request, matcher: Matcher) -> tuple[Matcher, str] | None:
    """Return the matcher to which two requests are the same, and in words in what they differ.

    None if they differ in more than dates, times, ids and the order of lists.
    """
    if max(len(recorded.body), len(request.body)) > _LARGEST:
        return None
    fitting: list[tuple[int, Matcher, str]] = []
    for names in ((), *_NAMED):
        better = steady = matcher.plus(normalize=names) if names else matcher
        try:
            found = list(dict.fromkeys(_differences(recorded, request, steady)))
        except _NotVolatileError:
            return None
        for one in found:
            better = better.plus(**{one.option: (one.value,)})
        if not better.differing(recorded, request):
            words = [*names, *dict.fromkeys(one.what for one in found)]
            fitting.append((len(found), better, " and ".join(words)))
    return min(fitting, key=lambda one: one[0])[1:] if fitting else None


def _differences(recorded: Request, request: Request, matcher: Matcher) -> Iterator[_Difference]:
    if recorded.method != request.method:
        raise _NotVolatileError
    was, now = matcher.url(recorded.url), matcher.url(request.url)
    if was._replace(path="", query=()) != now._replace(path="", query=()):
        raise _NotVolatileError
    yield from _path_differences(was.path, now.path)
    yield from _named_differences(was.query, now.query, "ignore_query")
    old, new = matcher.body(recorded), matcher.body(request)
    if old.kind == new.kind == "json":
        yield from _json_differences((), old.value, new.value)
    elif old.kind != new.kind:
        raise _NotVolatileError
    elif old.value != new.value:
        was_sent, is_sent = (_fields(one.value) for one in (old, new))
        yield from _named_differences(was_sent, is_sent, "ignore_form")


def _fields(form: bytes) -> list[tuple[str, str]]:
    lines = form.decode("utf-8", "surrogateescape").split("\n")
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def _path_differences(old: str, new: str) -> Iterator[_Difference]:
    was, now = old.split("/"), new.split("/")
    if len(was) != len(now):
        raise _NotVolatileError
    for before, one, other in zip(["", *was], was, now, strict=False):
        if one != other:
            _check_random(one, other)
            pattern = re.compile(rf"(?<=/{re.escape(before)}/)[^/]+")
            yield _Difference("normalize", pattern, "ids")


def _named_differences(old: Any, new: Any, option: str) -> Iterator[_Difference]:
    if [name for name, _ in old] != [name for name, _ in new]:
        raise _NotVolatileError
    for (name, one), (_, other) in zip(old, new, strict=True):
        if one != other:
            _check_random(one, other)
            yield _Difference(option, name, "ids")


def _json_differences(path: tuple[str, ...], old: Any, new: Any) -> Iterator[_Difference]:
    if isinstance(old, str) and isinstance(new, str) and old != new and path:
        nested = [_json_in(one) for one in (old, new)]
        if all(isinstance(one, dict | list) for one in nested):
            old, new = nested
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key in old:
            yield from _json_differences((*path, key), old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        if old != new and path and sorted(map(json.dumps, old)) == sorted(map(json.dumps, new)):
            yield _Difference("unordered_json", ".".join(path), "the order of lists")
            return
        for one, other in zip(old, new, strict=True):
            yield from _json_differences((*path, "*"), one, other)
    elif json.dumps(old) != json.dumps(new):
        _check_random(old, new)
        if isinstance(old, str) and (" " in old or not path):  # the rest of a prompt counts
            for one, other in zip(_IDS.findall(old), _IDS.findall(str(new)), strict=False):
                if one != other:
                    yield _Difference("normalize", _pattern(one, other), "ids")
        else:
            yield _Difference("ignore_json", ".".join(path), "ids")


def _json_in(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _pattern(one: str, other: str) -> re.Pattern[str]:
    """Return a pattern of two ids, with the word that both begin with: ``call_``."""
    word = one.rpartition("_")[0] + "_"
    start = word if word != "_" and other.startswith(word) else ""
    least = min(len(one), len(other)) - len(start)
    both = "" if start else r"(?=\w*\d)(?=\w*[A-Za-z])"  # a word has no digit, a number no letter
    return re.compile(rf"\b{both}{re.escape(start)}\w{{{least},}}")


def _check_random(old: Any, new: Any) -> None:
    """Raise unless two values are alike but for dates and ids, or are numbers that nobody wrote."""
    if isinstance(old, str) and isinstance(new, str):
        undated = [PATTERNS["dates"].sub("", text) for text in (old, new)]
        is_random = len({_IDS.sub("", text) for text in undated}) == 1
    else:
        is_random = all(_is_random_number(one) for one in (old, new))
    if not is_random:
        raise _NotVolatileError


def _is_random_number(value: Any) -> bool:
    """Return whether a number is like one from a clock or a generator: 120000 is not."""
    if type(value) is int:
        return abs(value) > 10**6 and value % 1000 != 0
    return type(value) is float and len(str(value)) > 9
