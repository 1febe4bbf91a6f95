"""Find the recorded request that is closest to another; write the diff of the two that a miss ends in."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import zip_longest
from typing import Any
from unicodedata import normalize

from aquila_cassette.matching.keys import Matcher, MatchPart, Operation, name_of, url_of
from aquila_cassette.model import Request

_MAX_HUNKS = 8
_MAX_ALIGNED = 300
_MAX_LINES = 12
_SCREEN = 32
_WIDTH, _HEAD, _TAIL, _AROUND = 160, 90, 50, 30
_ABSENT = object()
_END = 10_000
_LARGEST = 1 << 17  # bytes of a body that is compared in several ways
_WORD = re.compile(rb"\w+|[^\w\s]")

IN_ANOTHER_ORDER = re.compile(r"^ *@@ (.*) @@ the same in another order$")

_Hunk = list[str]  # one difference: a line that says where, then lines with their signs


def describe(recorded: Request, request: Request, matcher: Matcher | None = None) -> list[str]:
    """Return how `request` differs from `recorded`, both redacted, as the lines of a unified diff.

    Only what the matcher looks at is shown; nothing where it finds them the same. JSON is compared
    field by field, text line by line. Of many differences only the first are.
    """
    matcher = matcher or Matcher()
    found: list[_Hunk] = []
    for part in matcher.differing(recorded, request):
        if part == "body":
            found += _body_hunks(recorded, request, matcher)
        else:
            old, new = (_shown(part, one, matcher) for one in (recorded, request))
            found.append([f"@@ {name_of(part)} @@", *_pair(old, new)])
    if not found:
        return []
    lines = ["--- recorded", "+++ this request"]
    lines += [line for hunk in found[:_MAX_HUNKS] for line in hunk]
    if len(found) > _MAX_HUNKS:
        lines.append(f"... and {len(found) - _MAX_HUNKS} more")
    if len(lines) > _SCREEN:
        lines[_SCREEN:] = [f"... and {len(lines) - _SCREEN} more lines"]
    return lines


def _shown(part: MatchPart, request: Request, matcher: Matcher) -> str:
    if not isinstance(part, str):
        return repr(part(request))
    if part == "operation":
        return str(Operation.of(request))
    if part == "query":
        return "&".join(f"{name}={value}" for name, value in matcher.url(request.url).query)
    holder = request if part in ("method", "url") else url_of(request.url)
    return str(getattr(holder, part))


def _body_hunks(recorded: Request, request: Request, matcher: Matcher) -> Iterator[_Hunk]:
    old, new = matcher.body(recorded), matcher.body(request)
    if old.kind != new.kind:
        yield from _text_hunks("body", _as_text(recorded.body), _as_text(request.body))
    elif old.kind == "json":
        yield from _json_hunks("", old.value, new.value)
    else:
        yield from _text_hunks("body", _as_text(old.value), _as_text(new.value))


def _as_text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return f"<{len(body)} bytes, sha256 {sha256(body).hexdigest()[:12]}>"
    return text


def _json_hunks(path: str, old: Any, new: Any, note: str = "") -> Iterator[_Hunk]:
    """Compare two values, of which one may be absent; the `note` says why."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _json_hunks(_below(path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_hunks(path, old, new)
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield from _text_hunks(path or "body", old, new)
    elif old is _ABSENT or new is _ABSENT:
        shown = f"-{_cut(_as_json(old))}" if new is _ABSENT else f"+{_cut(_as_json(new))}"
        yield [f"@@ {path} @@{note}", shown]
    elif _as_json(old) != _as_json(new):
        yield [f"@@ {path or 'body'} @@", *_signed_pair(_as_json(old), _as_json(new))]


def _list_hunks(path: str, old: list[Any], new: list[Any]) -> Iterator[_Hunk]:
    was, now = ([_as_json(item) for item in items] for items in (old, new))
    if sorted(was) == sorted(now):
        if was != now:
            head = f"@@ {path} @@ the same in another order"
            yield [head, *_signed_pair(_as_json(old), _as_json(new))]
        return
    note = f" {len(old)} items became {len(new)}" if len(old) != len(new) else ""
    for old_start, old_end, new_start, new_end in _changes(was, now):
        items = zip_longest(old[old_start:old_end], new[new_start:new_end], fillvalue=_ABSENT)
        for at, (one, other) in enumerate(items):
            place = (old_start if other is _ABSENT else new_start) + at
            yield from _json_hunks(_below(path, str(place)), one, other, note)


def _text_hunks(path: str, old: str, new: str) -> Iterator[_Hunk]:
    """Compare two strings that differ line by line; one line each is simply shown."""
    if "\n" not in old and "\n" not in new:
        yield [f"@@ {path} @@", *_pair(old, new)]
        return
    old_lines, new_lines = old.split("\n"), new.split("\n")
    for old_start, old_end, new_start, new_end in _changes(old_lines, new_lines):
        changed = _signed(old_lines[old_start:old_end], new_lines[new_start:new_end])
        yield [f"@@ {path}, line {new_start + 1} @@", *changed]


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the ranges in which two lists differ; long ones are compared place by place."""
    start = _same(old, new)
    end = _same(old[start:][::-1], new[start:][::-1])
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(old), len(new)) > _MAX_ALIGNED:
        yield start, start + len(old), start, start + len(new)
        return
    aligned = SequenceMatcher(None, old, new, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in aligned.get_opcodes():
        if tag != "equal":
            yield old_from + start, old_to + start, new_from + start, new_to + start


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how far two sequences are the same from their start."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))


# The closest request.


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


# How lines are shown: cut where they are long, quoted where their looks mislead.


def _signed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Show lines that went and lines that came; of many, the middle is left out."""
    if len(old) == len(new) == 1:
        return _pair(old[0], new[0])
    show = _quoting([*old, *new])
    half = _MAX_LINES // 2
    shown = []
    for sign, texts in (("-", old), ("+", new)):
        lines = [f"{sign}{_cut(show(line))}" for line in texts]
        if len(lines) > _MAX_LINES:
            lines[half:-half] = [f"{sign}[... {len(lines) - 2 * half} lines ...]"]
        shown += lines
    return shown


def _pair(old: str, new: str) -> list[str]:
    show = _quoting([old, new])
    return _signed_pair(show(old), show(new))


def _quoting(texts: Sequence[str]) -> Callable[[str], str]:
    """Return how to show texts: as they are, or quoted where their ends or looks would mislead."""
    if len({normalize("NFC", text) for text in texts}) < len(set(texts)):
        return ascii
    return str if all(text.isprintable() and text == text.rstrip() for text in texts) else repr


def _signed_pair(old: str, new: str) -> list[str]:
    """Show what was and what is, long ones from shortly before they differ."""
    start = _same(old, new)
    is_long = max(len(old), len(new)) > _WIDTH and start > 2 * _AROUND
    lead = start - _AROUND if is_long else 0
    before = _left_out(lead).lstrip() if lead else ""
    return [f"{sign}{before}{_cut(text[lead:])}" for sign, text in (("-", old), ("+", new))]


def _cut(text: str) -> str:
    """Leave out the middle of a long text, and say how much."""
    if len(text) <= _WIDTH:
        return text
    return f"{text[:_HEAD]}{_left_out(len(text) - _HEAD - _TAIL)}{text[-_TAIL:]}"


def _left_out(count: int) -> str:
    return f" [... {count} characters ...] "


def _as_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if text.isprintable() else json.dumps(value, sort_keys=True)


def _below(path: str, step: str) -> str:
    step = step if step.isprintable() and step else repr(step)
    return f"{path}.{step}" if path else step
