"""Read YAML strictly (no anchors, tags or duplicate keys), with line numbers.

Plain scalars are JSON's null, true, false and numbers; every other one is the string it looks like.
Anchors, aliases, tags, merge keys, duplicate keys, a second document and deep nesting are refused:
each is a way to mean something else than what one reads.

libyaml parses. Nearly all bytes of a cassette are in literal blocks, and most of these nobody asks
for, so `cut_blocks` takes them out first and leaves a mark in each; `compose` puts a `YamlBlock` where
it finds a mark. `cut_blocks` need not understand YAML: where what it cut was no literal block, a
mark remains, and the text is to be read whole.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

MAX_DEPTH = 64  # of mappings and lists

_ITEM_DEPTH = 2
# Where a `YamlBlock` stays one, for nobody may ask for it: the depth and the names of bodies.
_LAZY_DEPTH = 4
_LAZY = ("sse", "text", "base64")

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "null": None, "true": True, "false": False}

_BOM = b"\xef\xbb\xbf"
# U+0085, U+2028 and U+2029 are line breaks to libyaml and none to git, editors and YAML 1.2.
_C1 = re.compile(b"\xc2[\x80-\x9f]")
_OTHERS = re.compile(b"\xef(?:\xb7[\x90-\xaf]|\xbb\xbf|\xbf[\xbe\xbf])")
_FORBIDDEN = re.compile("[\0\r\x80-\x9f\u2028\u2029\ufdd0-\ufdef\ufeff\ufffe\uffff]")
_STRETCH = 1 << 16
LARGE = 1 << 20
"""Bytes. What is larger is read and written a part at a time, for the sake of memory."""

# Stands for a block that is cut out. No cassette may have it but escaped, which no block can.
_MARK = "\ufdef"

_HEADER = re.compile(rb" \|(2?)([-+]?)\n")
_LEAD = re.compile(rb" *(?:- )*")
_LF = ord("\n")
_WHITE_LINE = re.compile(rb"[ \t]+\n")


@dataclass(eq=False)
class YamlError(Exception):
    """The text is not the YAML that a cassette may use."""

    problem: str  # a clause that starts in lower case
    line: int | None = None  # from 1; None is the whole
    facts: Sequence[str] = ()
    fix: str = ""
    cut_off: bool = False  # whether the text ends before what it began is whole


class SchemaError(YamlError):
    """A value does not belong where it is: at `key` in `within`, or (None) it is `within` itself.

    `missing`: whether something is missing, as it is where a file was cut off.
    """

    def __init__(
        self,
        within: Any,
        key: str | int | None,
        problem: str,
        *,
        missing: bool = False,
        **more: Any,
    ) -> None:
        line = None
        if isinstance(within, List):
            line = within.lines[key] if isinstance(key, int) else within.line
        elif isinstance(within, Map):  # a key that is absent has no line of its own
            line = within.lines.get(str(key), within.line)
        super().__init__(problem, line, **more)
        self.missing = missing


class Map(dict[str, Any]):
    """A mapping that knows the lines (from 1) it starts on and its keys are on."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: dict[str, int] = {}


class List(list[Any]):
    """A list that knows the lines (from 1) it starts on and its items are on."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        self.line = line
        self.lines: list[int] = []


def joined(chunks: Iterable[bytes | memoryview]) -> bytes:
    """Join parts without having all of them at once, or further memory for each small one."""
    buffer = BytesIO()
    for chunk in chunks:
        buffer.write(chunk)
    return buffer.getvalue()


class YamlBlock(NamedTuple):
    """A literal block that was cut out: from `start` to `end` of `source`, and its chomping sign."""

    source: bytes
    start: int
    end: int
    indent: int
    chomp: bytes

    def data(self) -> bytes:
        buffer = BytesIO()
        for chunk in self.chunks():
            buffer.write(chunk)
        if self.chomp != b"+":
            end = buffer.tell()
            with buffer.getbuffer() as view:
                while end and view[end - 1] == _LF:
                    end -= 1
            buffer.truncate(end + (1 if end and not self.chomp else 0))
        return buffer.getvalue()

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the text without its indentation, and with all line breaks at its end."""
        source, pad = self.source, b" " * self.indent
        start, last = self.start, self.end - 1
        while start <= last:
            end = source.rfind(b"\n", start, start + LARGE) if start + LARGE < last else last
            if end >= 0:
                lines = source[start : end + 1].split(b"\n" + pad)  # `replace` takes twice as long
                yield b"\n".join(lines).removeprefix(pad)
            else:  # a long line, which is not copied
                end = source.find(b"\n", start, last + 1)
                end = last if end < 0 else end
                yield memoryview(source)[start + self.indent : end + 1]
            start = end + 1

    def text(self) -> str:
        return self.data().decode()


def clean_utf8(data: bytes) -> bytes:
    """Return the bytes of a file without byte order mark and CR; refuse what is not plain UTF-8.

    Refused are characters that would be lost or that are signs of damage, see ``docs/format.md``.
    """
    data = data.removeprefix(_BOM)
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if not data.isascii():
        _check_utf8(data)
    if b"\0" in data or b"\r" in data:
        raise _forbidden(data)
    return data


def _check_utf8(data: bytes) -> None:
    # A stretch at a time: decoding all of it at once takes twice as long, most of it for memory.
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + _STRETCH) + 1 or len(data)
        lines = data[start:end]
        if not lines.isascii():
            try:
                text = lines.decode()
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, start + error.start) + 1
                problem = f"the byte 0x{lines[error.start]:02x} is not UTF-8"
                raise YamlError(problem, line, fix="save it as UTF-8") from None
            # One byte or character is found ten times as fast as two; most text has neither byte.
            if (
                "\u2028" in text
                or "\u2029" in text
                or (b"\xc2" in lines and _C1.search(lines))
                or (b"\xef" in lines and _OTHERS.search(lines))
            ):
                raise _forbidden(data)
        start = end


def _forbidden(data: bytes) -> YamlError:
    text = data.decode(errors="replace")  # bytes that are not UTF-8 may follow
    match = _FORBIDDEN.search(text)
    assert match
    line = text.count("\n", 0, match.start()) + 1
    code = ord(match[0])
    problem = f"the character U+{code:04X} is not allowed in a cassette as it is"
    # Runs of NUL are what a crash of the machine leaves; nobody wrote them.
    fix = f'write it as \\u{code:04x} in double quotes "..."' if code else ""
    return YamlError(problem, line, fix=fix)


def load_yaml(data: bytes, *, each: Callable[[Any], Any] | None = None) -> Any:
    """Read the document in `data`, which `clean_utf8` gave; bodies in it are `YamlBlock` or text.

    With `each` it is faster, and the lines of values mean nothing: what that returns takes the place
    of each mapping in a list of the top mapping, as soon as that is read.
    """
    skeleton, blocks = cut_blocks(data, keep_lines=each is None)
    if blocks:
        with suppress(YamlError):  # read as a whole, it is right or tells its fault
            return compose(skeleton, blocks, each)
    return compose(data, each=each)


def cut_blocks(data: bytes, *, keep_lines: bool) -> tuple[bytes, list[YamlBlock]]:
    """Return `data` with a mark in place of each literal block, and the blocks."""
    blocks: list[YamlBlock] = []
    parts: list[bytes] = []
    at = search_from = 0
    while header := _HEADER.search(data, search_from):
        search_from = start = header.end()
        line = data.rfind(b"\n", 0, header.start()) + 1
        lead = _LEAD.match(data, line)
        column = lead.end() - line if lead else 0
        if data[line + column] == ord("|"):  # an item itself, not a field
            column -= 2
        indent = column + 2
        pad = b" " * indent
        found = _end_of_block(indent).search(data, start - 1)
        end = found.end() if found else 0
        # The first line gives the indentation, unless the header does. A line of white space alone
        # may belong to the block or not: libyaml knows.
        if (
            end > start
            and (
                header[1] or (data.startswith(pad, start) and data[start + indent] not in b" \t\n")
            )
            and not _WHITE_LINE.match(data, end)
        ):
            blocks.append(YamlBlock(data, start, end, indent, header[2]))
            breaks = data.count(b"\n", start, end) if keep_lines else 1
            parts += (data[at:start], pad, _MARK.encode(), b"\n" * breaks)
            at = search_from = end
    parts.append(data[at:])
    return b"".join(parts), blocks


@cache
def _end_of_block(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?!\n)(?!" + b" " * indent + rb")")


def plain(text: str) -> str | int | float | bool | None:
    """Return what `text` means as a scalar without quotes; ValueError if it has too many digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-0123456789":
        return text
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    return float(text) if match[1] or match[2] else int(text)


def compose(
    text: str | bytes, blocks: Sequence[YamlBlock] = (), each: Callable[[Any], Any] | None = None
) -> Any:
    """Read the one document that `text` is, None if it is empty; `blocks` were cut out of it."""
    return _Strict(text, blocks, each).document()


def line_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


class Composer:
    """One reading of one text, events in and values out. Its subclasses say what YAML may be in it."""

    def __init__(self, text: str | bytes) -> None:
        try:
            import yaml  # not needed to record into a new cassette
        except BaseException:  # Ctrl-C: Python would keep half of the package
            for name in [name for name in sys.modules if name.partition(".")[0] == "yaml"]:
                del sys.modules[name]
            raise

        self._text = text  # bytes are UTF-8, and are not encoded again
        self._error: Any = yaml.YAMLError
        self._loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        self.scalar, self.alias = yaml.ScalarEvent, yaml.AliasEvent
        self.map_start, self.map_end = yaml.MappingStartEvent, yaml.MappingEndEvent
        self.list_end, self.stream_end = yaml.SequenceEndEvent, yaml.StreamEndEvent

    def document(self) -> Any:
        try:
            self.next_event: Callable[[], Any] = self._loader(self._text).get_event
            self.next_event()  # the start of the stream
            if self.next_event().__class__ is self.stream_end:
                return None
            value = self.value(self.next_event(), 0)
            self.end()
        except self._error as error:
            raise self._not_yaml(error) from error
        return value

    def value(self, event: Any, depth: int) -> Any:
        raise NotImplementedError

    def end(self) -> None:
        """Look at what follows the document."""

    def read_list(self, event: Any, depth: int) -> List:
        out = List(line_of(event))
        while (event := self.next_event()).__class__ is not self.list_end:
            out.lines.append(line_of(event))
            out.append(self.value(event, depth + 1))
        return out

    def _not_yaml(self, error: Any) -> YamlError:
        mark = getattr(error, "problem_mark", None)
        # libyaml counts a line more where the text ends without a line break.
        text = self._text if isinstance(self._text, str) else self._text.decode()
        line = min(mark.line if mark else 0, text.rstrip().count("\n")) + 1
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        is_at_end = mark and mark.index >= len(text.rstrip())
        return YamlError(problem, line, cut_off=bool(is_at_end))


def _is_mark(event: Any) -> bool:
    text: str = getattr(event, "value", "")
    is_alone = text[:1] == _MARK and text.rstrip("\n") == _MARK
    return is_alone and event.style == "|" and event.tag is event.anchor is None


class _Strict(Composer):
    def __init__(
        self, text: str | bytes, blocks: Sequence[YamlBlock], each: Callable[[Any], Any] | None
    ) -> None:
        super().__init__(text)
        self._blocks = iter(blocks)
        self._each = each
        self._plain: dict[str, Any] = {}  # most scalars of a cassette recur

    def end(self) -> None:
        self.next_event()  # the end of the document
        more = self.next_event()
        if more.__class__ is not self.stream_end:
            problem = "a second document starts here, and a cassette has one"
            raise YamlError(problem, line_of(more), fix="take out the line '---'")
        if next(self._blocks, None) is not None:
            raise YamlError("what was cut out was no literal block")

    def value(self, event: Any, depth: int) -> Any:
        kind = event.__class__
        if kind is self.scalar and event.anchor is event.tag:  # neither
            return self._scalar(event)
        if kind is self.alias or event.anchor is not None or event.tag is not None:
            problem = "anchors, aliases and tags are not allowed in a cassette"
            fix = "write the value out, or put it in quotes if it is text"
            raise YamlError(problem, line_of(event), fix=fix)
        if depth == MAX_DEPTH:
            problem = f"mappings and lists are nested more than {MAX_DEPTH} deep"
            raise YamlError(problem, line_of(event), fix="store the body as text: instead")
        if kind is not self.map_start:
            return self.read_list(event, depth)
        found = self._map(event, depth)
        return self._each(found) if self._each and depth == _ITEM_DEPTH else found

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0]:  # it has quotes, or is a block
            return next(self._blocks).text() if _is_mark(event) else text
        if text in self._plain:
            return self._plain[text]
        try:
            value = self._plain[text] = plain(text)
        except ValueError as error:
            problem = f"the number of {len(text)} digits is too long to read"
            raise YamlError(problem, line_of(event), fix="put it in quotes") from error
        return value

    def _map(self, event: Any, depth: int) -> Map:
        out = Map(line_of(event))
        depth += 1
        while (event := self.next_event()).__class__ is not self.map_end:
            key = self.value(event, depth)
            if key.__class__ is not str or (key == "<<" and event.implicit[0]):
                problem = "a key that is not text is not allowed in a cassette"
                raise YamlError(problem, line_of(event), fix="put it in quotes")
            line: int = event.start_mark.line + 1
            if key in out:
                problem = f"the key {key!r} is given twice; the first is on line {out.lines[key]}"
                fix = "take one of the two out"
                raise YamlError(problem, line, fix=fix)
            out.lines[key] = line
            event = self.next_event()
            if depth == _LAZY_DEPTH and key in _LAZY and _is_mark(event):
                out[key] = next(self._blocks)
            else:
                out[key] = self.value(event, depth)
        return out
