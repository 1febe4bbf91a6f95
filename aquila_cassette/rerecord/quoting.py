"""Whether a text quotes a part of another: a phrase, a name, a number."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.rerecord.common import is_common
from aquila_cassette.rerecord.scripts import grams, runs, spaced, starts
from aquila_cassette.rerecord.values import is_explained, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["is_long", "quoted"]

_WORD = re.compile(r"\w+(?:['\u2019.,:/@_-]+\w+)*")
_INSIDE = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_ENDS = ".!?:;\"'\u201c\u201d\u2018\u2019([{\n"
_ENDING = re.compile(r"[*_`'\")\]]*(?:[.,;!?\n]|\s*$)")
_LIST = re.compile(r"(?:^|\n)[ \t]*$")  # a number after that counts an item
_LONG = 12  # characters
_PHRASES = (2, 3, 4)  # words
_TELLING = 4  # characters: two words of as many are a phrase, unless common
_SHORT = 6  # words
_CUT = 6  # characters of a word that may be the beginning of a longer one
_SHORTEST = 3  # characters of a word that tells in a short answer


class _Word(NamedTuple):
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


class _Text(NamedTuple):
    """A text taken apart; all in small letters.

    Args:
        words: Its words.
        parts: Phrases of it, and parts in scripts without spaces.
        telling: Those of them that nobody says by chance.
        names: What is written with a capital.
        proper: What is, where no sentence begins.
        numbers: Its numbers and single letters, in their order.
        ends: Numbers and letters that a sentence ends with, as the point of it.
        short: Whether it has but few words.
    """

    words: frozenset[str]
    parts: frozenset[str]
    telling: frozenset[str]
    names: frozenset[str]
    proper: frozenset[str]
    numbers: tuple[str, ...]
    ends: frozenset[str]
    short: bool


def is_long(text: str) -> bool:
    r"""Tell whether a text is long enough to be found by chance in no other.

    Args:
        text: Any text.

    Example:
        >>> is_long("Yes."), is_long("Paris is a city"), is_long("\u6771" * 8)
        (False, True, True)
    """
    # Without spaces, two characters are about a word.
    unspaced = len("".join(runs(text)))
    words = len(_WORD.findall(text)) + unspaced // 2
    return len(text) + unspaced // 2 >= _LONG and words > 2


def quoted(
    text: str,
    said: Iterable[str],
    *,
    known: Iterable[str],
    said_now: Iterable[str],
    is_prompt: bool = True,
) -> str | None:
    """Find what `text` can only have from what was said.

    Args:
        text: Part of a request.
        said: What an earlier answer said.
        known: What was asked before that was said: words of it came from there.
        said_now: What that answer says today; what it still says does no harm.
        is_prompt: Whether a person or a program speaks here to the model: then the words of a
            short answer tell, even if they are neither names nor numbers.

    Returns:
        A phrase, a name, a number or a word; None where nothing shows.

    Example:
        >>> answer = "The capital of France is Paris, a city of 2.1 million."
        >>> asked = "What is the capital of France?"
        >>> quoted("And what is there to see in Paris?", [answer], known=[asked], said_now=["No."])
        'Paris'
        >>> quoted("And the capital of Spain?", [answer], known=[asked], said_now=["No."])
        >>> quoted("Draw the whale.", ["I choose the whale."], known=[], said_now=["The shark."])
        'whale'
    """
    old = list(map(_read, said))
    parts = [part for part in _parts(text) if any(part in one.telling for one in old)]
    found = (
        (word, form, [one for one in old if _tells(form, text, one, is_prompt=is_prompt)])
        for word in _words(text)
        for form in _forms(word, old)
    )
    words = [(word, form, sources) for word, form, sources in found if sources]
    if not (parts or words):
        return None
    known = tuple(known)
    asked, now = list(map(_read, known)), list(map(_read, said_now))
    for part in parts:
        if not any(part in one.parts for one in (*asked, *now)):
            return part
    for word, form, sources in words:
        if not any(_is_harmless(one.key, sources, asked, now) for one in {word, form}):
            value = value_of(word.text)
            if value is None or not is_explained(value, (word.start, word.end), text, known):
                return word.text
    return None


def _forms(word: _Word, said: Sequence[_Text]) -> Iterator[_Word]:
    """Give a word, and those of which it may be the plural, the singular or the beginning."""
    yield word
    low = word.key
    if not low.isalpha() or runs(low) or any(low in one.words for one in said):
        return
    others = [low + "s", low + "es"]
    others += [low.removesuffix(end) for end in ("s", "es") if low.endswith(end)]
    if len(low) >= _CUT:
        others += [one for text in said for one in text.words if one.startswith(low)]
    for other in dict.fromkeys(others):
        if len(other) >= _SHORTEST and any(other in one.words for one in said):
            written = other.capitalize() if word.text[0].isupper() else other
            yield word._replace(text=written, key=other)


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[str, ...]:
    return (*_phrases(text), *grams(text, short=False), *grams(text, short=True), *starts(text))


@lru_cache(maxsize=1024)
def _words(text: str) -> tuple[_Word, ...]:
    return tuple(word for match in _WORD.finditer(text) for word in _taken_apart(match))


def _taken_apart(match: re.Match[str]) -> Iterator[_Word]:
    """Give a word, and the words and numbers that it is put together of."""
    yield _Word(match[0], *match.span(), _key(match[0]))
    for part in _INSIDE.finditer(match.string, *match.span()):
        if part.span() != match.span():
            yield _Word(part[0], *part.span(), _key(part[0]))


def _key(text: str) -> str:
    value = value_of(text) if "," in text else None
    return value.text if value is not None and value.kind == "number" else text.casefold()


@lru_cache(maxsize=1024)
def _read(text: str) -> _Text:
    words = _words(text)
    unspaced = "".join(runs(text))
    short = len(_WORD.findall(spaced(text))) + len(unspaced) // 2 <= _SHORT
    return _Text(
        frozenset(word.key for word in words),
        frozenset(parts := _parts(text)),
        frozenset(parts if short else (*_phrases(text), *grams(text, short=False))),
        frozenset(word.key for word in words if _is_name(word.text)),
        frozenset(word.key for word in words if _is_name(word.text) and not _begins(word, text)),
        tuple(word.key for word in words if _is_number(word.text)),
        frozenset(
            word.key
            for word in words
            if _is_number(word.text)
            and _ENDING.match(text, word.end)
            and not _LIST.search(text, 0, word.start)
        ),
        short,
    )


def _phrases(text: str) -> Iterator[str]:
    words = [word.casefold() for word in _WORD.findall(text)]
    for size in _PHRASES:
        for at in range(len(words) - size + 1):
            some = words[at : at + size]
            phrase = " ".join(some)
            tell = [word for word in some if not is_common(word)]
            if (tell and len(phrase) >= _LONG) or (
                len(tell) == size and min(map(len, tell)) >= _TELLING
            ):
                yield phrase


def _is_name(word: str) -> bool:
    return word[0].isupper() and len(word) > 1 and not is_common(word)


def _is_number(word: str) -> bool:
    return any(map(str.isdigit, word)) or (len(word) == 1 and word.isupper() and word != "I")


def _begins(word: _Word, text: str) -> bool:
    """Tell whether a sentence begins with a word, or may begin."""
    before = text[: word.start].rstrip(" ")
    return not before or before[-1] in _ENDS


def _tells(word: _Word, text: str, said: _Text, *, is_prompt: bool) -> bool:
    """Tell whether a word of `text`, if it is in what was said, may well be from there."""
    written = word.text
    if word.key not in said.words:
        return False
    if len(written) == 1 and _is_number(written):
        is_point = said.short and word.key in said.ends
        return is_point and (written.isdigit() or not _begins(word, text))
    if _is_number(written):
        return True
    if is_common(written):
        return False
    if _is_name(written) and len(written) > 2 and not _begins(word, text):
        return True
    if word.key in said.proper and len(written) >= _TELLING:
        return True
    return is_prompt and said.short and len(written) >= _SHORTEST


def _is_harmless(
    low: str, said: Sequence[_Text], asked: Sequence[_Text], now: Sequence[_Text]
) -> bool:
    is_now = any(low in one.words for one in now)
    if is_now:
        return not _is_moved(low, said, now)
    return any(low in one.words for one in asked) and not _is_chosen(low, said, asked, now)


def _is_chosen(
    low: str, said: Sequence[_Text], asked: Sequence[_Text], now: Sequence[_Text]
) -> bool:
    """Tell whether both answers chose among what they were offered, and not the same."""
    is_short = all(one.short for one in (*said, *now))
    offered = _all(one.words if is_short else _choices(one) for one in asked)
    chosen = _all(one.words if is_short else _choices(one) for one in now) & offered
    new = chosen - _all(one.words for one in said)
    return low in offered and any(not is_common(one) for one in new)


def _choices(one: _Text) -> frozenset[str]:
    return one.names.union(one.numbers)


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _is_moved(low: str, said: Sequence[_Text], now: Sequence[_Text]) -> bool:
    """Tell whether numbers or letters of two short answers have changed their places."""
    for old, new in ((old, new) for old in said for new in now if old.short and new.short):
        if low in old.numbers and low in new.numbers:
            both = set(old.numbers) & set(new.numbers)
            if [one for one in old.numbers if one in both] != [
                one for one in new.numbers if one in both
            ]:
                return True
    return False
