"""Interactions taken out of the text of a cassette and put in, the rest as its user left it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.storage.yaml_reader import events

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

__all__ = ["insert_interactions", "replace_interactions"]

_BOM = "\ufeff"


class _Items(NamedTuple):
    """Where the items stand (first line, first line behind), and how far their dashes are in."""

    spans: list[tuple[int, int]]
    indent: int


def insert_interactions(text: str, dropped: Collection[int], new: Sequence[str]) -> str | None:
    r"""Take interactions out of the text of a cassette and put new ones where the first stood.

    Every line of the others stays as it is, comments included; a comment right above an
    interaction goes with it.

    Args:
        text: The file, a cassette that can be read.
        dropped: The places of the interactions to take out, from 0.
        new: What `format.render` gave for each of those to put in; at the end where none is
            taken out.

    Returns:
        The new text, or None where the interactions are no list in block style, or none is left.

    Example:
        >>> insert_interactions("interactions:\n# mine\n- a: 1\n- b: 2  # and mine\n", [0], ["- c: 3\n"])
        'interactions:\n- c: 3\n- b: 2  # and mine\n'
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    items = _find(text.removeprefix(_BOM), lines)
    if items is None or not (new or len(items.spans) > len(dropped)):
        return None
    eol = "\r\n" if lines[0].endswith("\r\n") else "\n"
    if not lines[-1].endswith("\n"):
        lines[-1] += eol
    fresh = [_indented(one, items.indent).replace("\n", eol) for one in new]
    out = lines[: items.spans[0][0]]
    place = min(dropped, default=len(items.spans))
    for number, (start, end) in enumerate(items.spans):
        if number == place:
            out += fresh
        if number not in dropped:
            out += lines[start:end]
    if place == len(items.spans):
        out += fresh
    return "".join(out + lines[items.spans[-1][1] :])


def replace_interactions(
    text: str, new: Mapping[int, str], *, keep: Callable[[str], bool] | None = None
) -> str | None:
    r"""Put new interactions in the places of old ones, one for one.

    Every other line stays as it is, and so do the comments right above an interaction.

    Args:
        text: The file, a cassette that can be read.
        new: What `format.render` gave, by the place (from 0) of the interaction that goes.
        keep: Told the text of an interaction that is to go; where it says so, that one stays.

    Returns:
        The new text, or None where the interactions are no list in block style.

    Example:
        >>> replace_interactions("interactions:\n# mine\n- a: 1\n- b: 2  # and mine\n", {0: "- c: 3\n"})
        'interactions:\n# mine\n- c: 3\n- b: 2  # and mine\n'
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    items = _find(text.removeprefix(_BOM), lines)
    if items is None:
        return None
    eol = "\r\n" if lines[0].endswith("\r\n") else "\n"
    dash = re.compile(rf" {{{items.indent}}}-(?:\s|$)")
    out, done = [], 0
    for number, (start, end) in enumerate(items.spans):
        dashed = next(n for n in range(start, end) if dash.match(lines[n]))
        if number in new and not (keep and keep("".join(lines[dashed:end]))):
            out += lines[done:dashed]
            out.append(_indented(new[number], items.indent).replace("\n", eol))
            done = end
    return "".join(out + lines[done:])


def _find(text: str, lines: list[str]) -> _Items | None:
    """Find the items of the list ``interactions``, or give None where it is in flow style."""
    stream = events(text)
    top = next(event for event in stream if type(event).__name__ == "MappingStartEvent")
    if top.flow_style:
        return None
    for key in stream:
        value = next(stream)
        if key.value != "interactions":
            _skip(value, stream)
        elif value.flow_style:
            return None
        else:
            return _items(value, stream, lines)
    return None


def _items(opening: Any, stream: Iterator[Any], lines: list[str]) -> _Items:
    indent = opening.start_mark.column
    dash = re.compile(rf" {{{indent}}}-(?:\s|$)")
    comment = re.compile(rf" {{0,{indent}}}#")
    spans: list[tuple[int, int]] = []
    behind: int = opening.start_mark.line  # the first line behind what was read last
    while behind and comment.match(lines[behind - 1]):
        behind -= 1
    for event in stream:
        if type(event).__name__ == "SequenceEndEvent":
            break
        dashed = next(n for n in range(event.start_mark.line, -1, -1) if dash.match(lines[n]))
        # A comment right above an item is about it; blank lines stay with what is above them.
        start = next((n for n in range(behind, dashed) if comment.match(lines[n])), dashed)
        if spans:
            spans[-1] = (spans[-1][0], start)
        behind = _skip(event, stream)
        spans.append((start, behind))
    return _Items(spans, indent)


def _skip(event: Any, stream: Iterator[Any]) -> int:
    """Read on to the end of what `event` starts; give the first line behind its last character."""
    depth = behind = 0
    while True:
        kind = type(event).__name__
        depth += kind.endswith("StartEvent")
        depth -= kind.endswith("EndEvent")
        end = event.end_mark
        # A collection in block style ends only where something else starts.
        if kind == "ScalarEvent" or end.column > event.start_mark.column:
            behind = max(behind, end.line + (end.column > 0))
        if depth == 0:
            return behind
        event = next(stream)


def _indented(text: str, indent: int) -> str:
    return re.sub(r"^(?=.)", " " * indent, text, flags=re.MULTILINE) if indent else text
