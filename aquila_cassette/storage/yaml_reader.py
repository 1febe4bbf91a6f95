r"""YAML to values, by YAML 1.2's JSON schema, and knowing the line of everything.

Plain scalars are JSON's null, true, false and numbers; everything else is the string it looks
like, an unquoted timestamp and ``312:50`` and ``no`` included. Anchors, aliases, tags, merge keys,
duplicate keys, a second document and deep nesting are refused: no cassette needs them, and each is
a way to say something else than what one reads.

Example:
    >>> compose("a: [1, no, 2026-11-22]\n")
    {'a': [1, 'no', '2026-11-22']}
"""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "MAX_DEPTH",
    "Composer",
    "List",
    "Map",
    "NoLibyaml",
    "YamlError",
    "compose",
    "events",
    "line_of",
    "plain",
]

MAX_DEPTH = 64
"""How deep mappings and lists may nest."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# What YAML refuses and a cassette does not, for a search for each of them is a quarter of the time
# of a load. On the way through libyaml, noncharacters stand for them, which no cassette may have.
_CONTROLS = [*range(1, 9), 11, 12, *range(14, 32), 127]
_OUT = {code: 0xFDD0 + at for at, code in enumerate(_CONTROLS)}
_BACK = {stand_in: code for code, stand_in in _OUT.items()}

_WORDS = {"": None, "null": None, "true": True, "false": False}


class YamlError(Exception):
    """What the text is not: the YAML that a cassette may use.

    Args:
        problem: What is wrong, a clause that starts in lower case.
        line: Where, from 1; None where it is the whole.
        facts: Lines for below.
        fix: The edit that mends it, where it is known.
        cut_off: Whether the text ends before what it began is whole.
        damage: What kind of damage that is, as `CassetteFormatError` has it.
    """

    def __init__(
        self,
        problem: str,
        line: int | None = None,
        *,
        facts: Sequence[str] = (),
        fix: str = "",
        cut_off: bool = False,
        damage: str = "format",
    ) -> None:
        self.damage = damage
        self.problem = problem
        self.line = line
        self.facts = tuple(facts)
        self.fix = fix
        self.cut_off = cut_off
        super().__init__(problem)


class Map(dict[str, Any]):
    """A mapping that knows the lines (from 1) it starts on and its keys stand on."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class List(list[Any]):
    """A list that knows the lines (from 1) it starts on and its items stand on."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class NoLibyaml(Exception):  # noqa: N818 - no error of the text
    """PyYAML is there, libyaml is not."""


def plain(text: str) -> str | int | float | bool | None:
    """Give what `text` means as a plain scalar.

    Args:
        text: The scalar, without quotes.

    Raises:
        ValueError: It is an integer of more digits than Python reads.

    Example:
        >>> [plain(text) for text in ("-12", "1.5e3", "012", "1_000", "no", "null", "312:50")]
        [-12, 1500.0, '012', '1_000', 'no', None, '312:50']
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-0123456789":
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    return float(text) if match[1] or match[2] else int(text)


def compose(text: str) -> Any:
    """Read the one document that `text` is; mappings come as `Map`, lists as `List`.

    Args:
        text: What the file says; None comes for an empty one.

    Raises:
        YamlError: It is not the YAML described above.
        NoLibyaml: It cannot be told.
    """
    return _Strict(text).document()


def events(text: str) -> Iterator[Any]:
    """Give libyaml's events of `text`, as PyYAML's classes.

    Args:
        text: What the file says.

    Raises:
        YamlError: It is no YAML.
        NoLibyaml: It cannot be told.
    """
    import yaml

    if not yaml.__with_libyaml__:
        raise NoLibyaml
    if _has_controls(text):
        text = text.translate(_OUT)
    try:
        yield from yaml.parse(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise _no_yaml(error, text.rstrip()) from error


def _no_yaml(error: Any, text: str) -> YamlError:
    lines = text.split("\n")
    mark = getattr(error, "problem_mark", None)
    # libyaml counts a line more where the text ends without a line break.
    line = min(mark.line + 1 if mark else 1, len(lines))
    problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
    if begun := getattr(error, "context_mark", None):
        problem += f" ({error.context} that starts on line {min(begun.line + 1, len(lines))})"
    facts = [f"reads: {reprlib.repr(lines[line - 1].strip())}"]
    return YamlError(problem, line, facts=facts, cut_off=bool(mark and mark.index >= len(text)))


def _has_controls(text: str) -> bool:
    return any(chr(code) in text for code in _CONTROLS)


class Composer:
    """One reading of one text: events in, values out; what YAML may be in it is its subclass's.

    Args:
        text: What the file says.
    """

    def __init__(self, text: str) -> None:
        self._next: Callable[[], Any] = events(text).__next__
        self._has_stand_ins = _has_controls(text)

    def _value(self, event: Any, depth: int) -> Any:
        raise NotImplementedError

    def _text(self, event: Any) -> str:
        text: str = event.value
        return text.translate(_BACK) if self._has_stand_ins else text

    def _list(self, event: Any, depth: int) -> List:
        out = List(line_of(event))
        while type(event := self._next()).__name__ != "SequenceEndEvent":
            out.lines.append(line_of(event))
            out.append(self._value(event, depth + 1))
        return out


def line_of(event: Any) -> int:
    """Give the line, from 1, that an event of libyaml's starts on.

    Args:
        event: As PyYAML has it.
    """
    return int(event.start_mark.line) + 1


class _Strict(Composer):
    """Reads what a cassette may use of YAML, and refuses the rest."""

    def document(self) -> Any:
        self._next()  # the start of the stream
        if type(self._next()).__name__ == "StreamEndEvent":
            return None
        value = self._value(self._next(), 0)
        self._next()  # the end of the document
        more = self._next()
        if type(more).__name__ != "StreamEndEvent":
            problem = "a second document starts here, and a cassette is one"
            raise YamlError(problem, line_of(more), fix="take out the line '---'")
        return value

    def _value(self, event: Any, depth: int) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor is not None:
            sign = "*" if kind == "AliasEvent" else "&"
            problem = f"{sign}{event.anchor} is an anchor or alias, which a cassette may not use"
            fix = f"write the value out, or put it in quotes if it is text that starts with {sign}"
            raise YamlError(problem, line_of(event), fix=fix, damage="anchor")
        if event.tag is not None:
            problem = f"the tag {event.tag} stands here, and a cassette may use none"
            fix = "take it out, or put the value in quotes if it is text that starts with !"
            raise YamlError(problem, line_of(event), fix=fix, damage="tag")
        if kind == "ScalarEvent":
            return self._scalar(event)
        if depth == MAX_DEPTH:
            problem = f"more than {MAX_DEPTH} mappings and lists stand within each other"
            raise YamlError(problem, line_of(event), fix="store the body as text: instead")
        return self._map(event, depth) if kind == "MappingStartEvent" else self._list(event, depth)

    def _scalar(self, event: Any) -> Any:
        text = self._text(event)
        if not event.implicit[0]:  # it has quotes, or is a block
            return text
        try:
            return plain(text)
        except ValueError as error:
            problem = f"the number of {len(event.value)} digits is too long to read"
            raise YamlError(problem, line_of(event), fix="put it in quotes") from error

    def _map(self, event: Any, depth: int) -> Map:
        out = Map(line_of(event))
        while type(event := self._next()).__name__ != "MappingEndEvent":
            key = self._key(event, depth)
            line = line_of(event)
            if key in out:
                problem = f"the key {key!r} is here a second time; it is on line {out.lines[key]}"
                fix = "take one of the two out"
                raise YamlError(problem, line, fix=fix, damage="duplicate-key")
            out.lines[key] = line
            out[key] = self._value(self._next(), depth + 1)
        return out

    def _key(self, event: Any, depth: int) -> str:
        key = self._value(event, depth + 1)
        if isinstance(key, (Map, List)):
            problem = "a mapping or list stands where a key belongs"
            raise YamlError(problem, line_of(event), fix="put the text in quotes if it is a key")
        if key == "<<" and event.implicit[0]:
            problem = "a merge key stands here, and a cassette may use none"
            fix = 'write the fields out, or put "<<" in quotes if it is a key'
            raise YamlError(problem, line_of(event), fix=fix, damage="anchor")
        if not isinstance(key, str):
            problem = f"the key {event.value} is not text"
            raise YamlError(problem, line_of(event), fix=f'put it in quotes: "{event.value}"')
        return key
