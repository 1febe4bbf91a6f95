"""Differences in place: values of JSON, texts and other bytes, as the hunks of a unified diff."""

from __future__ import annotations

from difflib import SequenceMatcher
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.matching.diff_format import as_json, below, common, cut, pair, signed, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Hunk", "bytes_hunks", "json_hunks", "text_hunks"]

_ALIGNED = 300


class Hunk(NamedTuple):
    """One difference: where, what is to be noted of it, and its lines with their signs."""

    where: str
    body: list[str]
    note: str = ""

    def lines(self) -> list[str]:
        """Give it as lines, its head first."""
        return [f"@@ {self.where} @@{self.note and ' ' + self.note}", *self.body]


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
