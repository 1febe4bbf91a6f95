"""Format version 1: CassetteData to text and back, field by field."""

from __future__ import annotations

import re
import reprlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from math import inf
from pathlib import Path
from typing import Any

from aquila_cassette.errors import CassetteFormatError, CassetteVersionError
from aquila_cassette.model import CassetteData, Failure, Headers, Interaction, Request, Response
from aquila_cassette.storage import bodies, yaml_writer
from aquila_cassette.storage.names import display_path
from aquila_cassette.storage.yaml_reader import (
    SchemaError,
    YamlError,
    clean_utf8,
    joined,
    load_yaml,
)

VERSION = 1
MAX_BYTES = 256 * 1024 * 1024  # of the largest file that is read

FIELDS = {
    "cassette": ("version", "recorded_with", "interactions"),
    "interaction": ("recorded_at", "recorded_by", "request", "response"),
    "request": ("method", "url", "headers", *bodies.FIELDS),
    "response": (
        *("status", "reason", "http_version", "headers", *bodies.FIELDS),
        *("headers_after", "pieces", "ended", "error"),
    ),
    "error": ("type", "message", "category"),
}
_REQUIRED = {
    "cassette": ("interactions",),
    "interaction": ("request", "response"),
    "request": ("method", "url"),
    "response": ("ended",),
    "error": ("message",),
}
# How a file may end without a line break and still be whole beyond doubt.
_WHOLE = (b"ended: complete", b"ended: closed", b"}", b"]")
_FOLD = re.compile(r"\r?\n[ \t]+")  # a value that goes on in the next line (RFC 9112, 5.2)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[^\0\r\n\u0100-\U0010ffff]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_TEXTS = (
    *("recorded_with", "recorded_at", "recorded_by", "method", "url", "http_version"),
    *("type", "message", "category"),
)
_ENDS = ("complete", "closed", "failed")
_CHECKS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(_TEXTS, ("text", lambda value: isinstance(value, str))),
    "interactions": ("a list", lambda value: isinstance(value, list)),
    "headers": ("a mapping", lambda value: isinstance(value, dict)),
    "status": ("a number from 200 to 999", lambda value: _is_number(value, 200, 999)),
    "headers_after": ("a number from 0 on", lambda value: _is_number(value, 0, inf)),
    "reason": (
        "text in one line of latin-1",
        lambda value: isinstance(value, str) and not unsendable("reason", value),
    ),
    "pieces": (
        "words of ms+bytes, such as 312+50 330+49",
        lambda value: isinstance(value, str) and bodies.is_timeline(value),
    ),
    "ended": (f"one of {', '.join(_ENDS)}", lambda value: value in _ENDS),
}
"""What a field holds, where it is not null, and whether a value is that."""

_UPGRADE = "pip install --upgrade aquila-cassette"


# Reading.


def loads(data: bytes, *, path: Path) -> CassetteData:
    """Read the bytes of a cassette file, the one at `path`; what is none is a CassetteFormatError."""
    if len(data) > MAX_BYTES:
        raise too_large(len(data), path, MAX_BYTES)
    try:
        clean = clean_utf8(data)
        try:
            cassette = _cassette(load_yaml(clean, each=lambda one: _item([one], 0)))
        except SchemaError:
            cassette = _cassette(load_yaml(clean))  # fails again, and knows the line
        if not data.endswith(b"\n") and not data.endswith(_WHOLE):
            raise YamlError("its last line has no line break", cut_off=True)
    except YamlError as error:
        raise format_error(error, data, path) from error
    return cassette


def _cassette(tree: Any) -> CassetteData:
    if tree is None:
        raise YamlError("the file is empty")
    if not isinstance(tree, dict):
        raise SchemaError(tree, None, "the file is no cassette: its top level is no mapping")
    _check_version(tree)
    _check_fields(tree, "cassette")
    items = tree["interactions"]
    interactions = []
    for place in range(len(items)):
        try:
            interactions.append(_item(items, place))
        except SchemaError as error:
            error.cut_off = error.missing and place == len(items) - 1
            raise
    return CassetteData(tuple(interactions), tree.get("recorded_with") or "")


def _check_version(tree: Mapping[str, Any]) -> None:
    version = tree.get("version")
    if type(version) is int and version > VERSION:
        problem = f"the cassette has version {version}, and this aquila-cassette reads {VERSION}"
        raise SchemaError(tree, "version", problem, fix=_UPGRADE)
    if type(version) is not int or version < VERSION:
        facts = [f"expected: {VERSION}", f"got:      {version!r}"]
        fix = f'write "version: {VERSION}" as its first line, if it is a cassette'
        raise SchemaError(tree, "version", "unknown cassette version", facts=facts, fix=fix)


def _item(items: Sequence[Any], place: int) -> Interaction:
    item = items[place]
    if isinstance(item, Interaction):
        return item
    item = _part(items, place, "interaction")
    sent = _part(item, "request", "request")
    body = bodies.read(sent)
    if not isinstance(body, bytes):
        body = body()
    return Interaction(
        Request(sent["method"], sent["url"], _read_headers(sent), body),
        _response(_part(item, "response", "response")),
        item.get("recorded_at") or "",
        item.get("recorded_by"),
    )


def _response(fields: Mapping[str, Any]) -> Response:
    ended = fields["ended"]
    if ended == "failed" and "error" not in fields:
        raise SchemaError(fields, None, "the response has no field 'error'", missing=True)
    version = fields.get("http_version")
    error = None if fields.get("error") is None else _part(fields, "error", "error")
    return bodies.LazyResponse.of(
        bodies.read(fields),
        fields.get("pieces"),
        status=fields.get("status"),
        headers=_read_headers(fields),
        headers_after=fields.get("headers_after"),
        http_version="HTTP/1.1" if version is None else version,
        reason=fields.get("reason"),
        ended=ended,
        error=error and Failure(error.get("type"), error["message"], error.get("category")),
    )


def _read_headers(fields: Mapping[str, Any]) -> Headers:
    given = fields.get("headers") or {}
    out = []
    for name, values in given.items():
        for value in values if isinstance(values, list) else (values,):
            if not isinstance(value, str):
                raise _wrong(given, name, "text, or a list of text", values)
            if why := unsendable(name, value):
                fix = "correct it, or take the header out"
                raise SchemaError(given, name, f"the header {name!r} {why}", fix=fix)
            out.append((name, value))
    return tuple(out)


def unfolded(value: str) -> str:
    return _FOLD.sub(" ", value)


def unsendable(name: str, value: str) -> str:
    """Return why HTTP cannot carry a header; empty if it can."""
    if not _HEADER_NAME.fullmatch(name):
        return "has a name that HTTP does not allow"
    if not _HEADER_VALUE.fullmatch(value):
        return "has a line break, a NUL or a character beyond latin-1 in its value"
    return ""


def _is_number(value: Any, lowest: int, highest: float) -> bool:
    return type(value) is int and lowest <= value <= highest


def _part(within: Any, key: str | int, name: str) -> Mapping[str, Any]:
    """Return the mapping at `key`, a part of the file that `FIELDS` names, with its fields checked."""
    fields = within[key]
    if fields is None:
        raise SchemaError(within, key, f"the {name} is empty", missing=True)
    if not isinstance(fields, dict):
        raise _wrong(within, key, "a mapping", fields)
    _check_fields(fields, name)
    return fields


def _check_fields(fields: Mapping[str, Any], name: str) -> None:
    known = FIELDS[name]
    for key, value in fields.items():
        if key not in known:
            facts = [f"known: {', '.join(known)}"]
            problem = f"the {name} has an unknown field {key!r}"
            raise SchemaError(fields, key, problem, facts=facts, fix="rename it, or take it out")
        expected, is_right = _CHECKS.get(key, ("", None))
        if is_right and value is not None and not is_right(value):
            raise _wrong(fields, key, expected, value)
    for key in _REQUIRED.get(name, ()):
        if fields.get(key) is None:
            raise SchemaError(fields, None, f"the {name} has no field {key!r}", missing=True)


def _wrong(within: Any, key: str | int, expected: str, got: Any) -> SchemaError:
    fix = "put it in quotes" if expected == "text" else f"make it {expected}"
    shown = type(got).__name__ if isinstance(got, (dict, list)) else reprlib.repr(got)
    facts = [f"expected: {expected}", f"got:      {shown}"]
    what = repr(key) if isinstance(key, str) else "the interaction"
    return SchemaError(within, key, f"{what} has a wrong value", facts=facts, fix=fix)


# Writing.


def encode(cassette: CassetteData) -> bytes:
    """Return the bytes of a cassette file."""
    lines = [f"version: {VERSION}"]
    if cassette.recorded_with:
        lines.append(f"recorded_with: {yaml_writer.scalar(cassette.recorded_with)}")
    lines.append("interactions:" if cassette.interactions else "interactions: []")
    items = map(_chunks, bodies.one_at_a_time(cassette.interactions))
    return joined(chain([_text(lines)], chain.from_iterable(items)))


def render(interaction: Interaction) -> bytes:
    return joined(_chunks(interaction))


def _text(lines: list[str]) -> bytes:
    return "\n".join([*lines, ""]).encode()


def _chunks(interaction: Interaction) -> Iterator[bytes | memoryview]:
    request, response = interaction.request, interaction.response
    version = response.http_version
    at, by = interaction.recorded_at or None, interaction.recorded_by
    first, *rest = [*_fields(2, recorded_at=at, recorded_by=by), "  request:"]
    sent = _fields(4, method=request.method, url=request.url, headers=_as_mapping(request.headers))
    yield _text([f"- {first[2:]}", *rest, *sent])
    yield from bodies.write(request.body, event_stream=False)
    fields = _fields(
        4,
        status=response.status,
        reason=response.reason,
        http_version=None if version == "HTTP/1.1" else version,
        headers=_as_mapping(response.headers),
    )
    yield _text(["  response:", *fields])
    yield from bodies.write(response.body, event_stream=bodies.is_event_stream(response))
    lines = _fields(4, headers_after=response.headers_after)
    if pieces := bodies.timeline(response):
        lines.append(f"    pieces: {pieces}")
    lines.append(f"    ended: {response.ended}")
    error = response.error
    if error is not None:
        # On one line, so that a file cut off within it cannot be taken for a whole one.
        failure = f"type: {yaml_writer.scalar(error.type, flow=True)}"
        failure += f", message: {yaml_writer.quoted(error.message)}"
        if error.category is not None:
            failure += f", category: {yaml_writer.scalar(error.category, flow=True)}"
        lines.append(f"    error: {{{failure}}}")
    elif response.ended == "failed":
        lines.append("    error: null")
    yield _text(lines)


def _fields(indent: int, **values: yaml_writer.Value) -> list[str]:
    return yaml_writer.fields({k: v for k, v in values.items() if v is not None}, indent)


def _as_mapping(headers: Headers) -> yaml_writer.Value:
    return {
        name: one[0] if len(one) == 1 else one for name, one in grouped(headers).items()
    } or None


def grouped(headers: Headers) -> dict[str, list[str]]:
    """Return all values of each header."""
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    return values


def as_read(interaction: Interaction) -> Interaction:
    """Return `interaction` as it will come off the file that it is written to.

    The values of a header that comes several times move together, one that HTTP cannot carry is
    left out, and a lone surrogate, which is no text, becomes U+FFFD. Nothing else changes.
    """
    request, response = interaction.request, interaction.response
    error = response.error and replace(response.error, message=_storable(response.error.message))
    reason = response.reason and response.reason.encode("latin-1", "replace").decode("latin-1")
    headers = _storable_headers(response.headers)
    if (headers, error, reason) != (response.headers, response.error, response.reason):
        response = response.but(headers=headers, error=error, reason=reason)
    by = interaction.recorded_by and _storable(interaction.recorded_by)
    url, headers = _storable(request.url), _storable_headers(request.headers)
    if (url, headers) != (request.url, request.headers):
        request = replace(request, url=url, headers=headers)
    read = Interaction(request, response, interaction.recorded_at, by)
    is_same = response is interaction.response and read == interaction
    return interaction if is_same else read


def _storable(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _storable_headers(headers: Headers) -> Headers:
    pairs = ((name, unfolded(one)) for name, values in grouped(headers).items() for one in values)
    return tuple((name, value) for name, value in pairs if not unsendable(name, value))


# Errors.


def too_large(size: int, path: Path, limit: int) -> CassetteFormatError:
    return CassetteFormatError(
        f"{display_path(path)}: the file is too large for a cassette.",
        path=path,
        facts=[f"limit: {limit} bytes", f"got:   {size} bytes"],
        fix="Fix: split it into several cassettes",
    )


def _is_known_to_git(path: Path) -> bool:
    import subprocess  # only a damaged file needs it

    command = ["git", "ls-files", "--error-unmatch", "--", path.name]
    try:
        done = subprocess.run(command, cwd=path.parent, capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


_CONFLICT = re.compile(rb"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)


def format_error(error: YamlError, data: bytes, path: Path) -> CassetteFormatError:
    name = display_path(path)
    if marks := [data.count(b"\n", 0, at.start()) + 1 for at in _CONFLICT.finditer(data)]:
        lines = ", ".join(map(str, marks))
        one = f"take one side (git checkout --ours -- {shlex.quote(name)}, or --theirs)"
        both = "delete these lines where whole interactions are on both sides"
        error = YamlError(f"git's marks of a merge conflict are in lines {lines}", marks[0],
                          fix=f"{one}, or {both}")  # fmt: skip
    problem, line, facts = error.problem, error.line, error.facts
    if error.cut_off:
        problem = "the file ends in the middle of an interaction"
        line, facts = data.rstrip().count(b"\n") + 1, (error.problem, *facts)
    kind = CassetteVersionError if error.fix == _UPGRADE else CassetteFormatError
    fix = error.fix
    if error.cut_off or not fix:
        fix = "delete it and record again"
        if _is_known_to_git(path):
            fix = f"restore it (git checkout -- {shlex.quote(name)}) or {fix}"
    place = f", line {line}" if line else ""
    return kind(f"{name}{place}: {problem}.", path=path, line=line, facts=facts, fix=f"Fix: {fix}")
