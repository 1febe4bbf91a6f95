"""A text taken apart: its words, its numbers, the phrases that nobody says by chance."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.cli.rerecord.common import is_common, is_everyday
from aquila_cassette.cli.rerecord.scripts import grams, runs, spaced, starts
from aquila_cassette.cli.rerecord.values import value_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["WORD", "Pair", "Text", "Word", "begins", "is_number", "read"]

WORD = re.compile(r"\w+(?:['\u2019.,:/@_-]+\w+)*")
_INSIDE = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SHARE = re.compile(r"(\d+)/(\d+)")  # 7/9
_SIGN = re.compile(r"(?<![\w@])(?<!\d[.,:-])[0-9A-Z](?!\w|[.,:-]\d|['\u2019-]\w)")
_ARTICLE = re.compile(r"A\s+[^\W\d_A-Z]")
_ENDS = ".!?:;\"'\u201c\u201d\u2018\u2019([{\n"
_ENDING = re.compile(r"[*_`'\")\]]*(?:[.,;!?\n]|\s*$)")
_BREAK = re.compile(r"[.!?;\n]")
_SIZES = (2, 3, 4, 5)  # words of a phrase
_LONG = 12  # characters: a phrase of as many may have common words
_TELLING = 3  # characters: rare words of as many are a phrase by themselves
_WEIGHT = 3  # a rare word weighs 2, one of any talk 1
_RUN = 5  # words: so many are a phrase if one of them is rare
_SHORT = 6  # words
_BESIDE = 60  # characters
_BEFORE = 3  # words
_FEW = 50  # phrases: more are sought all at once


class Word(NamedTuple):
    """A word, or a part of one: ``crimson`` in ``color:crimson``, ``18`` in ``18C``.

    Args:
        text: It, as it is written.
        start: Where it begins.
        end: Where it ends.
        key: It, in one spelling: small letters, a number without commas.
    """

    text: str
    start: int
    end: int
    key: str


class Pair(NamedTuple):
    """A digit or a capital letter, and a word that it stands with: ``4 stars``, ``option C``.

    Args:
        start: Where the digit or the letter is.
        sign: It.
        beside: The word, in small letters.
        shown: Both, in their order.
    """

    start: int
    sign: str
    beside: str
    shown: str


class Text:
    """A text, of which no more is taken apart than is asked for.

    Args:
        text: It.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def is_short(self) -> bool:
        """Whether it has but few words."""
        unspaced = len("".join(runs(self.text)))
        return len(WORD.findall(spaced(self.text))) + unspaced // 2 <= _SHORT

    def each(self) -> Iterator[Word]:
        """Give its words, and the parts of those that are put together, in their order."""
        for match in WORD.finditer(self.text):
            yield Word(match[0], *match.span(), _key(match[0]))
            if not match[0].isalpha():
                for start, end in _inside(match):
                    part = self.text[start:end]
                    yield Word(part, start, end, _key(part))

    @cached_property
    def words(self) -> frozenset[str]:
        """All of these, each in one spelling."""
        found = dict.fromkeys(WORD.findall(self.text))
        return frozenset(word.key for one in found for word in Text(one).each())

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.words)

    def words_from(self, beginning: str) -> Iterator[str]:
        """Give the words that begin so.

        Args:
            beginning: Some letters.
        """
        for at in range(bisect_left(self._sorted, beginning), len(self._sorted)):
            if not self._sorted[at].startswith(beginning):
                return
            yield self._sorted[at]

    @cached_property
    def _capitals(self) -> dict[str, bool]:
        """What is written with a capital, and whether it is where no sentence begins."""
        found: dict[str, bool] = {}
        for word in self.each():
            if word.text[0].isupper() and not found.get(word.text):
                found[word.text] = not begins(word.start, self.text)
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """What is written with a capital, unless it is common."""
        return frozenset(
            _key(one) for one in self._capitals if len(one) > 1 and not is_everyday(one)
        )

    @cached_property
    def proper(self) -> frozenset[str]:
        """What is written with a capital where no sentence begins; single letters, too."""
        return frozenset(_key(one) for one, is_within in self._capitals.items() if is_within)

    @cached_property
    def _numbers(self) -> list[Word]:
        return [
            word
            for word in self.each()
            if is_number(word.text) and not (begins(word.start, self.text) and self._article(word))
        ]

    def _article(self, word: Word) -> bool:
        return _ARTICLE.match(self.text, word.start) is not None

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Its numbers and single letters, in their order."""
        return tuple(word.key for word in self._numbers)

    @cached_property
    def points(self) -> frozenset[str]:
        """Those of them that count no item of a list."""
        return frozenset(
            word.key for word in self._numbers if not _is_listed(word.start, self.text)
        )

    @cached_property
    def ends(self) -> frozenset[str]:
        """Those of them that a sentence ends with, as the point of it."""
        return frozenset(
            word.key
            for word in self._numbers
            if _ENDING.match(self.text, word.end) and not _is_listed(word.start, self.text)
        )

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Its single digits and letters with the words that they stand with."""
        return tuple(
            pair
            for match in _SIGN.finditer(self.text)
            if match[0] != "I" and not _is_listed(match.start(), self.text)
            for pair in _pairs(match)
        )

    @cached_property
    def joined(self) -> str:
        """Its words in their order, in small letters, a space around each."""
        return f" {' '.join(WORD.findall(self.text.casefold()))} "

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        """Some words in a row that nobody says by chance."""
        words = self.joined.split()
        return tuple(
            dict.fromkeys(
                " ".join(words[at : at + size])
                for size in _SIZES
                for at in range(len(words) - size + 1)
                if _is_phrase(words[at : at + size])
            )
        )

    @cached_property
    def unspaced(self) -> tuple[str, ...]:
        """Parts in scripts without spaces."""
        text = self.text
        return (*grams(text, short=False), *grams(text, short=True), *starts(text))

    def phrases_among(self, phrases: Collection[str]) -> set[str]:
        """Give those of some phrases that stand in it.

        Args:
            phrases: Of another text.
        """
        here = self.words
        wanted = {
            phrase
            for phrase in phrases
            if all(word in here or "," in word for word in phrase.split())
        }
        if not wanted:
            return set()
        if len(wanted) <= _FEW:
            return {phrase for phrase in wanted if f" {phrase} " in self.joined}
        known = {word for phrase in wanted for word in phrase.split()}
        words = self.joined.split()
        places = [at for at, word in enumerate(words) if word in known]
        return wanted.intersection(
            " ".join(words[at : at + size]) for at in places for size in _SIZES
        )

    def has_unspaced(self, part: str) -> bool:
        """Tell whether a part in a script without spaces stands in it.

        Args:
            part: Of another text.
        """
        if part in self.text and (grams(part, short=False) or grams(part, short=True)):
            return True
        return part in self._starts

    def tells_unspaced(self, part: str) -> bool:
        """Tell whether such a part stands in it, and is long enough to be from it.

        Args:
            part: Of another text.
        """
        if self.is_short:
            return self.has_unspaced(part)
        return part in self.text and bool(grams(part, short=False))

    @cached_property
    def _starts(self) -> frozenset[str]:
        return frozenset(starts(self.text))


@lru_cache(maxsize=256)
def read(text: str) -> Text:
    """Take a text apart; what was is kept for a while.

    Args:
        text: Any text.

    Example:
        >>> read("I give it 4 stars.").pairs[0].shown
        '4 stars'
        >>> read("The blue whale").phrases
        ('blue whale', 'the blue whale')
    """
    return Text(text)


def is_number(word: str) -> bool:
    """Tell whether a word has a digit in it, or is a capital letter.

    Args:
        word: As it is written.
    """
    return any(map(str.isdigit, word)) or (len(word) == 1 and word.isupper() and word != "I")


def begins(at: int, text: str) -> bool:
    """Tell whether a sentence begins somewhere, or may begin.

    Args:
        at: Where.
        text: In what.

    Example:
        >>> begins(4, "No. Yes"), begins(4, "And so")
        (True, False)
    """
    while at and text[at - 1] == " ":
        at -= 1
    return not at or text[at - 1] in _ENDS


def _is_listed(at: int, text: str) -> bool:
    """Tell whether a line begins there: a number counts an item of a list."""
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t")


def _inside(match: re.Match[str]) -> Iterator[tuple[int, int]]:
    for part in _INSIDE.finditer(match.string, *match.span()):
        if part.span() != match.span():
            yield part.span()
        share = _SHARE.fullmatch(part[0])
        if share:
            yield part.start(), part.start() + share.end(1)
            yield part.start() + share.start(2), part.end()


def _key(text: str) -> str:
    value = value_of(text) if "," in text else None
    return value.text if value is not None and value.kind == "number" else text.casefold()


def _is_phrase(words: list[str]) -> bool:
    different = {word for word in words if len(word) > 1}
    rare = [word for word in different if not is_everyday(word)]
    if not rare:
        return False
    if len(words) == _RUN or len(rare) == len(words):
        return min(map(len, rare)) >= _TELLING
    said = sum(not is_common(word) for word in different)
    return len(rare) + said >= _WEIGHT and len(" ".join(words)) >= _LONG


def _pairs(sign: re.Match[str]) -> Iterator[Pair]:
    text, (start, end) = sign.string, sign.span()
    if begins(start, text) and _ARTICLE.match(text, start):
        return
    before = _BREAK.split(text[max(0, start - _BESIDE) : start])[-1]
    for word in reversed(WORD.findall(before)[-_BEFORE:]):
        if _is_counted(word):
            yield Pair(start, sign[0], word.casefold(), f"{word} {sign[0]}")
            break
    after = re.match(r" ([^\W\d_]+)", text[end : end + _BESIDE])
    if after and _is_counted(after[1]) and not is_everyday(after[1]):
        yield Pair(start, sign[0], after[1].casefold(), f"{sign[0]} {after[1]}")


def _is_counted(word: str) -> bool:
    return len(word) > 1 and not is_common(word) and not is_number(word)
