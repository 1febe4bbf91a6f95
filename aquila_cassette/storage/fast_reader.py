r"""The YAML that this package writes, read quickly: the literal blocks, and the lines between.

Nearly all of a cassette is bodies, in literal blocks. `cut` finds the blocks at the speed of memory
and leaves them as they are until someone asks; `Fields` reads the few lines between them. Both know
a small part of YAML and raise `Decline` on meeting anything else: then `yaml_reader` reads the
file, and gives the same values. So whatever is accepted here must mean the same to libyaml; where
that would take thought, it is declined.

The data must be UTF-8, without any character that YAML refuses or takes for a line break, LF apart
(`clean_utf8` sees to it), and end in a line break.

Example:
    >>> skeleton, blocks = cut(b"  a: [1, two]\n  b:\n  - |\n    three\n")
    >>> skeleton
    '  a: [1, two]\n  b:\n  - |\x00\n'
    >>> Fields(blocks).read(skeleton, 2)
    {'a': [1, 'two'], 'b': ['three\n']}
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from aquila_cassette.storage.yaml_reader import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Block", "Decline", "Fields", "cut", "value_of"]

# Beyond these the other reader counts how deep it is.
_MAX_COLUMN = 40
_MAX_FLOW_DEPTH = 8
_MARK = b"\0\n"  # stands where a block was cut out; the text itself has no NUL

_HEADER = re.compile(rb" \|(2?)([-+]?)\n")
_LEAD = re.compile(rb" *(?:- )*")
# Keys longer than 1024 characters are none to YAML; few are longer than 200.
_NAME = r'([A-Za-z_][A-Za-z0-9_./-]{0,200}|"[^"\\\t]{0,200}")'
_KEY = re.compile(_NAME + r":(?: (.*))?$")
_QUOTED = r'"(?:[^"\\\0-\x1f]++|\\(?:["\\nrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*+"'
_START = r"(?:[^-?:,\[\]{}#&*!|>'\"%@`\s]|-(?=[0-9]))"
_PLAIN = rf"{_START}(?:[^ \t:#]++|:(?! |$)|(?<! )#| ++(?![:#]|$))*+"
_IN_FLOW = rf"{_START}(?:[^ \t:#,\[\]{{}}?]++|:(?![ ,\[\]{{}}?]|$)|(?<! )#| ++(?![:#,\]}}]|$))*+"
_SCALAR = re.compile(rf"({_QUOTED})|{_PLAIN}")
# What a bracket holds: in a mapping behind a key, in a list alone; the third group is a separator.
_IN_BRACKETS = rf"(?:({_QUOTED})|({_IN_FLOW})|(?=[\[{{]))(, )?+"
_FLOW_FIELD = re.compile(rf"{_NAME}: {_IN_BRACKETS}")
_FLOW_ITEM = re.compile(rf"(){_IN_BRACKETS}")
_BLOCK_MARK = re.compile(r"\|2?[-+]?\0")


class Block:
    r"""A literal block as it stands in the file.

    Args:
        data: The file's lines.
        start: Where the first line of the block starts.
        end: Where the last one has ended.
        indent: How many spaces each line is indented by.
        chomp: ``+`` keeps the line breaks at the end, ``-`` none, and the empty string one.
    """

    __slots__ = ("_chomp", "_data", "_end", "_indent", "_start")

    def __init__(self, data: bytes, start: int, end: int, indent: int, chomp: bytes) -> None:
        self._data = data
        self._start = start
        self._end = end
        self._indent = indent
        self._chomp = chomp

    def value(self) -> bytes:
        r"""Give the text that the block means.

        Example:
            >>> Block(b"a: |\n  b\n\n    c\n\n", 5, 18, 2, b"").value()
            b'b\n\n  c\n'
        """
        pad = b" " * self._indent
        text = self._data[self._start : self._end].replace(b"\n" + pad, b"\n").removeprefix(pad)
        if self._chomp == b"+":
            return text
        stripped = text.rstrip(b"\n")
        return stripped + b"\n" if stripped and not self._chomp else stripped


class Decline(Exception):  # noqa: N818 - no error, the other reader takes over
    """Something stands here that is left to the other reader."""


def cut(data: bytes) -> tuple[str, Iterator[tuple[int, Block]]]:
    """Cut the literal blocks out: what is between, and each block with its parent's column.

    Args:
        data: Whole lines of YAML. NUL stands in the lines between wherever a block was cut out.

    Raises:
        Decline: A block is laid out otherwise than this package does it.
    """
    blocks: list[tuple[int, Block]] = []
    parts: list[bytes] = []
    at = 0
    while header := _HEADER.search(data, at):
        start = header.end()
        line = data.rfind(b"\n", 0, header.start()) + 1
        lead = _LEAD.match(data, line)
        column = lead.end() - line if lead else 0
        if data[line + column] == ord("|"):  # an item itself, not a field
            column -= 2
        indent = column + 2
        end = _end_of_block(indent).search(data, start - 1)
        if end is None or end.end() <= start:
            raise Decline
        # The first line tells the indentation, unless the header does.
        if not header[1] and data[start : start + indent + 1].lstrip(b" ")[:1] in b"\t\n":
            raise Decline
        blocks.append((column, Block(data, start, end.end(), indent, header[2])))
        parts += (data[at : start - 1], _MARK)
        at = end.end()
    parts.append(data[at:])
    return b"".join(parts).decode(), iter(blocks)


@cache
def _end_of_block(indent: int) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?!\n)(?!" + b" " * indent + rb")")


class Fields:
    """Reads the fields of mappings, from the first to the last of the file.

    Args:
        blocks: What `cut` cut out.
    """

    def __init__(self, blocks: Iterator[tuple[int, Block]]) -> None:
        self._blocks = blocks
        self._lines: list[str] = []
        self._indents: list[int] = []
        self._at = 0
        # A line means the same wherever it stands; in a cassette of many interactions most recur.
        self._known: dict[str, tuple[str, Any]] = {}
        self._items: dict[str, Any] = {}

    def read(self, text: str, column: int) -> dict[str, Any]:
        """Read the fields that `text` consists of.

        Args:
            text: Whole lines of what `cut` left, those that follow on the last ones read.
            column: Where the fields start on their lines.

        Raises:
            Decline: They say more than this reader knows.
        """
        self._lines = text.split("\n")
        self._indents = [len(line) - len(line.lstrip(" ")) for line in self._lines]
        self._indents[-1] = -1  # below every line: the end
        self._at = 0
        if self._indents[0] != column:
            raise Decline
        value = self._map(column)
        if self._at != len(self._lines) - 1:
            raise Decline
        return value

    def block(self, column: int) -> Block:
        """Give the next block.

        Args:
            column: Where the field that holds it starts on its line.

        Raises:
            Decline: It belongs to another.
        """
        parent, block = next(self._blocks, (-1, None))
        if block is None or parent != column:
            raise Decline
        return block

    def _map(self, column: int) -> dict[str, Any]:
        if column > _MAX_COLUMN:
            raise Decline
        lines, indents, known = self._lines, self._indents, self._known
        out: dict[str, Any] = {}
        at = self._at
        while True:
            line = lines[at]
            key, value = known.get(line) or self._field(line, column)
            if key in out:
                raise Decline
            at += 1
            if value is _NESTED:
                self._at = at
                value = self._nested(column)
                at = self._at
            elif value is _BLOCK:
                value = self.block(column).value().decode()
            out[key] = value
            indent = indents[at]
            if indent != column or lines[at].startswith("- ", column):
                if indent > column:
                    raise Decline
                self._at = at
                return out

    def _field(self, line: str, column: int) -> tuple[str, Any]:
        match = _KEY.match(line, column)
        if match is None:
            raise Decline
        key, text = match[1], match[2]
        value = _NESTED if text is None else value_of(text)
        field = self._known[line] = (_name(key), value)
        return field

    def _list(self, column: int) -> list[Any]:
        if column > _MAX_COLUMN:
            raise Decline
        out: list[Any] = []
        while True:
            line = self._lines[self._at]
            out.append(self._item(line, column))
            indent = self._indents[self._at]
            if indent != column or not self._lines[self._at].startswith("- ", column):
                if indent > column:
                    raise Decline
                return out

    def _item(self, line: str, column: int) -> Any:
        if line.startswith("- ", column + 2):
            return self._list(column + 2)
        if line[column + 2 : column + 3] not in _NO_KEY and _KEY.match(line, column + 2):
            return self._map(column + 2)
        item = self._items.get(line, _NESTED)
        if item is _NESTED:
            item = self._items[line] = value_of(line[column + 2 :])
        self._at += 1
        return self.block(column).value().decode() if item is _BLOCK else item

    def _nested(self, column: int) -> Any:
        indent = self._indents[self._at]
        if indent == column + 2:
            if self._lines[self._at].startswith("- ", indent):
                return self._list(indent)
            return self._map(indent)
        if indent == column and self._lines[self._at].startswith("- ", indent):
            return self._list(indent)
        raise Decline


_NO_KEY = frozenset("{[|")
_NUMERIC = frozenset("-0123456789")
_WORDS = frozenset({"null", "true", "false"})
_NESTED = object()
_BLOCK = object()


def _name(key: str) -> str:
    if key[0] == '"':
        return key[1:-1]
    if key in _WORDS:
        raise Decline
    return key


def value_of(text: str) -> Any:
    """Give the value that `text` is on one line.

    Args:
        text: What stands behind a key or a dash.

    Raises:
        Decline: It says more than this reader knows.

    Example:
        >>> value_of('{a: [1, "2"]}')
        {'a': [1, '2']}
    """
    if text[:1] in ("{", "["):
        value, end = _flow(text, 0, 0)
        if end != len(text):
            raise Decline
        return value
    match = _SCALAR.fullmatch(text)
    if match is None:
        if _BLOCK_MARK.fullmatch(text):
            return _BLOCK
        raise Decline
    return _unquoted(text) if match[1] else _plain(text)


def _flow(text: str, at: int, depth: int) -> tuple[Any, int]:
    """Read what starts with a bracket at `at`; give it, and where it has ended."""
    if depth > _MAX_FLOW_DEPTH:
        raise Decline
    is_map = text[at] == "{"
    pattern, close = (_FLOW_FIELD, "}") if is_map else (_FLOW_ITEM, "]")
    out: Any = {} if is_map else []
    at += 1
    more: str | None = None if text.startswith(close, at) else ", "
    while more:
        match = pattern.match(text, at)
        if match is None:
            raise Decline
        key, quoted, bare, more = match.groups()
        at = match.end()
        if bare:
            value = _plain(bare)
        elif quoted:
            value = _unquoted(quoted)
        else:
            value, at = _flow(text, at, depth + 1)
            if text.startswith(", ", at):
                more, at = ", ", at + 2
        if not is_map:
            out.append(value)
        elif (key := _name(key)) in out:
            raise Decline
        else:
            out[key] = value
    if not text.startswith(close, at):
        raise Decline
    return out, at + 1


def _unquoted(text: str) -> Any:
    return json.loads(text) if "\\" in text else text[1:-1]


def _plain(text: str) -> Any:
    if text[0] not in _NUMERIC and text not in _WORDS:
        return text
    try:
        return plain(text)
    except ValueError:
        raise Decline from None
