"""Two texts compared word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from aquila_cassette.matching.difference import common
from aquila_cassette.transcript.comparison.result import Span, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["compare_words"]

# A word brings the white space before it along, so that a diff has something to hold on to.
# Chinese, Japanese and Korean have no spaces: there each character counts as a word.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"\s*(?:[{_CJK}]|(?:(?![{_CJK}])\w)+|[^\w\s])|\s+\Z")
_LINE = re.compile(r"[^\n]*\n|[^\n]+\Z")
_MOST = 8000
_LEAST_KEPT = 0.25


def compare_words(old: str, new: str) -> Words:
    """Compare two texts word by word.

    What is left of both between two changes, but is no longer than either, is taken for a chance
    meeting and changed with them. Texts with little in common are changed as a whole.

    Args:
        old: What was.
        new: What is.

    Example:
        >>> for span in compare_words("Say hello now", "Say hi now").spans:
        ...     print(span)
        Span(sign=' ', text='Say ')
        Span(sign='-', text='hello')
        Span(sign='+', text='hi')
        Span(sign=' ', text=' now')
    """
    runs = _without_chance(_runs(old, new))
    kept = sum(len(was) for was, now in runs if was == now)
    if kept < _LEAST_KEPT * min(len(old), len(new)):
        runs = [(old, new)]
    spans: list[Span] = []
    for span in (span for was, now in runs for span in _spans(was, now) if span.text):
        if spans and spans[-1].sign == span.sign:
            spans[-1] = Span(span.sign, spans[-1].text + span.text)
        else:
            spans.append(span)
    return Words(tuple(spans))


def _spans(was: str, now: str) -> tuple[Span, Span, Span]:
    same = len(was)
    if was != now:  # but for the space before their words
        space = len(was) - len(was.lstrip())
        same = space if was[:space] == now[: len(now) - len(now.lstrip())] else 0
    return Span(" ", was[:same]), Span("-", was[same:]), Span("+", now[same:])


def _runs(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Give the texts in runs that are the same in both, and runs that are not."""
    for pattern in (_WORD, _LINE):
        ours, theirs = pattern.findall(old), pattern.findall(new)
        start, our_end, their_end = common(ours, theirs)
        if max(our_end, their_end) - start <= _MOST:
            break
    middle = _matched(ours[start:our_end], theirs[start:their_end])
    for was, now in ((ours[:start], theirs[:start]), *middle, (ours[our_end:], theirs[their_end:])):
        if was or now:
            yield "".join(was), "".join(now)


def _matched(
    ours: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    if max(len(ours), len(theirs)) > _MOST:
        yield ours, theirs
        return
    for _, start, end, their_start, their_end in SequenceMatcher(None, ours, theirs).get_opcodes():
        yield ours[start:end], theirs[their_start:their_end]


def _without_chance(runs: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join two changes with what is the same between them where that is no longer than both."""
    done: list[tuple[str, str]] = []
    for run in runs:
        done.append(run)
        while len(done) >= 3:
            before, same, after = done[-3:]
            if same[0] != same[1] or before[0] == before[1] or after[0] == after[1]:
                break
            if len(same[0]) > min(max(map(len, before)), max(map(len, after))):
                break
            was, now = ("".join(parts) for parts in zip(before, same, after, strict=True))
            done[-3:] = [(was, now)]
    return done
