"""Whether a text quotes a part of another: a phrase, a name, a number, a value of its JSON."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.rerecord.leaves import leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["is_long", "quoted", "stands_in"]

_WORD = re.compile(r"\w+(?:['\u2019.,:/@_-]+\w+)*")
_ENDS = ".!?:;\"'\u201c\u201d\u2018\u2019([{\n"
_LONG = 12  # characters
_PHRASES = (2, 3, 4)  # words


class _Text(NamedTuple):
    words: frozenset[str]
    phrases: frozenset[str]


def is_long(text: str) -> bool:
    """Tell whether a text is long enough to be found by chance in no other.

    Args:
        text: Any text.

    Example:
        >>> is_long("Yes."), is_long("Paris is a city")
        (False, True)
    """
    return len(text) >= _LONG and len(_WORD.findall(text)) > 2


def stands_in(part: str, text: str) -> bool:
    """Tell whether `part` stands in `text`, not within a word.

    Args:
        part: What is looked for.
        text: Where.

    Example:
        >>> stands_in("Par", "Paris"), stands_in("Paris", "In Paris?")
        (False, True)
    """
    start = r"(?<!\w)" if part[:1].isalnum() else ""
    end = r"(?!\w)" if part[-1:].isalnum() else ""
    return re.search(f"{start}{re.escape(part)}{end}", text) is not None


def quoted(
    text: str, said: Iterable[str], *, known: Iterable[str], said_now: Iterable[str]
) -> str | None:
    """Find what `text` can only have from what was said.

    Args:
        text: Part of a request.
        said: What earlier answers said.
        known: What was asked before that was said: words of it came from there.
        said_now: What those answers say today; a single word that they still say does no harm.

    Returns:
        A phrase, a name, a number or a value; None where nothing shows.

    Example:
        >>> answer = "The capital of France is Paris, a city of 2.1 million."
        >>> asked = "What is the capital of France?"
        >>> quoted("And what is there to see in Paris?", [answer], known=[asked], said_now=["No."])
        'Paris'
        >>> quoted("And the capital of Spain?", [answer], known=[asked], said_now=["No."])
    """
    said = tuple(said)
    old, asked = list(map(_read, said)), list(map(_read, known))
    for phrase in _phrases(text):
        if _is_in(phrase, (one.phrases for one in old), (one.phrases for one in asked)):
            return phrase
    harmless = [*asked, *map(_read, said_now)]
    for word in _telling(text):
        low = word.casefold()
        if _is_in(low, (one.words for one in old), (one.words for one in harmless)):
            return word
    return _value(text, said, (*known, *said_now))


def _is_in(one: str, old: Iterator[frozenset[str]], harmless: Iterator[frozenset[str]]) -> bool:
    return any(one in words for words in old) and not any(one in words for words in harmless)


@lru_cache(maxsize=1024)
def _read(text: str) -> _Text:
    words = [word.casefold() for word in _WORD.findall(text)]
    return _Text(frozenset(words), frozenset(_phrases(text)))


def _phrases(text: str) -> Iterator[str]:
    words = [word.casefold() for word in _WORD.findall(text)]
    for size in _PHRASES:
        for at in range(len(words) - size + 1):
            phrase = " ".join(words[at : at + size])
            if len(phrase) >= _LONG:
                yield phrase


def _telling(text: str) -> Iterator[str]:
    """Give the numbers of `text`, and what is written with a capital though no sentence begins."""
    for match in _WORD.finditer(text):
        word, before = match[0], text[: match.start()].rstrip(" ")
        if any(char.isdigit() for char in word):
            if len(word) > 1:
                yield word
        elif word[0].isupper() and len(word) > 2 and before and before[-1] not in _ENDS:
            yield word


def _value(text: str, said: tuple[str, ...], harmless: tuple[str, ...]) -> str | None:
    """Find a value of a JSON answer in `text`."""
    for answer in said:
        try:
            document = json.loads(answer)
        except (ValueError, RecursionError):
            continue
        for leaf in leaves(document):
            value = leaf.text
            if len(value) < 2 or not stands_in(value, text):
                continue
            if not any(stands_in(value, other) for other in harmless):
                return value
    return None
