"""Parse Amazon's binary event streams.

A message is its length and that of its headers, a checksum of the two, the headers, the payload,
and a checksum of it all; numbers are big-endian.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
from base64 import b64decode
from binascii import crc32
from contextlib import suppress
from typing import Any

from aquila_cassette.dialects.json_access import as_dict, as_str, dump_json, load_json

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_FRAME = _PRELUDE.size + _CHECKSUM.size
_LARGEST = 24 * 1024 * 1024
_STRING = 7


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


def meaning(raw: bytes) -> tuple[str, str, Any] | None:
    """Read one message: its event type (`error` for an exception), its payload as text and as JSON.

    Of a payload that wraps another (`{"bytes": ...}`), that one. None where it is no message.
    """
    if not is_whole(raw):
        return None
    start = payload_at(raw)
    headers = _headers(raw[_PRELUDE.size : start])
    payload = raw[start : -_CHECKSUM.size]
    if headers.get(":message-type") == "error":
        payload = dump_json({"message": headers.get(":error-message", "")}).encode()
    with suppress(ValueError):  # what `invoke_model_with_response_stream` wraps is the model's own
        wrapped = as_str(as_dict(load_json(payload)).get("bytes"))
        payload = b64decode(wrapped, validate=True) or payload
    is_error = headers.get(":message-type") in ("error", "exception")
    type_ = "error" if is_error else headers.get(":event-type") or "message"
    return type_, payload.decode("utf-8", "replace"), load_json(payload)


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
    """Read the headers; all that matter are strings, and one that is none ends them."""
    found = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        if data[name_end : name_end + 1] != bytes([_STRING]):
            break
        value = name_end + 3
        end = value + int.from_bytes(data[name_end + 1 : value], "big")
        name, text = data[at + 1 : name_end], data[value:end]
        found[name.decode("utf-8", "replace")] = text.decode("utf-8", "replace")
        at = end
    return found
