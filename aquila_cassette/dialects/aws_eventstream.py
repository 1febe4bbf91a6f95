"""Parse Amazon's binary event streams.

A message is its length and that of its headers, a checksum of the two, the headers, the payload,
and a checksum of it all; numbers are big-endian.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
from base64 import b64decode
from binascii import crc32
from typing import NamedTuple

from aquila_cassette.dialects.json_access import Table, as_dict, as_str, dump_json, load_json

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_FRAME = _PRELUDE.size + _CHECKSUM.size
_LARGEST = 24 * 1024 * 1024
_STRING = 7
# How many bytes header values of the other types have: true, false, byte, short, integer, long,
# a timestamp and a UUID. Bytes and strings say it themselves.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class Binary(NamedTuple):
    """One message."""

    type: str  # its event type; `error` for an exception
    data: str  # its payload as text; of a payload that wraps another (`{"bytes": ...}`), that one
    json: object  # that parsed; None where it is no JSON


def split(body: bytes) -> list[bytes]:
    """Cut a stream into its messages; what is no message is the last. Joined, they are the stream."""
    found = []
    at = 0
    while (size := _size(body, at)) and at + size <= len(body):
        found.append(body[at : at + size])
        at += size
    return found + ([body[at:]] if at < len(body) else [])


def is_whole(raw: bytes) -> bool:
    return bool(raw) and _size(raw, 0) == len(raw)


def meaning(raw: bytes) -> Binary | None:
    """Read one message; None where it is none, or damaged."""
    if not is_whole(raw):
        return None
    _, size_of_headers, of_prelude = _PRELUDE.unpack_from(raw)
    (of_all,) = _CHECKSUM.unpack_from(raw, len(raw) - _CHECKSUM.size)
    if crc32(raw[:8]) != of_prelude or crc32(raw[: -_CHECKSUM.size]) != of_all:
        return None
    start = _PRELUDE.size + size_of_headers
    headers = _headers(raw[_PRELUDE.size : start])
    payload = raw[start : -_CHECKSUM.size]
    if headers.get(":message-type") == "error":
        error = {"message": headers.get(":error-message") or headers.get(":error-code", "")}
        return Binary("error", dump_json(error), error)
    payload = _wrapped(as_dict(load_json(payload))) or payload
    is_error = headers.get(":message-type") == "exception"
    type_ = "error" if is_error else headers.get(":event-type") or "message"
    return Binary(type_, payload.decode("utf-8", "replace"), load_json(payload))


def payload_at(raw: bytes) -> int:
    """Return where the payload of a message begins; its end where it is none."""
    return _PRELUDE.size + int.from_bytes(raw[4:8], "big") if is_whole(raw) else len(raw)


def reframed(raw: bytes) -> bytes:
    """Return a message with the length and checksums that fit its changed payload."""
    sizes = len(raw).to_bytes(4, "big") + raw[4:8]
    message = sizes + _CHECKSUM.pack(crc32(sizes)) + raw[_PRELUDE.size : -_CHECKSUM.size]
    return message + _CHECKSUM.pack(crc32(message))


def _size(body: bytes, at: int) -> int:
    """Return the length of the message at `at`; 0 where there is none."""
    if len(body) - at < _PRELUDE.size:
        return 0
    size, size_of_headers, _ = _PRELUDE.unpack_from(body, at)
    return size if _FRAME + size_of_headers <= size <= _LARGEST else 0


def _headers(data: bytes) -> dict[str, str]:
    """Read the headers that are strings; a damaged one ends them."""
    found = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        if name_end >= len(data):
            break
        name = data[at + 1 : name_end].decode("utf-8", "replace")
        kind, at = data[name_end], name_end + 1
        size = _SIZES.get(kind)
        if size is None:
            size = int.from_bytes(data[at : at + 2], "big")
            at += 2
        if kind == _STRING:
            found[name] = data[at : at + size].decode("utf-8", "replace")
        at += size
    return found


def _wrapped(payload: Table) -> bytes:
    """Return the model's own event, which `invoke_model_with_response_stream` wraps."""
    try:
        return b64decode(as_str(payload.get("bytes")), validate=True)
    except ValueError:
        return b""
