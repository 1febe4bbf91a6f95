"""Version 1 of the cassette file, which ``docs/format.md`` specifies: text to cassette and back."""

from __future__ import annotations

import re
import reprlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from aquila_cassette.errors import CassetteError, CassetteFormatError, CassetteVersionError
from aquila_cassette.model import CassetteData, Failure, Headers, Interaction, Request, Response
from aquila_cassette.storage import bodies, yaml_writer
from aquila_cassette.storage.names import display_path
from aquila_cassette.storage.pieces import (
    LazyBody,
    LazyResponse,
    is_event_stream,
    is_timeline,
    timeline,
)
from aquila_cassette.storage.yaml_reader import (
    NoLibyaml,
    SchemaError,
    YamlError,
    clean_utf8,
    compose,
    refuse_unknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aquila_cassette.storage.yaml_writer import Value

__all__ = [
    "CASSETTE_FIELDS",
    "ERROR_FIELDS",
    "INTERACTION_FIELDS",
    "MAX_BYTES",
    "REQUEST_FIELDS",
    "RESPONSE_FIELDS",
    "VERSION",
    "NewerVersionError",
    "as_read",
    "dumps",
    "format_error",
    "header",
    "loads",
    "no_libyaml",
    "parse_cassette",
    "parse_error",
    "parse_headers",
    "render",
    "too_large",
]

VERSION = 1
"""The version of the format that this package reads and writes."""

# The fields there are; docs/format.md has them all.
CASSETTE_FIELDS = ("version", "recorded_with", "interactions")
INTERACTION_FIELDS = ("recorded_at", "recorded_by", "request", "response")
REQUEST_FIELDS = ("method", "url", "headers", *bodies.FIELDS)
RESPONSE_FIELDS = (
    "status",
    "http_version",
    "headers",
    *bodies.FIELDS,
    "headers_after",
    "pieces",
    "ended",
    "error",
)
ERROR_FIELDS = ("type", "message", "category")
_ENDS = ("complete", "closed", "failed")


class NewerVersionError(SchemaError):
    """The file is a cassette of a version to come."""

    def __init__(self, within: Any, key: str | int | None, problem: str, *, fix: str) -> None:
        super().__init__(within, key, problem, fix=fix)
        self.damage = "newer"


def parse_cassette(tree: Any) -> CassetteData:
    """Build the cassette that `tree` describes.

    Args:
        tree: What the file says, as `yaml_reader.compose` gives it.

    Raises:
        SchemaError: It describes none.
    """
    if not isinstance(tree, dict):
        raise SchemaError(tree, None, "the file is no cassette, for no mapping stands at its top")
    _version(tree)
    refuse_unknown(tree, CASSETTE_FIELDS, "a cassette")
    items = tree.get("interactions")
    if items is None:
        raise SchemaError(tree, None, "the file has no interactions")
    if not isinstance(items, list):
        raise _wrong(tree, "interactions", "a list", items)
    interactions = []
    for place in range(len(items)):
        try:
            interactions.append(_interaction(items, place))
        except SchemaError as flaw:
            flaw.cut_off = flaw.missing and place == len(items) - 1
            raise
    return CassetteData(
        tuple(interactions),
        recorded_with=_get_text(tree, "recorded_with") or "",
    )


def _version(tree: Mapping[str, Any]) -> None:
    if "version" not in tree:
        fix = 'make "version: 1" its first line, if it is a cassette'
        raise SchemaError(tree, None, "the file has no version", fix=fix)
    version = tree["version"]
    if type(version) is int and version > VERSION:
        problem = f"the cassette has version {version}, and this aquila-cassette reads {VERSION}"
        raise NewerVersionError(
            tree, "version", problem, fix="pip install --upgrade aquila-cassette"
        )
    if type(version) is not int or version != VERSION:
        facts = [f"expected: {VERSION}", f"got:      {version!r}"]
        problem = "the cassette's version is none that ever was"
        raise SchemaError(tree, "version", problem, facts=facts, fix=f'write "version: {VERSION}"')


def _interaction(items: list[Any], place: int) -> Interaction:
    item = _mapping(items, place, "an interaction")
    refuse_unknown(item, INTERACTION_FIELDS, "an interaction")
    _need(item, ("request", "response"), "the interaction")
    return Interaction(
        _request(_mapping(item, "request", "the request")),
        _response(_mapping(item, "response", "the response")),
        recorded_at=_get_text(item, "recorded_at") or "",
        recorded_by=_get_text(item, "recorded_by"),
    )


def _request(fields: Mapping[str, Any]) -> Request:
    refuse_unknown(fields, REQUEST_FIELDS, "a request")
    _need(fields, ("method", "url"), "the request")
    body = bodies.read(fields)
    return Request(
        _get_text(fields, "method") or "",
        _get_text(fields, "url") or "",
        headers=parse_headers(fields),
        body=body if isinstance(body, bytes) else body(),
    )


def _response(fields: Mapping[str, Any]) -> Response:
    refuse_unknown(fields, RESPONSE_FIELDS, "a response")
    _need(fields, ("ended",), "the response")
    ended = fields["ended"]
    if ended not in _ENDS:
        raise _wrong(fields, "ended", f"one of {', '.join(_ENDS)}", ended)
    if ended == "failed":
        _need(fields, ("error",), "the response")
    status = fields.get("status")
    if status is not None and not (type(status) is int and 100 <= status <= 999):
        raise _wrong(fields, "status", "a number from 100 to 999", status)
    after = fields.get("headers_after")
    if after is not None and not (type(after) is int and after >= 0):
        raise _wrong(fields, "headers_after", "a number of milliseconds", after)
    version = _get_text(fields, "http_version")
    return LazyResponse.of(
        LazyBody(bodies.read(fields), _pieces(fields)),
        status=status,
        headers=parse_headers(fields),
        headers_after=after,
        http_version="HTTP/1.1" if version is None else version,
        ended=ended,
        error=parse_error(fields),
    )


def _pieces(fields: Mapping[str, Any]) -> str | None:
    value = fields.get("pieces")
    if value is None:
        return None
    if isinstance(value, str):
        if is_timeline(value):
            return value
        words = " ".join(value.split())
        if is_timeline(words):
            return words
    raise _wrong(fields, "pieces", "words of ms+bytes, such as 312+50 330+49", value)


def parse_headers(fields: Mapping[str, Any]) -> Headers:
    """Read the field ``headers``.

    Args:
        fields: Those of a request or a response.

    Raises:
        SchemaError: It is not what it must be.
    """
    if fields.get("headers") is None:
        return ()
    given = _mapping(fields, "headers", "'headers'")
    out = []
    for name, values in given.items():
        for value in values if isinstance(values, list) else (values,):
            if not isinstance(value, str):
                raise _wrong(given, name, "text, or a list of text", values, quotes=True)
            out.append((name.lower(), value))
    return tuple(out)


def parse_error(fields: Mapping[str, Any]) -> Failure | None:
    """Read the field ``error``.

    Args:
        fields: Those of a response.

    Raises:
        SchemaError: It is not what it must be.
    """
    if fields.get("error") is None:
        return None
    given = _mapping(fields, "error", "'error'")
    refuse_unknown(given, ERROR_FIELDS, "an error")
    if "type" not in given:
        raise SchemaError(given, None, "the error has no field 'type'", missing=True)
    _need(given, ("message",), "the error")
    return Failure(
        _get_text(given, "type"), _get_text(given, "message") or "", _get_text(given, "category")
    )


def _get_text(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise _wrong(fields, key, "text", value, quotes=True)
    return value


def _need(fields: Mapping[str, Any], keys: tuple[str, ...], what: str) -> None:
    for key in keys:
        if key not in fields or (fields[key] is None and key != "error"):
            raise SchemaError(fields, None, f"{what} has no field {key!r}", missing=True)


def _mapping(within: Any, key: str | int, what: str) -> Mapping[str, Any]:
    value = within[key]
    if isinstance(value, dict):
        return value
    if value is None:
        raise SchemaError(within, key, f"{what} is empty", missing=True)
    raise _wrong(within, key, "a mapping", value)


def _wrong(
    within: Any, key: str | int, expected: str, got: Any, *, quotes: bool = False
) -> SchemaError:
    name = repr(key) if isinstance(key, str) else "the interaction"
    scalar = got is None or isinstance(got, (bool, int, float))
    fix = f'put it in quotes: "{got}"' if quotes and scalar else f"make it {expected}"
    display_path = reprlib.repr(got) if not isinstance(got, (dict, list)) else type(got).__name__
    return SchemaError(
        within,
        key,
        f"{name} is not what it must be",
        facts=[f"expected: {expected}", f"got:      {display_path}"],
        fix=fix,
    )


MAX_BYTES = 256 * 1024 * 1024
"""The size of the largest file that is read."""

# How a file may end without a line break and leave nothing to doubt.
_WHOLE = (b"ended: complete", b"ended: closed", b"}", b"]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(data: bytes, *, path: Path) -> CassetteData:
    """Read the bytes of a cassette file.

    Args:
        data: The whole file.
        path: Where it is, for messages.

    Raises:
        CassetteFormatError: It is no cassette, or a damaged one; the message says what to do.
        CassetteVersionError: It is a cassette of a version to come.
        CassetteError: It needs libyaml, and PyYAML has none here.
    """
    if len(data) > MAX_BYTES:
        raise too_large(len(data), path)
    try:
        data = clean_utf8(data)
        from aquila_cassette.storage import layout

        quick = layout.read(data)
        if quick is not None:
            return quick
        text = data.decode()
        tree = compose(text)
        if tree is None:
            what = f"{display_path(path)}: the file is empty."
            raise CassetteFormatError(what, path=path, damage="empty", fix=_restore(path))
        tape = parse_cassette(tree)
    except (YamlError, SchemaError) as error:
        raise format_error(error, data, path) from error
    except NoLibyaml as error:
        raise no_libyaml(path) from error
    if not data.endswith(b"\n") and not data.endswith(_WHOLE):
        raise format_error(YamlError("its last line has no line break", cut_off=True), data, path)
    return tape


def dumps(tape: CassetteData) -> str:
    """Write a whole cassette file.

    Args:
        cassette: What it is to hold.
    """
    items = [render(interaction) for interaction in tape.interactions]
    return header(tape.recorded_with, empty=not items) + "".join(items)


def header(recorded_with: str, *, empty: bool = False) -> str:
    """Write what stands above the interactions.

    Args:
        recorded_with: The program that writes the file, with its version; may be empty.
        empty: Whether no interactions follow.
    """
    program = f"recorded_with: {yaml_writer.scalar(recorded_with)}\n" if recorded_with else ""
    return f"version: {VERSION}\n{program}interactions:{' []' if empty else ''}\n"


def render(interaction: Interaction) -> str:
    """Write one interaction as it stands in the file: an item of the list ``interactions``.

    Args:
        interaction: The interaction.
    """
    lines = []
    if interaction.recorded_at:
        lines += yaml_writer.field("recorded_at", interaction.recorded_at, 2)
    if interaction.recorded_by is not None:
        lines += yaml_writer.field("recorded_by", interaction.recorded_by, 2)
    lines += ["  request:", *_request_lines(interaction.request)]
    lines += ["  response:", *_response_lines(interaction.response)]
    lines[0] = f"- {lines[0][2:]}"
    return "\n".join(lines) + "\n"


def as_read(interaction: Interaction) -> Interaction:
    """Give `interaction` as it will come off the file that it is written to.

    The values of a header that comes several times move together, and a lone surrogate, which is
    no text, becomes U+FFFD. Nothing else changes.

    Args:
        interaction: The interaction.
    """
    request, response = interaction.request, interaction.response
    error = response.error
    return Interaction(
        replace(
            request,
            method=_storable(request.method),
            url=_storable(request.url),
            headers=_headers(request.headers),
        ),
        Response(
            response.status,
            _headers(response.headers),
            response.pieces,
            response.headers_after,
            _storable(response.http_version),
            response.ended,
            error
            and Failure(_storable(error.type), _storable(error.message), _storable(error.category)),
        ),
        recorded_at=_storable(interaction.recorded_at),
        recorded_by=_storable(interaction.recorded_by),
    )


def too_large(size: int, path: Path) -> CassetteFormatError:
    """Make the error for a file that is larger than `MAX_BYTES`.

    Args:
        size: Its size in bytes.
        path: Where it is.
    """
    return CassetteFormatError(
        f"{display_path(path)}: the file is too large for a cassette.",
        path=path,
        damage="unreadable",
        facts=[f"limit: {MAX_BYTES} bytes", f"got:   {size} bytes"],
        fix="Fix: split it into several cassettes",
    )


def no_libyaml(path: Path) -> CassetteError:
    """Make the error for a file that only libyaml could read.

    Args:
        path: Where it is.
    """
    return CassetteError(
        f"{display_path(path)} cannot be read: it was edited, and PyYAML has no libyaml here.",
        path=path,
        fix="Fix: pip install --force-reinstall --only-binary :all: pyyaml",
    )


def _request_lines(request: Request) -> list[str]:
    return [
        *yaml_writer.field("method", request.method, 4),
        *yaml_writer.field("url", request.url, 4),
        *_headers_lines(request.headers),
        *bodies.lines(request.body, 4, event_stream=False),
    ]


def _response_lines(response: Response) -> list[str]:
    lines = []
    if response.status is not None:
        lines += yaml_writer.field("status", response.status, 4)
    if response.http_version != "HTTP/1.1":
        lines += yaml_writer.field("http_version", response.http_version, 4)
    lines += _headers_lines(response.headers)
    lines += bodies.lines(response.body, 4, event_stream=is_event_stream(response))
    if response.headers_after is not None:
        lines += yaml_writer.field("headers_after", response.headers_after, 4)
    if response.pieces:
        lines.append(f"    pieces: {timeline(response.pieces)}")
    lines += yaml_writer.field("ended", response.ended, 4)
    error = response.error
    if error is not None:
        # On one line, so that a file cut off within it cannot be taken for a whole one.
        type_ = yaml_writer.scalar(error.type, flow=True)
        category = f", category: {yaml_writer.scalar(error.category, flow=True)}"
        rest = category if error.category is not None else ""
        message = yaml_writer.quoted(error.message)
        lines.append(f"    error: {{type: {type_}, message: {message}{rest}}}")
    elif response.ended == "failed":
        lines.append("    error: null")
    return lines


def _headers_lines(headers: Headers) -> list[str]:
    if not headers:
        return []
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    fields: dict[str, Value] = {
        name: values[0] if len(values) == 1 else values for name, values in grouped.items()
    }
    return yaml_writer.field("headers", fields, 4)


@overload
def _storable(text: str) -> str: ...
@overload
def _storable(text: str | None) -> str | None: ...
def _storable(text: str | None) -> str | None:
    return text and _SURROGATE.sub("\ufffd", text)


def _headers(headers: Headers) -> Headers:
    names = dict.fromkeys(name for name, _ in headers)
    return tuple(
        (_storable(name).lower(), _storable(value))
        for name in names
        for other, value in headers
        if other == name
    )


def format_error(error: YamlError | SchemaError, data: bytes, path: Path) -> CassetteFormatError:
    """Make the error for a file that is not what it should be.

    Args:
        error: What is wrong.
        data: The whole file.
        path: Where it is.
    """
    facts = error.facts
    if error.cut_off:
        line = data.rstrip().count(b"\n") + 1
        what = f"{display_path(path)}, line {line}: the file ends in the middle of an interaction."
        return CassetteFormatError(
            what,
            path=path,
            line=line,
            damage="truncated",
            facts=[error.problem, *facts],
            fix=_restore(path),
        )
    place = f", line {error.line}" if error.line else ""
    kind = CassetteVersionError if isinstance(error, NewerVersionError) else CassetteFormatError
    return kind(
        f"{display_path(path)}{place}: {error.problem}.",
        path=path,
        line=error.line,
        damage=error.damage,
        facts=facts,
        fix=f"Fix: {error.fix}" if error.fix else _restore(path),
    )


def _restore(path: Path) -> str:
    name = display_path(path)
    return f"Fix: restore it (git checkout -- {name}) or delete it and record again"
