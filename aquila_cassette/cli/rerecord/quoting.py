"""Whether a text quotes a part of another: a phrase, a name, a number."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.choosing import chosen
from aquila_cassette.cli.rerecord.common import is_common, is_everyday
from aquila_cassette.cli.rerecord.reading import WORD, begins, is_number, read
from aquila_cassette.cli.rerecord.scripts import runs
from aquila_cassette.cli.rerecord.values import Value, is_explained, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aquila_cassette.cli.rerecord.reading import Pair, Text, Word

__all__ = ["is_long", "quoted"]

_LONG = 12  # characters
_TELLING = 4  # characters of a name
_CUT = 6  # characters of a word that may be the beginning of a longer one
_SHORTEST = 3  # characters of a word that tells in a short answer
_POINT = re.compile(r"[*_`'\")\]]*(?:[.!?\n]|\s*$)")
_RANGE = re.compile(r"\d(?:,? (?:to|or|and) |, ?)$")  # from 1 to 5
_COUNT = re.compile(r" (?:more|other|further|additional)\b", re.IGNORECASE)


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
    words = len(WORD.findall(text)) + unspaced // 2
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
    known = tuple(known)
    new, old = read(text), list(map(read, said))
    asked, now = list(map(read, known)), list(map(read, said_now))
    found = chain(
        _phrases(new, old, asked, now),
        _pairs(new, old, asked, now),
        _words(new, old, asked, now, is_prompt=is_prompt),
    )
    return next(found, None) or (chosen(new, old, asked, now) if is_prompt else None)


def _phrases(
    text: Text, old: Sequence[Text], asked: Sequence[Text], now: Sequence[Text]
) -> Iterator[str]:
    """Give phrases, and parts in scripts without spaces, that are of the old answer only."""
    told = set[str]().union(*(one.phrases_among(text.phrases) for one in old))
    for phrase in text.phrases:
        if phrase in told and not any(one.phrases_among({phrase}) for one in (*asked, *now)):
            yield phrase
    for part in text.unspaced:
        if any(one.tells_unspaced(part) for one in old) and not any(
            one.has_unspaced(part) for one in (*asked, *now)
        ):
            yield part


def _pairs(
    text: Text, old: Sequence[Text], asked: Sequence[Text], now: Sequence[Text]
) -> Iterator[str]:
    """Give digits and letters that are beside the same word as in the old answer only."""
    if not text.pairs:
        return
    told, told_now = _signs(old), _signs(now)
    for pair in text.pairs:
        if _sign(pair) not in told or _sign(pair) in told_now:
            continue
        others = {sign for sign, beside in told_now - told if beside == pair.beside}
        known = _sign(pair) in _signs(asked)
        if (others or not known) and not _is_known(pair, text, asked):
            yield pair.shown


def _sign(pair: Pair) -> tuple[str, str]:
    return pair.sign, pair.beside


def _signs(texts: Iterable[Text]) -> set[tuple[str, str]]:
    return {_sign(pair) for one in texts for pair in one.pairs}


def _is_known(pair: Pair, text: Text, asked: Sequence[Text]) -> bool:
    at = (pair.start, pair.start + 1)
    value = Value("number" if pair.sign.isdigit() else "text", pair.sign)
    return is_explained(value, at, text.text, [one.text for one in asked])


def _words(
    text: Text,
    old: Sequence[Text],
    asked: Sequence[Text],
    now: Sequence[Text],
    *,
    is_prompt: bool,
) -> Iterator[str]:
    """Give names, numbers and words that are of the old answer only."""
    for word in text.each():
        for form in _forms(word, old):
            sources = [one for one in old if _tells(form, text, one, is_prompt=is_prompt)]
            if not sources or any(
                _is_harmless(one, sources, asked, now) for one in {word.key, form.key}
            ):
                continue
            value = value_of(word.text)
            places = (word.start, word.end)
            if value is None or not is_explained(
                value, places, text.text, [one.text for one in asked]
            ):
                yield word.text


def _forms(word: Word, said: Sequence[Text]) -> Iterator[Word]:
    """Give a word, and those of which it may be the plural, the singular or the beginning."""
    yield word
    low = word.key
    if not low.isalpha() or runs(low) or any(low in one.words for one in said):
        return
    others = [low + "s", low + "es"]
    others += [low.removesuffix(end) for end in ("s", "es") if low.endswith(end)]
    if len(low) >= _CUT:
        others += [one for text in said for one in text.words_from(low)]
    for other in dict.fromkeys(others):
        if len(other) >= _SHORTEST and any(other in one.words for one in said):
            written = other.capitalize() if word.text[0].isupper() else other
            yield word._replace(text=written, key=other)


def _tells(word: Word, text: Text, said: Text, *, is_prompt: bool) -> bool:
    """Tell whether a word of `text`, if it is in what was said, may well be from there."""
    written = word.text
    if is_common(written) or word.key not in said.words:
        return False
    if is_number(written):
        return (_is_sign if len(written) == 1 else _is_figure)(word, text, said)
    is_within = not begins(word.start, text.text)
    if is_everyday(written):
        return written[0].isupper() and is_within and word.key in said.proper
    if written[0].isupper() and len(written) >= _SHORTEST and is_within:
        return True
    if len(written) >= _TELLING and word.key in said.proper:
        return True
    return is_prompt and said.is_short and len(written) >= _SHORTEST


def _is_sign(word: Word, text: Text, said: Text) -> bool:
    """Tell whether a digit or a letter is the point of a sentence: it counts nothing."""
    is_within = not begins(word.start, text.text)
    if said.is_short and word.key in said.ends and (word.text.isdigit() or is_within):
        return True
    if not word.text.isdigit():
        return is_within and word.key in said.proper
    is_point = _POINT.match(text.text, word.end) and not _RANGE.search(
        text.text[max(0, word.start - 9) : word.start]
    )
    return bool(is_point) and is_within and word.key in said.points


def _is_figure(word: Word, text: Text, said: Text) -> bool:
    """Tell whether a longer number may be from what was said: not if more is asked for."""
    is_count = word.text.isdigit() and len(word.text) == 2 and not said.is_short
    return not (is_count and _COUNT.match(text.text, word.end))


def _is_harmless(
    low: str, said: Sequence[Text], asked: Sequence[Text], now: Sequence[Text]
) -> bool:
    if low == "a":  # else it is an article
        is_now = any(low in one.numbers for one in now)
        is_known = any(low in one.numbers for one in asked)
    else:
        is_now = any(low in one.words for one in now)
        is_known = any(low in one.words for one in asked)
    if is_now:
        return not _is_moved(low, said, now)
    return is_known and not _is_chosen(low, said, asked, now)


def _is_chosen(low: str, said: Sequence[Text], asked: Sequence[Text], now: Sequence[Text]) -> bool:
    """Tell whether both answers chose among what they were offered, and not the same."""
    is_short = all(one.is_short for one in (*said, *now))
    offered, old, new = (
        frozenset[str]().union(*(_choices(one, is_short=is_short) for one in texts))
        for texts in (asked, said, now)
    )
    signs = {sign for one in now for sign in one.numbers}
    others = {one for one in (new & offered) - old if one in signs or not is_common(one)}
    return low in offered and bool(others)


def _choices(one: Text, *, is_short: bool) -> frozenset[str]:
    return one.words if is_short else one.names.union(one.numbers)


def _is_moved(low: str, said: Sequence[Text], now: Sequence[Text]) -> bool:
    """Tell whether numbers or letters of two short answers have changed their places."""
    for old, new in ((old, new) for old in said for new in now if old.is_short and new.is_short):
        if low in old.numbers and low in new.numbers:
            both = set(old.numbers) & set(new.numbers)
            if [one for one in old.numbers if one in both] != [
                one for one in new.numbers if one in both
            ]:
                return True
    return False
