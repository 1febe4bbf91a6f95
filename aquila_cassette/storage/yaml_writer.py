"""Write YAML in one layout.

Whatever YAML 1.1 would take for something else than the string it is (``no``, ``12:30``,
``2026-11-22``) is quoted, so that a reader of either version gives the same values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias, Union

from aquila_cassette.storage.yaml_reader import LARGE

Value: TypeAlias = Union[bool, float, str, Mapping[str, "Value"], Sequence["Value"], None]  # noqa: UP007 - the names in quotes

_WIDTH = 100  # characters; a small mapping or list that fits takes one line
# What no literal block can hold: YAML forbids it, or takes it for a line break. (The complement, a
# class of a million characters, takes ten times as long to compile.)
_BAD = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff"
_UNSAFE = re.compile(f"[{_BAD}]")
_SAFE_ASCII = bytes([9, 10, *range(32, 127)])
_ESCAPED = re.compile(f'["\\\\\t\n{_BAD}]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_NOT_PLAIN = re.compile(f": | #|:$| $|[\t\n{_BAD}]")
_NOT_PLAIN_IN_FLOW = re.compile(f"{_NOT_PLAIN.pattern}|[],[{{}}?]")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def scalar(value: bool | float | str | None, *, flow: bool = False) -> str:
    """Return one scalar on one line, plain where no reader can misread it, else double-quoted.

    A lone surrogate, which no YAML can hold, becomes U+FFFD. `flow`: it is within brackets.
    """
    if isinstance(value, str):
        return value if _is_plain(value, flow=flow) else quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    # YAML 1.1 takes what has an exponent for a number only if it has a fraction too.
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _is_plain(text: str, *, flow: bool) -> bool:
    return (
        (text[:1].isalpha() or text[:1] in ("_", "/"))
        and not (_NOT_PLAIN_IN_FLOW if flow else _NOT_PLAIN).search(text)
        and text.lower() not in _WORDS
    )


def quoted(text: str) -> str:
    """Return `text` as a double-quoted scalar of one line, with the escapes that JSON has too."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def quoted_lines(text: str, indent: int) -> str:
    """Return `text` as a double-quoted scalar, each line of it on a line of its own."""
    parts = _ESCAPED.sub(lambda m: m[0] if m[0] == "\n" else _escape(m), text).split("\n")
    # Spaces that lead a line are the layout's, unless a backslash is before them.
    rest = [f"\\{part}" if part.startswith(" ") else part for part in parts[1:]]
    lines = ("\\n\\\n" + " " * indent).join([parts[0], *rest])
    return f'"{lines}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def is_literal(text: str) -> bool:
    return bool(text.strip(" \t\n")) and not unsafe(text.encode("utf-8", "surrogatepass"))


def unsafe(data: bytes) -> int:
    """Return how many characters of a text in UTF-8 a literal block cannot hold."""
    # Most text is ASCII, and to delete that is several times as fast as to search all of it.
    rest = data.translate(None, _SAFE_ASCII)
    return len(_UNSAFE.findall(rest.decode("utf-8", "surrogatepass"))) if rest else 0


def literal(data: bytes, indent: int, head: str) -> Iterator[bytes | memoryview]:
    """Yield a text, one that `is_literal`, as a literal block behind `head`, without its last break."""
    indicator = "2" if data[0] in b" \t\n" else ""
    chomp = "-" if data[-1:] != b"\n" else "+" if data[-2:] == b"\n\n" else ""
    yield f"{head}|{indicator}{chomp}".encode()
    pad = b" " * indent
    start, end = 0, len(data) - (chomp != "-")
    while start <= end:
        stop = data.rfind(b"\n", start, start + LARGE) if start + LARGE < end else end
        if stop >= 0:
            lines = data[start:stop].split(b"\n")
            yield b"\n" + b"\n".join([pad + line if line else b"" for line in lines])
        else:  # a long line, which is not copied
            stop = data.find(b"\n", start, end)
            stop = end if stop < 0 else stop
            yield b"\n" + pad
            yield memoryview(data)[start:stop]
        start = stop + 1


def field(key: str, value: Value, indent: int) -> list[str]:
    """Return one field of a mapping in block style, as lines (a literal block is one "line").

    Mappings and lists of scalars that fit go on one line.
    """
    head = f"{' ' * indent}{_key(key)}:"
    line = _on_one_line(head, value, indent)
    if line is not None:
        return [line]
    return [head, *block(value, indent + 2 if isinstance(value, Mapping) else indent)]


def fields(value: Mapping[str, Value], indent: int) -> list[str]:
    return [line for key, inner in value.items() for line in field(key, inner, indent)]


def block(value: Value, indent: int = 0) -> list[str]:
    if isinstance(value, Mapping):
        return fields(value, indent)
    assert isinstance(value, Sequence)
    head = " " * indent + "-"
    out = []
    for inner in value:
        line = _on_one_line(head, inner, indent)
        if line is not None:
            out.append(line)
        else:
            first, *rest = block(inner, indent + 2)
            out += [f"{head}{first[len(head) :]}", *rest]
    return out


def _on_one_line(head: str, value: Value, indent: int) -> str | None:
    """Return `value` behind `head`, unless it is a mapping or list that needs lines of its own."""
    if isinstance(value, str) and not _fits_flow(value):
        return b"".join(literal(value.encode(), indent + 2, f"{head} ")).decode()
    if value is None or isinstance(value, (bool, int, float, str)):
        return f"{head} {scalar(value)}"
    inner = list(value.values() if isinstance(value, Mapping) else value)
    if not all(_fits_flow(one) for one in inner):
        return None
    parts = [scalar(one, flow=True) for one in inner]  # type: ignore[arg-type]
    if isinstance(value, Mapping):
        parts = [f"{_key(key)}: {part}" for key, part in zip(value, parts, strict=True)]
    line = ", ".join(parts)
    line = f"{head} {{{line}}}" if isinstance(value, Mapping) else f"{head} [{line}]"
    return line if len(line) <= _WIDTH or not parts else None


def _fits_flow(value: Value) -> bool:
    if isinstance(value, str):
        return "\n" not in value or not is_literal(value)
    return value is None or isinstance(value, (bool, int, float))


@lru_cache(maxsize=1024)
def _key(key: str) -> str:
    return key if _KEY.fullmatch(key) and key.lower() not in _WORDS else quoted(key)
