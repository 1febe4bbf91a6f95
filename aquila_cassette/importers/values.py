"""Headers, bodies and times of other recorders' files, as a cassette has them."""

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
from aquila_cassette.redaction.rules import FRAMING
from aquila_cassette.storage.bodies import LazyResponse
from aquila_cassette.storage.yaml_reader import SchemaError


def mapping(within: Any, key: str | int, what: str) -> Mapping[str, Any]:
    """Return the mapping at `key`; `what` it is, for the error."""
    try:
        value = within[key]
    except (KeyError, IndexError):
        raise SchemaError(within, None, f"{what} is missing", missing=True) from None
    if not isinstance(value, Mapping):
        raise _wrong(within, key, what, "a mapping", _kind(value))
    return value


def text(within: Mapping[str, Any], key: str, what: str) -> str:
    """Return the text at `key`; `what` it is a field of, for the error."""
    if key not in within:
        raise SchemaError(within, None, f"{what} has no field {key!r}", missing=True)
    value = within[key]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise _wrong(within, key, repr(key), "text", _kind(value))
    return value


def status(within: Mapping[str, Any], key: str, value: Any) -> int:
    """Return the HTTP status that `value`, a number or its digits, is."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if type(value) is not int or not 100 <= value <= 999:
        raise _wrong(within, key, "the status", "a number from 100 to 999", repr(value))
    return value


def _wrong(within: Any, key: str | int, what: str, expected: str, got: str) -> SchemaError:
    facts = [f"expected: {expected}", f"got:      {got}"]
    return SchemaError(within, key, f"{what} has a wrong value", facts=facts)


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__.lower()


def headers(value: Any) -> Headers:
    r"""Return the fields of a mapping of names and values, or of a list of pairs or lines.

    What is no header is skipped, as other recorders do.

    Example:
        >>> headers({"Set-Cookie": ["a=1", "b=2"], "Age": 3})
        (('set-cookie', 'a=1'), ('set-cookie', 'b=2'), ('age', '3'))
        >>> headers(["Server: nginx\r\n"])
        (('server', 'nginx'),)
    """
    given: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        given = list(value.items())
    elif isinstance(value, list):
        given = [_pair(one) for one in value]
    return tuple(
        (_word(name).lower(), _word(one))
        for name, values in given
        for one in (values if isinstance(values, list) else (values,))
        if one is not None
    )


def _pair(value: Any) -> tuple[Any, Any]:
    if isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    if isinstance(value, Mapping):
        return value.get("name", ""), value.get("value")
    name, colon, rest = _word(value).partition(":")
    return name.strip(), rest.strip() if colon else None


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def as_bytes(value: Any) -> bytes | None:
    """Return the bytes of a text, bytes, nothing, or a list of these; None for anything else."""
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
    """Return the value at `key` as JSON, as recorders that keep it parsed write it on replay."""
    try:
        return json.dumps(within[key]).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(within, key, f"{key!r} holds what JSON cannot hold") from error


def from_base64(within: Mapping[str, Any], key: str) -> bytes:
    value = within[key]
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SchemaError(within, key, f"{key!r} is not base64") from error


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
    """Return a response as ours are recorded: decoded, without headers of one connection.

    `decoded` says that the body is, whatever the headers say; `pieces` is what ``pieces:`` would say.
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
        body,
        pieces,
        status=code,
        headers=tuple(kept),
        headers_after=headers_after,
        http_version=http_version,
        ended=ended,
        error=error,
    )


def timestamp(value: Any, received: Headers = ()) -> str:
    """Return a time in ISO 8601, or else the date of the response, as ``recorded_at`` has it.

    Example:
        >>> timestamp("2026-03-06T19:24:49.822+02:00")
        '2026-03-06T17:24:49Z'
        >>> timestamp(None, (("date", "Mon, 23 Nov 2026 01:49:37 GMT"),))
        '2026-11-23T01:49:37Z'
    """
    at = None
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
        elif found := next((one for name, one in received if name == "date"), None):
            at = parsedate_to_datetime(found)
        if at is None:
            return ""
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return ""
    return f"{at.replace(tzinfo=None, microsecond=0).isoformat()}Z"
