"""The values of an answer: all of it, its lines, what it sets off, the leaves of its JSON."""

from __future__ import annotations

import html
import json
import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote, quote_plus

from aquila_cassette.cli.rerecord.common import is_common
from aquila_cassette.cli.rerecord.scripts import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

__all__ = [
    "Address",
    "Told",
    "Value",
    "add",
    "escapes",
    "is_explained",
    "json_leaves",
    "leaves_of",
    "occurrences",
    "places",
    "scalars",
    "told",
    "value_of",
]

Address = tuple["Hashable", ...]
"""Where in an answer a value stands, as an application may point to it."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PLAIN = re.compile(r"([-\u2212]?)((?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?)")
_TRUTH = re.compile(r"(?<!\w)(?:true|false)(?!\w)", re.IGNORECASE)
_NULL = re.compile(r"(?<!\w)(?:null|None)(?!\w)")
_FENCE = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
_BULLET = re.compile(r"^(?:[-*\u2022#>]+|\d+[.)])\s+")
_AROUND = " \t\r\n.,;:!?\"'`*_()[]{}<>|\u201c\u201d\u2018\u2019\u00ab\u00bb\u2026"
_AROUND += "\u300c\u300d\u300e\u300f\u3001\u3002\uff01\uff1f\uff0c\uff1a\uff08\uff09"
_TAIL = re.compile(r"(?:[:=]\s|\uff1a)\s*(\S.*)$")
_SET_OFF = {
    "tag": re.compile(r"<(?P<name>\w+)>([^<>]+)</(?P=name)>"),
    "bold": re.compile(r"(\*\*)([^*\n]+)\*\*"),
    "code": re.compile(r"(`)([^`\n]+)`"),
    "quote": re.compile(
        r"([\"\u201c\u00ab\u300c])([^\"\n\u201d\u00bb\u300d]+)[\"\u201d\u00bb\u300d]"
    ),
    "box": re.compile(r"(\\boxed)\{([^{}]+)\}"),
}
_WORD = re.compile(r"\w+")
_CONTEXT = 40
_CASED = 4  # characters: a shorter value is sought as it is written
_DEEPEST = 100


class Value(NamedTuple):
    """A value, equal to those that mean the same: ``3`` and ``"3.0"``.

    Args:
        kind: What it is.
        text: It, in one spelling.
    """

    kind: Literal["number", "truth", "null", "text"]
    text: str


class Told(NamedTuple):
    """A value as it was told.

    Args:
        value: It.
        spelt: In that spelling: one that is spelt otherwise now has changed.
    """

    value: Value
    spelt: str


def value_of(scalar: object) -> Value | None:
    """Give the value that a leaf of JSON, or a text, stands for; None where it is none.

    Args:
        scalar: A leaf.

    Example:
        >>> value_of(3.0) == value_of(" 3.")
        True
        >>> value_of("**Paris**"), value_of(True), value_of("")
        (Value(kind='text', text='Paris'), Value(kind='truth', text='true'), None)
    """
    if scalar is None:
        return Value("null", "null")
    if isinstance(scalar, bool):
        return Value("truth", str(scalar).lower())
    if isinstance(scalar, (int, float)):
        return Value("number", _shortest(Decimal(repr(scalar)))) if math.isfinite(scalar) else None
    if not isinstance(scalar, str):
        return None
    text = scalar.strip(_AROUND) or scalar.strip()
    if match := _PLAIN.fullmatch(text):
        sign = "-" if match[1] else ""
        return Value("number", _shortest(Decimal(sign + match[2].replace(",", ""))))
    if text.lower() in {"true", "false"}:
        return Value("truth", text.lower())
    return Value("text", text) if text else None


def _shortest(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read(token: str) -> list[str]:
    """Read a number that may have commas or points within, in each way that makes sense."""
    ways = [token.replace(",", "")]
    if "," in token:
        ways += [token.replace(".", "").replace(",", "."), *token.split(",")]
    elif re.fullmatch(r"\d{1,3}(?:\.\d{3})+", token):
        ways.append(token.replace(".", ""))
    return [_shortest(Decimal(way)) for way in ways if way.count(".") < 2]


def told(text: str) -> dict[Address, Told]:
    r"""Give the values of a text by where they stand in it.

    A line, and what is set off, stands at a place from the beginning and at one from the end: an
    application may mean either.

    Args:
        text: What a model said, or wrote into a call.

    Example:
        >>> told('{"pick": "A"}')[("json", "pick")].spelt
        'A'
        >>> told("I think so.\nAnswer: B.")[("line", -1)].value.text
        'Answer: B'
        >>> told("Answer: B.")[("tail", -1)].spelt
        'B.'
    """
    found: dict[Address, Told] = {}
    add(found, ("whole",), text.strip())
    inside = leaves_of(text)
    if inside:
        for path, scalar in inside.items():
            add(found, path, scalar)
        return found
    lines = [line for line in map(_bare, text.splitlines()) if line]
    if len(lines) > 1:
        _add_all(found, "line", lines)
    _add_all(found, "tail", [_tail(line) for line in lines])
    for name, pattern in _SET_OFF.items():
        parts = (match[2] for match in pattern.finditer(text))
        _add_all(found, name, [part for part in parts if not is_common(part)])
    return found


def leaves_of(text: str) -> dict[Address, Any]:
    """Give the leaves of the JSON that a text is or holds, each by where it stands.

    Args:
        text: Any text.
    """
    return {("json", *path): scalar for path, scalar in scalars(_document(text))}


def json_leaves(text: str) -> list[Any]:
    """Give the leaves of a text that is JSON; none where it is not, or not only.

    Args:
        text: Any text.
    """
    return [one for _, one in scalars(_container(text))]


def add(found: dict[Address, Told], at: Address, scalar: object) -> None:
    """Note what stands somewhere, if it is a value.

    Args:
        found: What stands where.
        at: Where it stands.
        scalar: It.
    """
    value = value_of(scalar)
    if value is not None:
        found[at] = Told(value, str(scalar))


def _add_all(found: dict[Address, Told], name: str, texts: list[str]) -> None:
    for place, text in enumerate(texts):
        add(found, (name, place), text)
        add(found, (name, place - len(texts)), text)


def _bare(line: str) -> str:
    return _BULLET.sub("", line.strip()).strip()


def _tail(line: str) -> str:
    match = _TAIL.search(line)
    return match[1] if match else ""


def _document(text: str) -> Any:
    """Read the JSON that a text is, or holds in a fence, or is with words around; None if none."""
    tries = (text, *_FENCE.findall(text)[-1:], text[text.find("{") : text.rfind("}") + 1])
    return next((value for one in tries if (value := _container(one))), None)


def _container(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def scalars(document: Any, path: Address = ()) -> Iterator[tuple[Address, Any]]:
    """Give the leaves of what came from JSON, each with its path.

    Args:
        document: It.
        path: Where it stands.
    """
    if len(path) > _DEEPEST:
        return
    if isinstance(document, dict):
        for key, item in document.items():
            yield from scalars(item, (*path, key))
    elif isinstance(document, list):
        for place, item in enumerate(document):
            yield from scalars(item, (*path, place))
    elif path or document is not None:
        yield path, document


@lru_cache(maxsize=1024)
def escapes(value: Value) -> tuple[Value, ...]:
    """Give a text as it stands in HTML, JSON and URLs, where that is another.

    Args:
        value: It.

    Example:
        >>> [one.text for one in escapes(Value("text", "a < b"))]
        ['a &lt; b', 'a%20%3C%20b', 'a+%3C+b']
    """
    if value.kind != "text":
        return ()
    text = value.text
    marked = html.escape(text)
    found = (
        html.escape(text, quote=False),
        marked,
        marked.replace("&#x27;", "&#39;"),
        marked.replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        _encoded(quote, text),
        _encoded(quote_plus, text),
    )
    return tuple(Value("text", one) for one in dict.fromkeys(found) if one != text)


def _encoded(encode: Callable[..., str], text: str) -> str:
    return encode(text, safe="", errors="replace")  # half a surrogate pair has no bytes


def occurrences(value: Value, text: str) -> list[tuple[int, int]]:
    """Find where a value stands in a text, not within a word or another number.

    Args:
        value: It.
        text: Where.

    Example:
        >>> occurrences(Value("number", "2750"), "2,750 m, not 12750")
        [(0, 5)]
        >>> occurrences(Value("text", "Par"), "Paris")
        []
    """
    if value.kind == "number":
        return [
            match.span()
            for match in _NUMBER.finditer(text)
            if _word_ends(text[: match.start()], match[0])
            and value.text.removeprefix("-") in _read(match[0])  # a sign may be a dash
        ]  # fmt: skip
    if value.kind == "truth":
        return [match.span() for match in _TRUTH.finditer(text) if match[0].lower() == value.text]
    if value.kind == "null":
        return [match.span() for match in _NULL.finditer(text)]
    part = value.text
    if len(part) >= _CASED:
        part, text = part.lower(), text.lower()
    return list(places(part, text))


def places(part: str, text: str) -> Iterator[tuple[int, int]]:
    """Find where a part stands in a text, as it is written, not within a word.

    Args:
        part: It.
        text: Where.

    Example:
        >>> list(places("ab", "ab, abc, ab"))
        [(0, 2), (9, 11)]
    """
    at = text.find(part)
    while at >= 0:
        end = at + len(part)
        if _word_ends(text[:at], part) and _word_ends(part, text[end:]):
            yield at, end
        at = text.find(part, at + 1)


def _word_ends(before: str, after: str) -> bool:
    """Tell whether a word ends between two texts."""
    last, first = before[-1:], after[:1]
    return not (
        (last.isalnum() or last == "_")
        and (first.isalnum() or first == "_")
        and not is_unspaced(last)
        and not is_unspaced(first)
    )


def is_explained(value: Value, at: tuple[int, int], text: str, known: Iterable[str]) -> bool:
    """Tell whether a value stands in `text` as it stood in a text before: among the same words.

    Args:
        value: It.
        at: Where it stands.
        text: In what.
        known: The texts before.

    Example:
        >>> three = Value("number", "3")
        >>> is_explained(three, (5, 6), "Give 3 names", ["I said: Give 3 names!"])
        True
        >>> is_explained(three, (5, 6), "Give 3 names", ["Give 2 or 3"])
        False
    """
    around = _around(text, at)
    return any(around) and any(
        _around(one, where) == around for one in known for where in occurrences(value, one)
    )


def _around(text: str, at: tuple[int, int]) -> tuple[str, str]:
    """Give the words around a place; two characters where words have no spaces between them."""
    before = text[max(0, at[0] - _CONTEXT) : at[0]].lower().rstrip(_AROUND)
    after = text[at[1] : at[1] + _CONTEXT].lower().lstrip(_AROUND)
    last = before[-2:] if is_unspaced(before[-1:]) else "".join(_WORD.findall(before)[-1:])
    first = after[:2] if is_unspaced(after[:1]) else "".join(_WORD.findall(after)[:1])
    return last, first
