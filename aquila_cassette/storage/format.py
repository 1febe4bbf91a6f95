r"""Version 1 of the cassette file, which ``docs/format.md`` specifies: text to cassette and back.

Example:
    >>> from pathlib import Path
    >>> from aquila_cassette.model import Interaction, Piece, Request, Response, CassetteData
    >>> cassette = CassetteData((Interaction(Request("GET", "https://a.b/c"), Response(204)),))
    >>> print(dumps(cassette), end="")
    version: 1
    interactions:
    - request:
        method: GET
        url: https://a.b/c
      response:
        status: 204
        ended: complete
    >>> loads(dumps(cassette).encode(), path=Path("c.yaml")) == cassette
    True
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, overload

from aquila_cassette.errors import CassetteError, CassetteFormatError, CassetteVersionError
from aquila_cassette.importers.detect import sniff
from aquila_cassette.importers.refusal import not_ours
from aquila_cassette.model import CassetteData, Failure, Interaction, Request, Response
from aquila_cassette.storage import bodies, layout, yaml_writer
from aquila_cassette.storage import parse as build
from aquila_cassette.storage.names import shown
from aquila_cassette.storage.pieces import is_event_stream, timeline
from aquila_cassette.storage.schema_error import Flaw
from aquila_cassette.storage.text import clean
from aquila_cassette.storage.yaml_reader import NoLibyaml, YamlError, compose

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.model import Headers
    from aquila_cassette.storage.yaml_writer import Value

__all__ = [
    "MAX_BYTES",
    "as_read",
    "dumps",
    "format_error",
    "header",
    "loads",
    "no_libyaml",
    "render",
    "too_large",
]

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
        data = clean(data)
        quick = layout.read(data)
        if quick is not None:
            return quick
        text = data.decode()
        tree = compose(text)
        if tree is None:
            what = f"{shown(path)}: the file is empty."
            raise CassetteFormatError(what, path=path, damage="empty", fix=_restore(path))
        tape = build.tape(tree)
    except (YamlError, Flaw) as error:
        if kind := sniff(data):
            raise not_ours(path, kind) from error
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
    return f"version: {build.VERSION}\n{program}interactions:{' []' if empty else ''}\n"


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
            method=_text(request.method),
            url=_text(request.url),
            headers=_headers(request.headers),
        ),
        Response(
            response.status,
            _headers(response.headers),
            response.pieces,
            response.headers_after,
            _text(response.http_version),
            response.ended,
            error and Failure(_text(error.type), _text(error.message), _text(error.category)),
        ),
        recorded_at=_text(interaction.recorded_at),
        recorded_by=_text(interaction.recorded_by),
    )


def too_large(size: int, path: Path) -> CassetteFormatError:
    """Make the error for a file that is larger than `MAX_BYTES`.

    Args:
        size: Its size in bytes.
        path: Where it is.
    """
    return CassetteFormatError(
        f"{shown(path)}: the file is too large for a cassette.",
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
        f"{shown(path)} cannot be read: it was edited, and PyYAML has no libyaml here.",
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
def _text(text: str) -> str: ...
@overload
def _text(text: str | None) -> str | None: ...
def _text(text: str | None) -> str | None:
    return text and _SURROGATE.sub("\ufffd", text)


def _headers(headers: Headers) -> Headers:
    names = dict.fromkeys(name for name, _ in headers)
    return tuple(
        (_text(name).lower(), _text(value))
        for name in names
        for other, value in headers
        if other == name
    )


def format_error(error: YamlError | Flaw, data: bytes, path: Path) -> CassetteFormatError:
    """Make the error for a file that is not what it should be.

    Args:
        error: What is wrong.
        data: The whole file.
        path: Where it is.
    """
    facts = error.facts
    if error.cut_off:
        line = data.rstrip().count(b"\n") + 1
        what = f"{shown(path)}, line {line}: the file ends in the middle of an interaction."
        return CassetteFormatError(
            what,
            path=path,
            line=line,
            damage="truncated",
            facts=[error.problem, *facts],
            fix=_restore(path),
        )
    place = f", line {error.line}" if error.line else ""
    kind = CassetteVersionError if isinstance(error, build.NewerVersion) else CassetteFormatError
    return kind(
        f"{shown(path)}{place}: {error.problem}.",
        path=path,
        line=error.line,
        damage=error.damage,
        facts=facts,
        fix=f"Fix: {error.fix}" if error.fix else _restore(path),
    )


def _restore(path: Path) -> str:
    name = shown(path)
    return f"Fix: restore it (git checkout -- {name}) or delete it and record again"
