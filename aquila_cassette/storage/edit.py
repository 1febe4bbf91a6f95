"""Insert and replace interactions in the text of a file, and keep comments."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from aquila_cassette.storage.yaml_reader import clean_utf8, load_yaml

_LAST_FIELD = re.compile(r" +(?:ended|error): ")


class _Item(NamedTuple):
    """The lines of an item: where its comments start, its dash is, and the next one starts."""

    start: int
    dash: int
    end: int


def insert_interactions(text: str, dropped: Collection[int], new: Sequence[str]) -> str | None:
    """Take interactions out of the text of a cassette and put new ones where the first one was.

    A comment right above an interaction goes with it; every other line stays. Where none is
    `dropped`, the `new` ones, which `format.render` gave, go to the end. None comes where the
    interactions are no list in block style, or none is left.
    """
    lines, eol = _lines(text)
    indent, items = _find(text, lines)
    if not items or not (new or len(items) > len(dropped)):
        return None
    if dropped:
        place = min(dropped)
        at, end = items[place].start, items[-1].end
    else:
        place = len(items)
        at = end = _behind(lines, items[-1].end)
    kept = [
        line
        for number, item in enumerate(items)
        if number > place and number not in dropped
        for line in lines[item.start : item.end]
    ]
    return "".join([*lines[:at], *_fit(new, indent, eol), *kept, *lines[end:]])


def replace_interactions(text: str, new: Mapping[int, str]) -> str | None:
    """Put new interactions, by the place (from 0) of the old ones, in their places, one for one.

    Every other line stays. None comes where the interactions are not a list in block style.
    """
    lines, eol = _lines(text)
    indent, items = _find(text, lines)
    if not items:
        return None
    out, done = [], 0
    for number, item in enumerate(items):
        if number in new:
            out += [*lines[done : item.dash], *_fit([new[number]], indent, eol)]
            done = item.end
    return "".join(out + lines[done:])


def _lines(text: str) -> tuple[list[str], str]:
    """Return the lines of `text`, each with its line break, and what a line break is in it."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    eol = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[-1].endswith("\n"):
        lines[-1] += eol
    return lines, eol


def _fit(items: Sequence[str], indent: int, eol: str) -> list[str]:
    pad = " " * indent
    return [re.sub(r"^(?=.)", pad, one, flags=re.MULTILINE).replace("\n", eol) for one in items]


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


def _behind(lines: list[str], end: int) -> int:
    """Return where the blank lines above `end` start, unless they may belong to a block."""
    at = end
    while not lines[at - 1].strip():
        at -= 1
    return at if _LAST_FIELD.match(lines[at - 1]) else end
