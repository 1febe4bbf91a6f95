"""Insert and replace interactions in the text of a file, and keep comments."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from aquila_cassette.storage.yaml_reader import clean_utf8, joined, load_yaml

Part: TypeAlias = tuple[int | None, bytes | None]
"""An interaction on file, by its place (from 0); a new text; or a new text in the place of the old."""


class _Item(NamedTuple):
    """The lines of an item: where its comments start, its dash is, and the next one starts."""

    start: int
    dash: int
    end: int


class _Lines:
    """The lines of a text, of which few are looked at."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts = array("q", [0])
        self.starts.extend(found.end() for found in re.finditer(b"\n", data))
        if self.starts[-1] < len(data):
            self.starts.append(len(data))

    def __getitem__(self, at: int) -> bytes:
        return self.data[self.starts[at] : self.starts[at + 1]]

    def between(self, start: int, end: int) -> memoryview:
        return memoryview(self.data)[self.starts[start] : self.starts[end]]


def edit_interactions(data: bytes, parts: Sequence[Part]) -> bytes | None:
    """Make the interactions in the text of a cassette those of `parts`; every other line stays.

    New texts are what `format.render` gave. A comment right above an interaction is a line of it,
    but stays where a new text takes its place. None comes where the interactions are no list in
    block style, or none is left.
    """
    if not data.endswith(b"\n"):
        data += b"\r\n" if b"\r\n" in data[: data.find(b"\n") + 1] else b"\n"
    lines = _Lines(data)
    eol = b"\r\n" if lines[0].endswith(b"\r\n") else b"\n"
    indent, items = _find(lines)
    if not items or not parts:
        return None
    out: list[bytes | memoryview] = [lines.between(0, items[0].start)]
    for old, new in parts:
        if old is not None:
            item = items[old]
            out.append(lines.between(item.start, item.end if new is None else item.dash))
        if new is not None:
            out.append(_fit(new, indent, eol))
    return joined([*out, lines.between(items[-1].end, -1)])


def _fit(item: bytes, indent: int, eol: bytes) -> bytes:
    if indent:
        item = re.sub(rb"^(?=.)", b" " * indent, item, flags=re.MULTILINE)
    return item.replace(b"\n", eol) if eol != b"\n" else item


def _find(lines: _Lines) -> tuple[int, list[_Item]]:
    """Return how far in the dashes of the list ``interactions`` are, and its items."""
    tree = load_yaml(clean_utf8(lines.data))
    key = stop = tree.lines["interactions"] - 1
    dash = re.compile(rb"( *)-(?:\s|$)")
    dashes: list[int] = []
    indent = 0
    for line in tree["interactions"].lines:
        above = range(line - 1, stop, -1)  # an item may start below its dash
        found = next(((at, match) for at in above if (match := dash.match(lines[at]))), None)
        if found is None:  # the list is in brackets
            return 0, []
        stop = found[0]
        if not dashes:
            indent = len(found[1][1])
            dash = re.compile(rb" {%d}-(?:\s|$)" % indent)
        dashes.append(stop)
    comment = re.compile(rb" {0,%d}#" % indent)
    last = len(lines.starts) - 1
    end = min((line - 1 for line in tree.lines.values() if line - 1 > key), default=last)
    edges = zip([*dashes, end], [key, *dashes], strict=True)
    starts = [_comments_above(lines, at, stop, comment) for at, stop in edges]
    return indent, [_Item(*item) for item in zip(starts[:-1], dashes, starts[1:], strict=True)]


def _comments_above(lines: _Lines, at: int, stop: int, comment: re.Pattern[bytes]) -> int:
    """Return where the comments right above line `at` start; blank lines may be between them."""
    top = at
    while at - 1 > stop and (comment.match(lines[at - 1]) or not lines[at - 1].strip()):
        at -= 1
        if comment.match(lines[at]):
            top = at
    return top
