"""How a request differs from a recorded one: field by field, as the hunks of a unified diff."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from aquila_cassette.matching.keys import Matcher, name_of, url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from aquila_cassette.matching.keys import Part, Url
    from aquila_cassette.model import Request

__all__ = [
    "Hunk",
    "as_json",
    "bytes_hunks",
    "common",
    "cut",
    "describe",
    "differences",
    "few",
    "json_hunks",
    "signed",
    "text_hunks",
    "visible",
]

_ALIGNED = 300
_LINES = 12
_WIDTH, _HEAD, _TAIL, _AROUND = 160, 90, 50, 30


class Hunk(NamedTuple):
    """One difference: where, what is to be noted of it, and its lines with their signs."""

    where: str
    body: list[str]
    note: str = ""

    def lines(self) -> list[str]:
        """Give it as lines, its head first."""
        return [f"@@ {self.where} @@{self.note and ' ' + self.note}", *self.body]


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
        >>> from aquila_cassette.model import Request
        >>> one = Request("POST", "https://a.example", body=b'{"n": 1, "say": "hello"}')
        >>> other = Request("POST", "https://a.example", body=b'{"n": 1, "say": "hi"}')
        >>> print(*describe(one, other), sep="\n")
        --- recorded
        +++ this request
        @@ say @@
        -hello
        +hi
    """
    found = differences(recorded, request, matcher)
    if not found:
        return []
    lines = ["--- recorded", "+++ this request"]
    for hunk in found[:hunks]:
        lines += hunk.lines()
    if len(found) > hunks:
        more = len(found) - hunks
        lines.append(f"... and {more} more difference{'s' if more > 1 else ''}")
    return lines


def differences(recorded: Request, request: Request, matcher: Matcher | None = None) -> list[Hunk]:
    """Give all that `describe` would show, hunk by hunk.

    Args:
        recorded: The recorded request, redacted.
        request: The request at hand, redacted.
        matcher: What counts; by default method, URL and body.
    """
    matcher = matcher or Matcher()
    return [
        hunk
        for part in matcher.match_on
        if matcher.differs(part, recorded, request)
        for hunk in _hunks(part, recorded, request, matcher)
    ]


def _hunks(part: Part, recorded: Request, request: Request, matcher: Matcher) -> Iterable[Hunk]:
    if part == "body":
        return _body_hunks(recorded, request, matcher)
    if part == "method":
        return [Hunk("method", pair(recorded.method, request.method))]
    if part == "url":
        return [Hunk("url", pair(recorded.url, request.url))]
    name = name_of(part)
    if isinstance(part, str):
        old, new = (_url_part(url_of(one.url), part) for one in (recorded, request))
        return [Hunk(name, pair(old, new))]
    return [Hunk(name, pair(repr(part(recorded)), repr(part(request))))]


def _url_part(url: Url, part: str) -> str:
    if part == "query":
        return "&".join(f"{name}={value}" for name, value in url.query)
    return str(getattr(url, part))


def _body_hunks(recorded: Request, request: Request, matcher: Matcher) -> Iterable[Hunk]:
    old, new = matcher.body(recorded), matcher.body(request)
    if old.kind == new.kind == "json":
        return json_hunks("", old.value, new.value)
    texts = [one.body if body.kind == "json" else body.value
             for one, body in ((recorded, old), (request, new))]  # fmt: skip
    return bytes_hunks("body", *texts)


def _as_text(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _sized(body: bytes) -> str:
    return f"<{len(body)} bytes, sha256 {sha256(body).hexdigest()[:12]}>"


def bytes_hunks(path: str, old: bytes, new: bytes) -> Iterator[Hunk]:
    r"""Compare two bodies that are no JSON: as text where both are that, else by size and hash.

    Args:
        path: What they are called.
        old: What was.
        new: What is.

    Example:
        >>> [hunk.lines() for hunk in bytes_hunks("body", b"yes", b"no")]
        [['@@ body @@', '-yes', '+no']]
    """
    texts = _as_text(old), _as_text(new)
    if texts[0] is None or texts[1] is None:
        if old != new:
            yield Hunk(path, [f"-{_sized(old)}", f"+{_sized(new)}"])
    elif texts[0] != texts[1]:
        yield from text_hunks(path, texts[0], texts[1])


def json_hunks(path: str, old: Any, new: Any) -> Iterator[Hunk]:
    """Compare two values that came from JSON, field by field.

    Args:
        path: Where they stand; empty for a whole body.
        old: What was.
        new: What is.

    Example:
        >>> [hunk.lines() for hunk in json_hunks("", {"n": 1, "m": 2}, {"n": 1.5, "m": 2})]
        [['@@ n @@', '-1', '+1.5']]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            inner = below(path, key)
            if key not in new:
                yield Hunk(inner, [f"-{cut(as_json(old[key]))}"])
            elif key not in old:
                yield Hunk(inner, [f"+{cut(as_json(new[key]))}"])
            else:
                yield from json_hunks(inner, old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_hunks(path, old, new)
    elif isinstance(old, str) and isinstance(new, str):
        if old != new:
            yield from text_hunks(path or "body", old, new)
    elif as_json(old) != as_json(new):
        yield Hunk(path or "body", pair(as_json(old), as_json(new), quoted=False))


def _list_hunks(path: str, old: list[Any], new: list[Any]) -> Iterator[Hunk]:
    note = f"{len(old)} items became {len(new)}" if len(old) != len(new) else ""
    for old_start, old_end, new_start, new_end in _changes(
        [as_json(item) for item in old], [as_json(item) for item in new]
    ):
        both = min(old_end - old_start, new_end - new_start)
        for at in range(both):
            inner = below(path, str(new_start + at))
            yield from json_hunks(inner, old[old_start + at], new[new_start + at])
        for at in range(old_start + both, old_end):
            yield Hunk(below(path, str(at)), [f"-{cut(as_json(old[at]))}"], note)
        for at in range(new_start + both, new_end):
            yield Hunk(below(path, str(at)), [f"+{cut(as_json(new[at]))}"], note)


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


def text_hunks(path: str, old: str, new: str) -> Iterator[Hunk]:
    r"""Compare two strings that differ line by line; one line each is simply shown.

    Args:
        path: Where they stand.
        old: What was.
        new: What is.

    Example:
        >>> [hunk.lines() for hunk in text_hunks("text", "a\nb\nc", "a\nc")]
        [['@@ text, line 2 @@', ' a', '-b', ' c']]
    """
    if "\n" not in old and "\n" not in new:
        yield Hunk(path, pair(old, new))
        return
    old_lines, new_lines = old.split("\n"), new.split("\n")
    for old_start, old_end, new_start, new_end in _changes(old_lines, new_lines):
        above = new_lines[max(0, new_start - 1) : new_start]
        before, after = (
            [f" {cut(visible(line))}" for line in lines]
            for lines in (above, new_lines[new_end : new_end + 1])
        )
        changed = signed(old_lines[old_start:old_end], new_lines[new_start:new_end])
        yield Hunk(f"{path}, line {new_start + 1}", [*before, *changed, *after])


def common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int, int]:
    """Leave off what is the same at both ends; give where the rest starts, and ends in each."""
    limit = min(len(old), len(new))
    start = _longest(limit, lambda size: old[:size] == new[:size])
    end = _longest(limit - start, lambda size: old[len(old) - size :] == new[len(new) - size :])
    return start, len(old) - end, len(new) - end


def _longest(limit: int, same: Callable[[int], bool]) -> int:
    """Find the largest size up to `limit` for which `same` holds; it holds for all smaller ones."""
    if same(limit):
        return limit
    low = 0
    while limit - low > 1:
        middle = (low + limit) // 2
        if same(middle):
            low = middle
        else:
            limit = middle
    return low


def signed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Show lines that went and lines that came, where each line came for one that went in pairs."""
    if len(old) == len(new) == 1:
        return pair(old[0], new[0], line=True)
    show = _shown_alike([*old, *new], line=True)
    return [
        *(few([f"-{cut(show(line))}" for line in old])),
        *(few([f"+{cut(show(line))}" for line in new])),
    ]


def few(lines: list[str]) -> list[str]:
    """Leave out the middle of many lines of one sign, and say how many."""
    if len(lines) <= _LINES:
        return lines
    half = _LINES // 2
    left_out = f"{lines[0][0]}[... {len(lines) - 2 * half} lines ...]"
    return [*lines[:half], left_out, *lines[-half:]]


def pair(old: str, new: str, *, quoted: bool = True, line: bool = False) -> list[str]:
    """Show what was and what is, cut alike so that the difference stays in sight."""
    if quoted:
        show = _shown_alike([old, new], line=line)
        old, new = show(old), show(new)
    old, new = _cut_alike(old, new)
    return [f"-{old}", f"+{new}"]


def _shown_alike(texts: Sequence[str], *, line: bool) -> Callable[[str], str]:
    """Choose how to show texts: as they are, or quoted where their ends or looks would mislead."""
    if len({normalize("NFC", text) for text in texts}) < len(set(texts)):
        return ascii
    if all(_is_plain(text, line=line) for text in texts):
        return str
    return repr


def _is_plain(text: str, *, line: bool) -> bool:
    if line:
        return text.isprintable() and text == text.rstrip()
    return text.isprintable() and text == text.strip() != ""


def visible(text: str) -> str:
    """Give `text` with escapes for what a terminal would not show."""
    return text if text.isprintable() else repr(text)[1:-1]


def as_json(value: Any) -> str:
    """Give `value` as JSON in one line, with nothing in it that a terminal would not show."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if text.isprintable() else json.dumps(value, sort_keys=True)


def below(path: str, step: str) -> str:
    """Give the path of a field or place below `path`."""
    step = step if step.isprintable() and step else repr(step)
    return f"{path}.{step}" if path else step


def cut(text: str) -> str:
    """Leave out the middle of a long text, and say how much."""
    if len(text) <= _WIDTH:
        return text
    return f"{text[:_HEAD]}{_left_out(len(text) - _HEAD - _TAIL)}{text[-_TAIL:]}"


def _cut_alike(old: str, new: str) -> tuple[str, str]:
    """Leave out of two long texts what is the same at both ends, and the middle of what is not."""
    if max(len(old), len(new)) <= _WIDTH:
        return old, new
    start, old_end, _ = common(old, new)
    lead = start - _AROUND if start > 2 * _AROUND else 0
    same_after = len(old) - old_end
    trail = same_after - _AROUND if same_after > 2 * _AROUND else 0
    return _window(old, lead, trail), _window(new, lead, trail)


def _window(text: str, lead: int, trail: int) -> str:
    before = _left_out(lead).lstrip() if lead else ""
    after = _left_out(trail).rstrip() if trail else ""
    return f"{before}{cut(text[lead : len(text) - trail])}{after}"


def _left_out(count: int) -> str:
    return f" [... {count} characters ...] "
