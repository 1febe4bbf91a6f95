"""Insert and replace interactions in the text of a file, and keep comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from aquila_cassette.storage.yaml_reader import clean_utf8, load_yaml

Part: TypeAlias = tuple[int | None, str | None]
"""An interaction on file, by its place (from 0); a new text; or a new text in the place of the old."""


class _Item(NamedTuple):
    """The lines of an item: where its comments start, its dash is, and the next one starts."""

    start: int
    dash: int
    end: int


def edit_interactions(text: str, parts: Sequence[Part]) -> str | None:
    """Make the interactions in the text of a cassette those of `parts`; every other line stays.

    New texts are what `format.render` gave. A comment right above an interaction is a line of it,
    but stays where a new text takes its place. None comes where the interactions are no list in
    block style, or none is left.
    """
    lines, eol = _lines(text)
    indent, items = _find(text, lines)
    if not items or not parts:
        return None
    out = lines[: items[0].start]
    for old, new in parts:
        if old is not None:
            item = items[old]
            out += lines[item.start : item.end if new is None else item.dash]
        if new is not None:
            out.append(_fit(new, indent, eol))
    return "".join(out + lines[items[-1].end :])


def _lines(text: str) -> tuple[list[str], str]:
    """Return the lines of `text`, each with its line break, and what a line break is in it."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    eol = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[-1].endswith("\n"):
        lines[-1] += eol
    return lines, eol


def _fit(item: str, indent: int, eol: str) -> str:
    return re.sub(r"^(?=.)", " " * indent, item, flags=re.MULTILINE).replace("\n", eol)


def _find(text: str, lines: list[str]) -> tuple[int, list[_Item]]:
    """Return how far in the dashes of the list ``interactions`` are, and its items."""
    tree = load_yaml(clean_utf8(text.encode()))
    key = stop = tree.lines["interactions"] - 1
    dash = re.compile(r"( *)-(?:\s|$)")
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
            dash = re.compile(rf" {{{indent}}}-(?:\s|$)")
        dashes.append(stop)
    comment = re.compile(rf" {{0,{indent}}}#")
    end = min((line - 1 for line in tree.lines.values() if line - 1 > key), default=len(lines))
    edges = zip([*dashes, end], [key, *dashes], strict=True)
    starts = [_comments_above(lines, at, stop, comment) for at, stop in edges]
    return indent, [_Item(*item) for item in zip(starts[:-1], dashes, starts[1:], strict=True)]


def _comments_above(lines: list[str], at: int, stop: int, comment: re.Pattern[str]) -> int:
    """Return where the comments right above line `at` start; blank lines may be between them."""
    top = at
    while at - 1 > stop and (comment.match(lines[at - 1]) or not lines[at - 1].strip()):
        at -= 1
        if comment.match(lines[at]):
            top = at
    return top
