"""Amazon's binary event streams, as bedrock sends them.

A message is its length and that of its headers, a checksum of the two, the headers, the payload,
and a checksum of it all; numbers are big-endian.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
from base64 import b64decode
from binascii import crc32
from typing import NamedTuple

from aquila_cassette.dialects.lenient import Table, as_dict, as_str, dump_json, load_json

__all__ = [
    "CONTENT_TYPE",
    "Binary",
    "is_whole",
    "meaning",
    "payload_at",
    "reframed",
    "split",
]

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_FRAME = _PRELUDE.size + _CHECKSUM.size
_LARGEST = 24 * 1024 * 1024
_STRING = 7
# How many bytes the values of the other types have: true, false, byte, short, integer, long, then
# bytes of any number, a timestamp and a UUID.
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class Binary(NamedTuple):
    """One message.

    Args:
        type: Its event type; ``error`` for an exception.
        data: Its payload as text; of a payload that wraps another (``{"bytes": ...}``), that one.
        json: That parsed; None where it is no JSON.
    """

    type: str
    data: str
    json: object


def split(body: bytes) -> list[bytes]:
    r"""Cut a stream into its messages; joined, they are the stream.

    Args:
        body: The stream, whole or cut off; what is no message is the rest.

    Example:
        >>> message = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff"
        >>> split(message + b"\x00\x00") == [message, b"\x00\x00"]
        True
    """
    found = []
    at = 0
    while (size := _size(body, at)) and at + size <= len(body):
        found.append(body[at : at + size])
        at += size
    return found + ([body[at:]] if at < len(body) else [])


def is_whole(raw: bytes) -> bool:
    """Tell whether `raw` is one message, by its length.

    Args:
        raw: A part that `split` gave.
    """
    return bool(raw) and _size(raw, 0) == len(raw)


def meaning(raw: bytes) -> Binary | None:
    r"""Read one message; None where it is none, or damaged.

    Args:
        raw: A part that `split` gave.

    Example:
        >>> meaning(b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff")
        Binary(type='message', data='', json=None)
        >>> meaning(b"\x00\x00\x00\x10") is None
        True
    """
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
        told = {"message": headers.get(":error-message") or headers.get(":error-code", "")}
        return Binary("error", dump_json(told), told)
    payload = _wrapped(as_dict(load_json(payload))) or payload
    event = headers.get(":event-type") or "message"
    if headers.get(":message-type") == "exception":
        event = "error"
    return Binary(event, payload.decode("utf-8", "replace"), load_json(payload))


def payload_at(raw: bytes) -> int:
    """Tell where the payload of a message begins; its end where it is none.

    Args:
        raw: A part that `split` gave.
    """
    if not is_whole(raw):
        return len(raw)
    return _PRELUDE.size + int.from_bytes(raw[4:8], "big")


def reframed(raw: bytes) -> bytes:
    r"""Give a message whose payload was changed the length and the checksums that it has now.

    Args:
        raw: The message, its length and checksums as they were.

    Example:
        >>> message = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2H\xeb}\x98\xc8\xff"
        >>> reframed(message) == message
        True
    """
    sizes = len(raw).to_bytes(4, "big") + raw[4:8]
    message = sizes + _CHECKSUM.pack(crc32(sizes)) + raw[_PRELUDE.size : -_CHECKSUM.size]
    return message + _CHECKSUM.pack(crc32(message))


def _size(body: bytes, at: int) -> int:
    """Tell how long the message at `at` is; 0 where there is none."""
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
    """Give the model's own event, which `invoke_model_with_response_stream` wraps."""
    try:
        return b64decode(as_str(payload.get("bytes")), validate=True)
    except ValueError:
        return b""
