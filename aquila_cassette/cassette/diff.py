"""How a request differs from a recorded one, and which recorded one comes closest."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.cassette.matching import Matcher, name_of, url_of
from aquila_cassette.cassette.shown import as_json, below, common, cut, pair, signed, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aquila_cassette.cassette.matching import Part, Url
    from aquila_cassette.cassette.model import Request

__all__ = ["closest", "describe"]

_CANDIDATES = 32
_END = 4096
_BYTE_WORD = re.compile(rb"\w+")
_TOKENS = 3000
_LONGEST_BODY = 256 * 1024
_ALIGNED = 300
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
        >>> from aquila_cassette.cassette.model import Request
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
    wanted = _tokens(request, matcher)
    return max(places, key=lambda place: _likeness(wanted, _tokens(recorded[place], matcher)))


def describe(
    recorded: Request, request: Request, matcher: Matcher | None = None, *, hunks: int = 8
) -> list[str]:
    r"""Say how `request` differs from `recorded`, as the lines of a unified diff.

    Only what the matcher looks at is shown; nothing where it finds them the same. JSON is compared
    field by field, text line by line. Long values are cut where they are the same.

    Args:
        recorded: The recorded request, redacted.
        request: The request at hand, redacted.
        matcher: What counts; by default method, URL and body.
        hunks: How many differences to show at most; of the others only the number is given.

    Example:
        >>> from aquila_cassette.cassette.model import Request
        >>> one = Request("POST", "https://a.example", body=b'{"n": 1, "say": "hello"}')
        >>> other = Request("POST", "https://a.example", body=b'{"n": 1, "say": "hi"}')
        >>> print(*describe(one, other), sep="\n")
        --- recorded
        +++ this request
        @@ say @@
        -hello
        +hi
    """
    matcher = matcher or Matcher()
    found = [
        hunk
        for part in matcher.match_on
        if matcher.differs(part, recorded, request)
        for hunk in _hunks(part, recorded, request, matcher)
    ]
    if not found:
        return []
    lines = ["--- recorded", "+++ this request"]
    for hunk in found[:hunks]:
        lines += hunk.lines()
    if len(found) > hunks:
        more = len(found) - hunks
        lines.append(f"... and {more} more difference{'s' if more > 1 else ''}")
    return lines


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


def _tokens(request: Request, matcher: Matcher) -> Counter[object]:
    """Count what a body is made of: the fields of JSON with each their words, else the words."""
    if len(request.body) > _LONGEST_BODY:
        text = request.body[:_LONGEST_BODY].decode("utf-8", "replace")
        return Counter(islice(_words(text), _TOKENS))
    body = matcher.body(request)
    found = (
        _leaves("", body.value)
        if body.kind == "json"
        else _words(body.value.decode("utf-8", "replace"))
    )
    return Counter(islice(found, _TOKENS))


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


def _likeness(one: Counter[object], other: Counter[object]) -> float:
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else 1.0


class _Hunk(NamedTuple):
    """One difference: where, what is to be noted of it, and its lines with their signs."""

    where: str
    body: list[str]
    note: str = ""

    def lines(self) -> list[str]:
        return [f"@@ {self.where} @@{self.note and ' ' + self.note}", *self.body]


def _hunks(part: Part, recorded: Request, request: Request, matcher: Matcher) -> Iterable[_Hunk]:
    if part == "body":
        return _body_hunks(recorded, request, matcher)
    if part == "method":
        return [_Hunk("method", pair(recorded.method, request.method))]
    if part == "url":
        return [_Hunk("url", pair(recorded.url, request.url))]
    name = name_of(part)
    if isinstance(part, str):
        old, new = (_url_part(url_of(one.url), part) for one in (recorded, request))
        return [_Hunk(name, pair(old, new))]
    return [_Hunk(name, pair(repr(part(recorded)), repr(part(request))))]


def _url_part(url: Url, part: str) -> str:
    if part == "query":
        return "&".join(f"{name}={value}" for name, value in url.query)
    return str(getattr(url, part))


def _body_hunks(recorded: Request, request: Request, matcher: Matcher) -> Iterable[_Hunk]:
    old, new = matcher.body(recorded), matcher.body(request)
    if old.kind == new.kind == "json":
        return _json_hunks("", old.value, new.value)
    texts = [_as_text(one.body if body.kind == "json" else body.value)
             for one, body in ((recorded, old), (request, new))]  # fmt: skip
    if texts[0] is None or texts[1] is None:
        return [_Hunk("body", [f"-{_sized(recorded.body)}", f"+{_sized(request.body)}"])]
    return _text_hunks("body", texts[0], texts[1])


def _as_text(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _sized(body: bytes) -> str:
    return f"<{len(body)} bytes, sha256 {sha256(body).hexdigest()[:12]}>"


def _json_hunks(path: str, old: Any, new: Any) -> Iterator[_Hunk]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            inner = below(path, key)
            if key not in new:
                yield _Hunk(inner, [f"-{cut(as_json(old[key]))}"])
            elif key not in old:
                yield _Hunk(inner, [f"+{cut(as_json(new[key]))}"])
            else:
                yield from _json_hunks(inner, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_hunks(path, old, new)
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield from _text_hunks(path or "body", old, new)
    elif as_json(old) != as_json(new):
        yield _Hunk(path or "body", pair(as_json(old), as_json(new), quoted=False))


def _list_hunks(path: str, old: list[Any], new: list[Any]) -> Iterator[_Hunk]:
    note = f"{len(old)} items became {len(new)}" if len(old) != len(new) else ""
    for old_start, old_end, new_start, new_end in _changes(
        [as_json(item) for item in old], [as_json(item) for item in new]
    ):
        both = min(old_end - old_start, new_end - new_start)
        for at in range(both):
            inner = below(path, str(new_start + at))
            yield from _json_hunks(inner, old[old_start + at], new[new_start + at])
        for at in range(old_start + both, old_end):
            yield _Hunk(below(path, str(at)), [f"-{cut(as_json(old[at]))}"], note)
        for at in range(new_start + both, new_end):
            yield _Hunk(below(path, str(at)), [f"+{cut(as_json(new[at]))}"], note)


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Give the ranges in which two sequences differ; long ones are compared place by place."""
    start, old_end, new_end = common(old, new)
    if max(old_end, new_end) - start > _ALIGNED:
        yield start, old_end, start, new_end
        return
    aligned = SequenceMatcher(None, old[start:old_end], new[start:new_end], autojunk=False)
    for tag, old_from, old_to, new_from, new_to in aligned.get_opcodes():
        if tag != "equal":
            yield old_from + start, old_to + start, new_from + start, new_to + start


def _text_hunks(path: str, old: str, new: str) -> Iterator[_Hunk]:
    """Compare two strings line by line; one line each is simply shown."""
    if "\n" not in old and "\n" not in new:
        yield _Hunk(path, pair(old, new))
        return
    old_lines, new_lines = old.split("\n"), new.split("\n")
    for old_start, old_end, new_start, new_end in _changes(old_lines, new_lines):
        above = new_lines[max(0, new_start - 1) : new_start]
        before, after = (
            [f" {cut(visible(line))}" for line in lines]
            for lines in (above, new_lines[new_end : new_end + 1])
        )
        changed = signed(old_lines[old_start:old_end], new_lines[new_start:new_end])
        yield _Hunk(f"{path}, line {new_start + 1}", [*before, *changed, *after])
