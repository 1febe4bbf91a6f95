"""YAML to values, by YAML 1.2's JSON schema, and knowing the line of everything."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = [
    "MAX_DEPTH",
    "Composer",
    "List",
    "Map",
    "NoLibyaml",
    "SchemaError",
    "YamlError",
    "clean_utf8",
    "compose",
    "events",
    "line_of",
    "plain",
    "refuse_unknown",
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
    if "nesting depth" in problem:  # from PyYAML 6.0.4 on; before, nothing but memory limits it
        return YamlError("mappings and lists are nested too deeply", line)
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
            problem = f"mappings and lists are nested more than {MAX_DEPTH} deep"
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


_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# U+0085, U+2028 and U+2029 are line breaks to libyaml and none to git, editors and YAML 1.2.
_C1 = re.compile(b"\xc2[\x80-\x9f]")
_OTHERS = re.compile(b"\xef(?:\xb7[\x90-\xaf]|\xbb\xbf|\xbf[\xbe\xbf])")
_STRETCH = 1 << 16
_FORBIDDEN = "[\0\r\x80-\x9f\u2028\u2029\ufdd0-\ufdef\ufeff\ufffe\uffff]"


def clean_utf8(data: bytes) -> bytes:
    r"""Give the file's bytes, checked to be UTF-8, with neither byte order mark nor CR.

    Git on Windows, and editors there, write CRLF and a byte order mark; neither is content (a
    body of CRLF lines says so with ``eol: crlf``).

    Args:
        data: The file.

    Raises:
        YamlError: It is no UTF-8, or has a character that would be lost or is what damage leaves:
            NUL, a CR alone, C1 controls (U+0085 among them), U+2028, U+2029, U+FEFF and
            noncharacters. (The other control characters are taken as they are.)
    """
    # One NUL of two is half of a character; both are what a crash of the machine leaves.
    if data.startswith(_UTF_16) or data[:2].count(0) == 1:
        problem = "the file is UTF-16, and a cassette is UTF-8"
        raise YamlError(problem, fix="save it as UTF-8", damage="binary")
    data = data.removeprefix(_BOM)
    if b"\r" in data:  # which is found ten times as fast as CRLF
        data = data.replace(b"\r\n", b"\n")
    if not data.isascii():
        _check_utf_8(data)
    if b"\0" in data or b"\r" in data:
        raise _forbidden(data)
    return data


def _check_utf_8(data: bytes) -> None:
    # A stretch at a time: decoding all of it at once takes twice as long, most of it for memory.
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _STRETCH) + 1 or len(data)
        lines = data[start:end]
        if not lines.isascii():
            try:
                text = lines.decode()
            except UnicodeDecodeError:
                raise _no_utf_8(data) from None
            if _has_forbidden(lines, text):
                raise _forbidden(data)
        start = end


def _has_forbidden(lines: bytes, text: str) -> bool:
    # One byte or character is found ten times as fast as two, and most text has neither byte.
    return (
        "\u2028" in text
        or "\u2029" in text
        or bool(b"\xc2" in lines and _C1.search(lines))
        or bool(b"\xef" in lines and _OTHERS.search(lines))
    )


def _no_utf_8(data: bytes) -> YamlError:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"the byte 0x{data[error.start]:02x} is no UTF-8"
        return YamlError(problem, line, damage="binary")
    raise AssertionError("its lines are no UTF-8, and the whole is")


def _forbidden(data: bytes) -> YamlError:
    text = data.decode(errors="replace")  # bytes that are no UTF-8 may follow
    match = re.search(_FORBIDDEN, text)
    assert match
    line = text.count("\n", 0, match.start()) + 1
    code = ord(match[0])
    problem = f"the character U+{code:04X} stands here as it is, which a cassette may not have"
    # Runs of NUL are what a crash of the machine leaves; nobody wrote them.
    fix = f'write it as \\u{code:04x} in double quotes "..."' if code else ""
    return YamlError(problem, line, fix=fix, damage="format" if code else "binary")


class SchemaError(Exception):
    """A value that does not belong where it stands.

    Args:
        within: The mapping or list that it stands in.
        key: Its key or place there; None where it is the mapping or list itself, or is missing.
        problem: What is wrong, a clause that starts in lower case.
        facts: Lines for below, expected before got.
        fix: The edit that mends it.
        missing: Whether something is missing, as it is where a file was cut off.
    """

    def __init__(
        self,
        within: Any,
        key: str | int | None,
        problem: str,
        *,
        facts: Sequence[str] = (),
        fix: str = "",
        missing: bool = False,
    ) -> None:
        self.problem = problem
        self.facts = tuple(facts)
        self.fix = fix
        self.missing = missing
        self.damage = "format"
        self.cut_off = False
        self.line: int | None = None
        if isinstance(within, (Map, List)):
            lines: Any = within.lines
            self.line = within.line if key is None else lines[key]
        super().__init__(problem)


def refuse_unknown(fields: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Refuse the first field that is not `known`, and name the closest that is.

    Args:
        fields: The fields there are.
        known: The names of those there may be.
        what: What they are fields of, with its article.

    Raises:
        SchemaError: There is one.
    """
    for key in fields:
        if key not in known:
            import difflib  # for a misspelt field only

            close = difflib.get_close_matches(key, known, n=1)
            raise SchemaError(
                fields,
                key,
                f"{what} has no field {key!r}",
                facts=[f"known: {', '.join(known)}"],
                fix=f'rename it to "{close[0]}"' if close else "take it out",
            )
