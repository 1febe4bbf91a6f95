"""A change as lines to print: plain as they are, with a sign for each stretch that has a colour."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from aquila_cassette.matching.difference import cut, few, signed, visible
from aquila_cassette.transcript.comparison.result import Span, Value, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.transcript.comparison.result import Change, Detail

__all__ = ["LABELS", "Line", "lines", "plain"]

Line = tuple[Span, ...]
"""One line: its spans, joined, are how it reads without colour."""

LABELS = {
    "reasoning": "thought",
    "text": "said",
    "refusal": "refused",
    "calls": "called",
    "stop": "stopped",
    "arrival": "came",
}
"""What an aspect is called where it is shown, if not by its own name."""

_AROUND = 40  # characters of what is the same, beside what is not
_MARKS = {"-": ("[-", "-]"), "+": ("{+", "+}")}


def lines(change: Change, *, most: int = 12, arrow: str = "→") -> list[Line]:
    r"""Give a change as lines.

    Texts are shown as ``git diff --word-diff`` shows them, places in JSON as a unified diff.

    Args:
        change: The change.
        most: How many places in JSON to show at most; of the others only the number is given.
        arrow: What stands between an old value and the new one.

    Example:
        >>> from aquila_cassette.transcript.comparison import Change
        >>> print(*plain(lines(Change("stop", (Value("", "stop", "length"),)))), sep="\n")
        stop → length
    """
    done: list[Line] = []
    shown = 0
    for kind, details in groupby(change.details, type):
        if kind is Value:
            done += _values([one for one in details if isinstance(one, Value)], arrow)
            continue
        for detail in details:
            shown += 1
            if shown <= most:
                done += _of(detail)
    if shown > most:
        more = shown - most
        done.append((Span(" ", f"... and {more} more difference{'s' if more > 1 else ''}"),))
    return done


def plain(shown: Sequence[Line]) -> list[str]:
    """Give lines as text.

    Args:
        shown: The lines.
    """
    return ["".join(span.text for span in line) for line in shown]


def _values(values: Sequence[Value], arrow: str) -> Iterator[Line]:
    became: list[Span] = []
    for name, old, new in values:
        lead = f"{name} " if name else ""
        if old is None or new is None:
            continue
        if became:
            became.append(Span(" ", ", "))
        became += [
            Span(" ", lead),
            Span("-", _value(old)),
            Span(" ", f" {arrow} "),
            Span("+", _value(new)),
        ]
    if became:
        yield tuple(span for span in became if span.text)
    for name, old, new in values:
        lead = f"{name} " if name else ""
        if new is None and old is not None:
            yield (Span("-", f"-{lead}{_value(old)}"),)
        elif old is None and new is not None:
            yield (Span("+", f"+{lead}{_value(new)}"),)


def _value(text: str) -> str:
    return cut(visible(text))


def _of(detail: Detail) -> Iterator[Line]:
    if isinstance(detail, Words):
        yield from _words(detail.spans)
    elif not isinstance(detail, Value):
        head, *body = detail.lines()
        yield (Span("@", cut(head)),)
        yield from map(_signed, body)


def _signed(line: str) -> Line:
    return (Span("-" if line[:1] == "-" else "+" if line[:1] == "+" else " ", line),)


def _words(spans: Sequence[Span]) -> Iterator[Line]:
    """Give a text's lines, with what is the same cut short and marks around what is not."""
    if not any(span.sign == " " and span.text.strip() for span in spans):
        old, new = (
            "".join(span.text for span in spans if span.sign in (" ", sign)) for sign in "-+"
        )
        yield from map(_signed, _replaced(_rows(old), _rows(new)))
        return
    line: list[Span] = []
    for place, span in enumerate(spans):
        first, last = place == 0, place == len(spans) - 1
        text = _short(span.text, first, last) if span.sign == " " else cut(span.text)
        opening, closing = _MARKS.get(span.sign, ("", ""))
        *before, end = text.split("\n")
        for row in before:
            # A line end that came or went is a difference that would not be seen.
            shown = row if span.sign == " " else f"{row}\\n"
            yield (*line, Span(span.sign, f"{opening}{shown}{closing}"))
            line = []
        if end:
            line.append(Span(span.sign, f"{opening}{end}{closing}"))
    if line:
        yield tuple(line)


def _replaced(old: list[str], new: list[str]) -> list[str]:
    plain_old, plain_new = ([row.rstrip() for row in rows] for rows in (old, new))
    if plain_old == plain_new:
        return signed(old, new)  # which shows what only a quoted line can show
    return [
        *few([f"-{cut(row)}" for row in plain_old]),
        *few([f"+{cut(row)}" for row in plain_new]),
    ]


def _rows(text: str) -> list[str]:
    return text.split("\n") if text else []


def _short(text: str, first: bool, last: bool) -> str:
    """Leave out the middle of what is the same, or what is before all changes or after them."""
    head, tail = 0 if first else _AROUND, 0 if last else _AROUND
    gone = len(text) - head - tail
    if gone <= _AROUND:
        return text
    before, after = text[:head], text[len(text) - tail :]
    return f"{before}{' ' if head else ''}[... {gone} characters ...]{' ' if tail else ''}{after}"
