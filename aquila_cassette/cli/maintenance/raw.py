r"""Secrets in a file that cannot be read as a cassette: found in its text, line by line.

What a cassette says is told by its lines alone, so that it can be told of a file that ends anywhere: a
header, a URL, a field of JSON written as YAML, and all else as the text of a body.

Example:
    >>> from aquila_cassette.redaction import Redaction
    >>> data = b"interactions:\n- request:\n    headers: {x-api-key: abc, accept: '*/*'"
    >>> [(one.line, one.kind) for one in raw_secrets(data, Redaction())]
    [(3, "the header 'x-api-key'")]
    >>> raw_scrubbed(data, Redaction()).splitlines()[-1]
    b'    headers: {x-api-key: "[redacted]", accept: \'*/*\''
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette.model import Piece, Request, Response
from aquila_cassette.redaction import REDACTED
from aquila_cassette.storage.yaml_reader import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.model import Headers
    from aquila_cassette.redaction import Redaction

__all__ = ["RawSecret", "raw_owners", "raw_scrubbed", "raw_secrets"]

_Part = Literal["request", "response"]

_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_URL = "https://damaged.invalid/"
_JSON = (("content-type", "application/json"),)
_FORM = (("content-type", "application/x-www-form-urlencoded"),)
_PART = re.compile(r"\s*(?:- )?(request|response):(?:\s|$)")
_BLOCK = re.compile(r"(?P<indent>\s*(?:- )*)(?P<name>[\w.\"'-]+):(?:[ ]+[|>][-+0-9]*)?\s*$")
_PAIR = re.compile(
    r"""(?:^|(?<=[\s{,]))(?P<quote>["']?)(?P<name>[\w.$@-]+)(?P=quote):[ ]+"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|\[[^\]]*\]?|[^\s"'\[{|>#][^\n]*)"""
)
_ITEM = re.compile(r"(?P<lead>\s*(?:- )?)(?P<value>\S.*?)\s*$")
_FLOW_END = re.compile(r"\s*(?:[,}]|$)")
_NOTE = re.compile(r"\s+#.*$|\s+$")
_OWNER = re.compile(rb"^\s*(?:- )?recorded_by: *[\"']?([^\n\"']+)", re.MULTILINE)


class RawSecret(NamedTuple):
    """Something that no cassette may hold, in the text of a file.

    Args:
        line: Its line, from 1.
        kind: What it is, as `Found` has it.
        secret: Whether it is a secret; a header may only be one that is not kept.
    """

    line: int
    kind: str
    secret: bool = True


class _Edit(NamedTuple):
    start: int
    end: int
    text: str
    kind: str
    secret: bool


def raw_secrets(data: bytes, redact: Redaction) -> list[RawSecret]:
    """Find what is to be hidden in a file, whatever it is.

    Args:
        data: Its bytes.
        redact: The rules in force for it.
    """
    text = _text(data)[0]
    lines, found = _without_pairs(text.split("\n"), redact)
    for part, start, segment in _segments(lines):
        body = "\n".join(segment).encode("utf-8", "surrogateescape")
        for one in redact.findings(_message(part, body)):
            if one.part == "body":
                line = start + body.count(b"\n", 0, one.start)
                found.append(RawSecret(line, one.kind, one.secret))
    return sorted(dict.fromkeys(found))


def raw_scrubbed(data: bytes, redact: Redaction) -> bytes | None:
    """Give the bytes of a file with a mark where each secret stands, and nothing else changed.

    Args:
        data: Its bytes.
        redact: The rules in force for it.

    Returns:
        The bytes, or None where there is nothing to hide or it cannot be done safely.
    """
    text, codec = _text(data)
    if _bytes(text, codec) != data:
        return None
    lines = text.split("\n")
    while True:
        before = lines
        lines, _ = _without_pairs(lines, redact)
        lines = [
            line
            for part, _, segment in _segments(lines)
            for line in _clean(part, "\n".join(segment), redact).split("\n")
        ]
        if lines == before:
            break
    new = _bytes("\n".join(lines), codec)
    return None if new == data else new


def raw_owners(data: bytes) -> list[str]:
    """List what a file says of the tests that recorded it.

    Args:
        data: Its bytes.
    """
    found = (match[1].decode("utf-8", "replace").strip() for match in _OWNER.finditer(data))
    return list(dict.fromkeys(found))


def _text(data: bytes) -> tuple[str, str]:
    codec = _UTF_16.get(data[:2], "utf-8")
    errors = "surrogateescape" if codec == "utf-8" else "replace"
    return data.decode(codec, errors), codec


def _bytes(text: str, codec: str) -> bytes:
    return text.encode(codec, "surrogateescape" if codec == "utf-8" else "replace")


def _message(part: _Part, body: bytes = b"", headers: Headers = ()) -> Request | Response:
    if part == "request":
        return Request("POST", _URL, headers, body)
    return Response(200, headers, (Piece(0, body),))


def _redacted(message: Request | Response, redact: Redaction) -> Request | Response:
    if isinstance(message, Request):
        return redact.request(message)
    return redact.response(message)


def _clean(part: _Part, text: str, redact: Redaction) -> str:
    body = text.encode("utf-8", "surrogateescape")
    clean = _redacted(_message(part, body), redact).body
    return text if clean == body else clean.decode("utf-8", "surrogateescape")


def _segments(lines: Sequence[str]) -> Iterator[tuple[_Part, int, Sequence[str]]]:
    """Cut lines where another part begins: which fields are secrets depends on whose they are."""
    part: _Part = "request"
    start = 0
    for number, line in enumerate(lines):
        if (match := _PART.match(line)) and match[1] != part:
            if number > start:
                yield part, start + 1, lines[start:number]
            part, start = ("response" if match[1] == "response" else "request"), number
    yield part, start + 1, lines[start:]


def _without_pairs(lines: Sequence[str], redact: Redaction) -> tuple[list[str], list[RawSecret]]:
    """Hide what is secret by its name, or stands where its name is told by the file's own keys."""
    search = _Pairs(redact)
    out, found = [], []
    for number, line in enumerate(lines, 1):
        new = line
        for edit in reversed(list(search.edits(line))):
            new = new[: edit.start] + edit.text + new[edit.end :]
            found.append(RawSecret(number, edit.kind, edit.secret))
        out.append(new)
    return out, found


class _Pairs:
    """Reads names and values off lines, one after the other, knowing what they stand in.

    Args:
        redact: The rules in force.
    """

    def __init__(self, redact: Redaction) -> None:
        self._redact = redact
        self._part: _Part = "request"
        self._headers: int | None = None  # how far in the key is, within whose mapping we are
        self._block: tuple[int, str] | None = None  # a key with its value below it
        self._form = False

    def edits(self, line: str) -> Iterator[_Edit]:
        """Give what is to be replaced in the next line."""
        if not line.strip() or line.lstrip().startswith("#"):
            return
        indent = len(line) - len(line.lstrip())
        if self._block is not None:
            is_item = indent == self._block[0] and line.lstrip().startswith("- ")
            if indent > self._block[0] or is_item:
                yield from self._below(line, self._block[1])
                return
            self._block = None
        if self._headers is not None and indent <= self._headers:
            self._headers = None
        if match := _PART.match(line):
            self._part = "response" if match[1] == "response" else "request"
            self._form = False
        self._form = self._form or "x-www-form-urlencoded" in line
        if match := _BLOCK.match(line):
            self._open(match)
            return
        in_headers = self._headers is not None or line.lstrip().startswith("headers:")
        for start, end, name in _values(line):
            if edit := self._edit(line, start, end, name, in_headers=in_headers):
                yield edit

    def _open(self, match: re.Match[str]) -> None:
        name, inside = match["name"].strip("\"'"), len(match["indent"])
        if name == "headers":
            self._headers = inside
        elif match[0].rstrip()[-1] != ":" or self._hidden(name, "a1" * 20):
            # Text that is no YAML, or what stands below a name whose value is a secret.
            self._block = inside, name

    def _below(self, line: str, name: str) -> Iterator[_Edit]:
        match = _ITEM.match(line)
        if match is None:
            return
        start, end = match.span("value")
        is_item = "- " in match["lead"]
        if is_item and (note := _NOTE.search(line, start)):
            end = note.start()
        value = line[start:end]
        if value.strip("\"'") == REDACTED:
            return
        if (hidden := self._hidden(name, value)) and hidden[1] == REDACTED:
            text = json.dumps(REDACTED) if is_item else REDACTED
            yield _Edit(start, end, text, hidden[0], hidden[2])

    def _edit(
        self, line: str, start: int, end: int, name: str, *, in_headers: bool
    ) -> _Edit | None:
        raw = line[start:end]
        if raw.strip("\"'") == REDACTED:
            return None
        hidden = self._hidden(name, _meant(raw), in_headers=in_headers)
        if hidden is None:
            return None
        kind, new, secret = hidden
        return _Edit(start, end, _written(new, raw), kind, secret)

    def _hidden(
        self, name: str, value: object, *, in_headers: bool | None = None
    ) -> tuple[str, str, bool] | None:
        """Tell what kind of secret a value is, and what it becomes; None where it may stay."""
        if in_headers is None:
            in_headers = self._headers is not None
        if in_headers and name != "headers":
            return self._hidden_header(name.lower(), str(value))
        if name == "url":
            request = Request("GET", str(value))
            return self._told(request, self._redact.request(request).url)
        if name == "text" and self._form and isinstance(value, str):
            request = Request("POST", _URL, _FORM, value.encode("utf-8", "surrogateescape"))
            return self._told(request, self._redact.request(request).body.decode(errors="replace"))
        body = json.dumps({name: value}).encode()
        message = _message(self._part, body)
        found = self._redact.findings(message)
        if not found:
            return None
        clean = json.loads(_clean(self._part, body.decode(), self._redact))
        return found[0].kind, str(clean.get(name, REDACTED)), True

    def _hidden_header(self, name: str, value: str) -> tuple[str, str, bool] | None:
        message = _message(self._part, headers=((name, value),))
        found = self._redact.findings(message)
        if not found:
            return None
        kept = _redacted(message, self._redact).headers
        return found[0].kind, kept[0][1] if kept else REDACTED, found[0].secret

    def _told(self, request: Request, new: str) -> tuple[str, str, bool] | None:
        found = self._redact.findings(request)
        return (found[0].kind, new, True) if found else None


def _values(line: str) -> Iterator[tuple[int, int, str]]:
    """Give where the values of a line start and end, and their names."""
    at = 0
    while match := _PAIR.search(line, at):
        start, end = match.span("value")
        before = line[: match.start()]
        if line[start] not in "\"'[":
            in_flow = before.count("{") > before.count("}")
            stop = _FLOW_END.search(line, start) if in_flow else _NOTE.search(line, start)
            end = stop.start() if stop else end
        yield start, end, match["name"]
        at = max(end, match.start() + 1)


def _meant(raw: str) -> object:
    """Give the value that stands in a line; what is cut off is text."""
    if raw[:1] == '"':
        try:
            return str(json.loads(raw))
        except ValueError:
            return raw.strip('"')
    if raw[:1] == "'":
        return raw.strip("'").replace("''", "'")
    if raw[:1] == "[":
        return raw.strip("[]")
    try:
        return plain(raw)
    except ValueError:
        return raw


def _written(new: str, raw: str) -> str:
    """Write a value as the old one was, and so that it is text."""
    if raw[:1] == "'":
        return f"'{new.replace(chr(39), chr(39) * 2)}'"
    if raw[:1] == '"' or new == REDACTED:
        return json.dumps(new, ensure_ascii=False)
    return new
