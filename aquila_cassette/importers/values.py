"""What other recorders' files say of headers, bodies and times, as a cassette has it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from aquila_cassette.content_encoding import decode_pieces
from aquila_cassette.model import Ended, Failure, Headers, Response
from aquila_cassette.redaction.names import FRAMING
from aquila_cassette.storage.pieces import LazyBody, LazyResponse
from aquila_cassette.storage.yaml_reader import SchemaError

__all__ = [
    "as_bytes",
    "from_base64",
    "headers",
    "json_bytes",
    "mapping",
    "response",
    "stamp",
    "status",
    "text",
]

_DATE = "date"


def mapping(within: Any, key: str | int, what: str) -> Mapping[str, Any]:
    """Give the mapping at `key`.

    Args:
        within: What it stands in.
        key: Its key or place there.
        what: What it is, for the error.

    Raises:
        SchemaError: It is missing, or something else.
    """
    try:
        value = within[key]
    except (KeyError, IndexError):
        raise SchemaError(within, None, f"{what} is missing", missing=True) from None
    if not isinstance(value, Mapping):
        facts = ["expected: a mapping", f"got:      {_kind(value)}"]
        raise SchemaError(within, key, f"{what} is not what it must be", facts=facts)
    return value


def text(within: Mapping[str, Any], key: str, what: str) -> str:
    """Give the text at `key`.

    Args:
        within: The mapping it stands in.
        key: Its key.
        what: What it is of, for the error.

    Raises:
        SchemaError: It is missing, or something else.
    """
    if key not in within:
        raise SchemaError(within, None, f"{what} has no field {key!r}", missing=True)
    value = within[key]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        facts = ["expected: text", f"got:      {_kind(value)}"]
        raise SchemaError(within, key, f"{key!r} is not what it must be", facts=facts)
    return value


def status(within: Mapping[str, Any], key: str, value: Any) -> int:
    """Give an HTTP status.

    Args:
        within: The mapping it stands in.
        key: Its key.
        value: The number, or its digits.

    Raises:
        SchemaError: It is none.
    """
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if type(value) is not int or not 100 <= value <= 999:
        facts = ["expected: a number from 100 to 999", f"got:      {value!r}"]
        raise SchemaError(within, key, "the status is not what it must be", facts=facts)
    return value


def headers(value: Any) -> Headers:
    r"""Give header fields: of a mapping of names and values, or of a list of pairs or lines.

    Args:
        value: What the file says; what is no header is passed over, as other recorders do.

    Example:
        >>> headers({"Set-Cookie": ["a=1", "b=2"], "Age": 3})
        (('set-cookie', 'a=1'), ('set-cookie', 'b=2'), ('age', '3'))
        >>> headers(["Server: nginx\r\n"])
        (('server', 'nginx'),)
    """
    if isinstance(value, Mapping):
        given = list(value.items())
    elif isinstance(value, list):
        given = [_pair(one) for one in value]
    else:
        given = []
    out = []
    for name, values in given:
        for one in values if isinstance(values, list) else (values,):
            if one is not None:
                out.append((_word(name).lower(), _word(one)))
    return tuple(out)


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    if isinstance(value, Mapping):
        return value.get("name", ""), value.get("value")
    name, colon, rest = _word(value).partition(":")
    return name.strip(), rest.strip() if colon else None


def _word(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def as_bytes(value: Any) -> bytes | None:
    """Give the bytes that a text, bytes, or a list of both are; None for anything else.

    Args:
        value: What the file has as a body; None is none at all.
    """
    match value:
        case None:
            return b""
        case bytes():
            return value
        case str():
            return value.encode("utf-8", "surrogatepass")
        case list():
            parts = [as_bytes(one) for one in value]
            known = [one for one in parts if one is not None]
            return b"".join(known) if len(known) == len(parts) else None
        case _:
            return None


def json_bytes(within: Any, key: str) -> bytes:
    """Write the value at `key` as JSON, as the recorders that keep it parsed do on replay.

    Args:
        within: The mapping it stands in.
        key: Its key.

    Raises:
        SchemaError: JSON cannot hold it.
    """
    try:
        return json.dumps(within[key]).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(within, key, f"{key!r} holds what JSON cannot hold") from error


def from_base64(within: Mapping[str, Any], key: str) -> bytes:
    """Decode the base64 at `key`.

    Args:
        within: The mapping it stands in.
        key: Its key.

    Raises:
        SchemaError: It is none.
    """
    value = within[key]
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SchemaError(within, key, f"{key!r} is no base64") from error


def response(
    code: int | None,
    given: Headers,
    body: bytes,
    *,
    decoded: bool = False,
    pieces: str | None = None,
    headers_after: int | None = None,
    http_version: str = "HTTP/1.1",
    ended: Ended = "complete",
    error: Failure | None = None,
) -> Response:
    """Make a response as ours are recorded: decoded, without headers of one connection.

    Args:
        code: The HTTP status.
        given: All headers of the file.
        body: The body as it lies in the file.
        decoded: Whether it is decoded for sure, whatever the headers say.
        pieces: The pieces, as ``pieces:`` has them. Without it an event stream has one a frame,
            as a cassette of ours without it has, and any other body is one.
        headers_after: As in `Response`, like all that follow.
        http_version: The same.
        ended: The same.
        error: The same.
    """
    kept = [pair for pair in given if pair[0] not in FRAMING]
    encoding = ", ".join(value for name, value in given if name == "content-encoding")
    if encoding and not decoded:
        plain = decode_pieces(encoding, [body])
        if plain is not None:
            (body,) = plain
        elif decode_pieces(encoding, []) is None:  # nobody here can decode it; the reader may
            kept.append(("content-encoding", encoding))
    return LazyResponse.of(
        LazyBody(body, pieces),
        status=code,
        headers=tuple(kept),
        headers_after=headers_after,
        http_version=http_version,
        ended=ended,
        error=error,
    )


def stamp(value: Any, received: Headers = ()) -> str:
    """Give a time as ``recorded_at`` has it; empty where the file tells none.

    Args:
        value: What the file says, in ISO 8601.
        received: The headers of the answer: its date stands in where the file says nothing.

    Example:
        >>> stamp("2026-03-06T19:24:49.822+02:00")
        '2026-03-06T17:24:49Z'
        >>> stamp(None, (("date", "Mon, 23 Nov 2026 01:49:37 GMT"),))
        '2026-11-23T01:49:37Z'
    """
    at = None
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
        elif found := next((one for name, one in received if name == _DATE), None):
            at = parsedate_to_datetime(found)
        if at is None:
            return ""
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return ""
    return f"{at.replace(tzinfo=None, microsecond=0).isoformat()}Z"


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__.lower()
