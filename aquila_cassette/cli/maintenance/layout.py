r"""How a file is laid out, against how this version writes it; comments and blank lines are free.

Example:
    >>> text = "version: 1 # mine\n\ninteractions: []\n"
    >>> bare(text)
    'version: 1\ninteractions: []\n'
    >>> comments(text)
    [Comment(start=11, line=1, text='# mine')]
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.cli.maintenance.forms import misnamed
from aquila_cassette.errors import CassetteError
from aquila_cassette.storage.edit import replace_interactions
from aquila_cassette.storage.format import dumps, header, loads, render
from aquila_cassette.storage.yaml_reader import events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet

__all__ = ["Comment", "bare", "comments", "layout", "relaid"]

_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)
_HEAD_COMMENT = re.compile(r"[|>][-+0-9]*[ \t]+(#[^\n]*)")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BLANK = re.compile(r"()[ \t]+$", re.MULTILINE)
_BLANK_HEAD = re.compile(r"( [|>][-+0-9]*)[ \t]+$", re.MULTILINE)
_TIMELINE = re.compile(r"^    pieces: .*\n", re.MULTILINE)


class Comment(NamedTuple):
    """A comment: where in the text it starts, on which line (from 1), and what it says."""

    start: int
    line: int
    text: str


def comments(text: str) -> list[Comment]:
    """Find the comments in the text of a cassette, those beside values included.

    Args:
        text: A file that can be read.
    """
    return [
        Comment(start, text.count("\n", 0, start) + 1, text[start:end])
        for start, end in _comment_spans(text, _scalars(text))
    ]


def bare(text: str) -> str:
    """Give the text of a cassette without comments and without blank lines between values.

    Args:
        text: A file that can be read.
    """
    scalars = _scalars(text)
    spans = _comment_spans(text, scalars)
    parts, done = [], 0
    for start, end in spans:
        parts.append(text[done:start])
        # What is blank stays as long as it was, so that the scalars still stand where they stood.
        parts.append(" " * (end - start))
        done = end
    blanked = "".join([*parts, text[done:]])
    out, at = [], 0
    for line in _LINE.findall(blanked):
        if _inside(at, scalars):
            out.append(line)
        elif line.strip(" \t\n"):
            ends_within = _inside(at + len(line) - 1, scalars)
            out.append((_BLANK_HEAD if ends_within else _BLANK).sub(r"\1", line))
        at += len(line)
    return "".join(out)


def layout(sheet: Sheet) -> Iterator[Finding]:
    """Find out whether a file would be written otherwise today; time lines do not count.

    Nor do interactions whose form of a body and its type are at odds: which of the two is right
    must be told first.

    Args:
        sheet: The file.
    """
    if sheet.is_as_written or not sheet.tape.interactions:
        return
    expected = _TIMELINE.sub("", dumps(sheet.tape))
    ours = _TIMELINE.sub("", _judged(sheet))
    if ours == expected:
        return
    line = _first_difference(sheet, ours, expected)
    what = "it is laid out otherwise than it would be written today"
    yield Finding(sheet.path, line, "layout", what, "comments stand in it: lay it out by hand")


def relaid(sheet: Sheet) -> str | None:
    """Give the text of a file as it would be written today, with the comments that it has.

    An interaction with comments within it stays as it is; those above it stay in any case. So does
    one whose form of a body and its type are at odds: that would be seen no more.

    Args:
        sheet: The file.

    Returns:
        The text, or None where nothing can be made better.
    """
    text, tape = sheet.text, sheet.tape
    odd = misnamed(sheet)
    if not odd and not comments(text):
        return dumps(tape)
    new = {number: render(one) for number, one in sheet.numbered if number not in odd}
    again = replace_interactions(text, new, keep=_has_comment)
    if again is None:
        return None
    head, found, rest = again.partition("interactions:\n")
    if found and not _COMMENT.search(head):
        again = header(tape.recorded_with) + rest
    try:
        same = loads(again.encode(), path=sheet.path).interactions == tape.interactions
    except CassetteError:
        return None
    return again if same and again != text else None


def _has_comment(item: str) -> bool:
    return bool(comments(item))


def _judged(sheet: Sheet) -> str:
    """Give the bare text of a file, with what is not to be judged as it would be written."""
    text = bare(sheet.text)
    odd = {number: render(sheet.tape.interactions[number]) for number in misnamed(sheet)}
    return (replace_interactions(text, odd) if odd else None) or text


def _first_difference(sheet: Sheet, ours: str, expected: str) -> int:
    """Give the line of the first interaction whose text is not as expected, else the first."""
    number = -1
    for line, other in zip(ours.split("\n"), expected.split("\n"), strict=False):
        if line.startswith("- "):
            number += 1
        if line != other:
            break
    return sheet.line("interactions", number) if number >= 0 else 1


def _scalars(text: str) -> list[tuple[int, int]]:
    """Give where the scalars start and end, in the order of the text; empty ones are none."""
    spans = []
    for event in events(text):
        start, end = event.start_mark.index, event.end_mark.index
        if type(event).__name__ == "ScalarEvent" and start < end:
            spans.append((start, end))
    return spans


def _comment_spans(text: str, scalars: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found = [
        match.span() for match in _COMMENT.finditer(text) if not _inside(match.start(), scalars)
    ]
    for start, end in scalars:
        if head := _HEAD_COMMENT.match(text, start, end):
            found.append(head.span(1))
    return sorted(found)


def _inside(at: int, spans: list[tuple[int, int]]) -> bool:
    place = bisect_left(spans, (at, 0)) - 1
    return place >= 0 and spans[place][0] < at < spans[place][1]
