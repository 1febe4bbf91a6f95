"""Whether a text has what an answer chose among the choices that its request had offered."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.common import is_common
from aquila_cassette.cli.rerecord.values import Value, is_explained, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.cli.rerecord.reading import Text

__all__ = ["chosen"]

_ITEM = r"[^\W\d_][\w-]*"
_PHRASE = rf"{_ITEM}(?: {_ITEM}){{0,2}}"
_QUOTE = "[\"'`*\u201c\u201d]{0,2}"
_BETWEEN = rf"{_QUOTE}(?:,? (?:or|and) |, ?| ?[/|] ?|:?\n *(?:[-*\u2022]|\d+[.)]) +){_QUOTE}"
_OFFER = re.compile(rf"{_ITEM}(?:{_BETWEEN}{_PHRASE}){{0,30}}{_BETWEEN}{_ITEM}")
_SPLIT = re.compile(_BETWEEN)
_FEWEST = 3  # in a row without an "or"


def chosen(
    text: Text, old: Sequence[Text], asked: Sequence[Text], now: Sequence[Text]
) -> str | None:
    """Find what a text has of the choice of an answer, where today's answer chose another.

    Args:
        text: Part of a request.
        old: What an earlier answer said.
        asked: What was asked before that was said.
        now: What that answer says today.

    Returns:
        What was chosen; None where nothing shows.

    Example:
        >>> from aquila_cassette.cli.rerecord.reading import read
        >>> asked = [read("Is it billing, technical or sales?")]
        >>> old, now = [read("It is billing, since it is paid.")], [read("It is technical.")]
        >>> chosen(read("Answer this billing ticket."), old, asked, now)
        'billing'
    """
    shared = {
        word
        for word in text.words
        if not is_common(word)
        and any(word in one.words for one in old)
        and not any(word in one.words for one in now)
    }
    if not shared:
        return None
    offers = [offer for one in asked if shared & one.words for offer in _offers(one.text)]
    again = {item for offer in _offers(text.text) for item in offer} if offers else set()
    for offer in offers:
        others = [item for item in offer if _says(now, item) and not _says(old, item)]
        if not any(map(_is_telling, others)):
            continue
        for item in offer:
            if shared.isdisjoint(item.split()) or item in again or not _says(old, item):
                continue
            if _is_new(item, text, asked):
                return item
    return None


@lru_cache(maxsize=256)
def _offers(text: str) -> tuple[tuple[str, ...], ...]:
    """Give the choices that a text lists, each list in small letters."""
    return tuple(_each_offer(text))


def _each_offer(text: str) -> Iterator[tuple[str, ...]]:
    for match in _OFFER.finditer(text):
        items = _SPLIT.split(match[0].lower())
        is_open = re.search(r"[/|\n]|\bor\b", match[0].lower())
        if is_open or len(items) >= _FEWEST:
            yield tuple(item for item in items if _is_telling(item))


def _is_telling(item: str) -> bool:
    return len(item) > 1 and not all(map(is_common, item.split()))


def _says(texts: Sequence[Text], item: str) -> bool:
    return any(f" {item} " in one.joined or item in one.words for one in texts)


def _is_new(item: str, text: Text, asked: Sequence[Text]) -> bool:
    value = Value("text", item)
    known = [one.text for one in asked]
    return not all(
        is_explained(value, at, text.text, known) for at in occurrences(value, text.text)
    )
