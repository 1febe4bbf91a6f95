"""A request as http.client writes it to its socket: collected to its end, and parsed."""

from __future__ import annotations

import re
from functools import cached_property

from aquila_cassette.model import Headers

__all__ = ["SentRequest", "chunk_size"]

_HEX = re.compile(rb"[0-9a-fA-F]+")


def chunk_size(line: bytes) -> int | None:
    """Return the size that the first line of a chunk states, or None if it states none.

    >>> chunk_size(b"1a;name=value"), chunk_size(b"-5"), chunk_size(b"0x5")
    (26, None, None)
    """
    size = line.partition(b";")[0].strip()
    return int(size, 16) if _HEX.fullmatch(size) else None


class SentRequest:
    r"""The bytes of one request, as they are sent.

    >>> sent = SentRequest()
    >>> sent.add(b"POST /chat HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
    >>> sent.is_whole
    False
    >>> sent.add(b"hi")
    >>> sent.is_whole, sent.method, sent.target, sent.body
    (True, 'POST', '/chat', b'hi')
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head_end = -1
        self._next_chunk = 0
        self._chunks: list[bytes] = []

    def add(self, data: bytes) -> None:
        self._bytes += data
        if self._head_end < 0:
            self._head_end = self._bytes.find(b"\r\n\r\n")
            self._next_chunk = self._head_end + 4

    @property
    def is_whole(self) -> bool:
        """Whether the request is complete, as its own framing says."""
        if self._head_end < 0:
            return False
        if self._is_chunked:
            return self._has_last_chunk()
        length = self.header("content-length") or "0"
        return len(self._bytes) - self._head_end - 4 >= (int(length) if length.isdigit() else 0)

    @property
    def method(self) -> str:
        return self._line[0]

    @property
    def target(self) -> str:
        """What is asked for: a path, or a whole URL where a proxy is asked."""
        return self._line[1]

    @cached_property
    def headers(self) -> Headers:
        found: list[tuple[str, str]] = []
        for line in self._head.split("\r\n")[1:]:
            if line[:1] in (" ", "\t") and found:
                name, value = found.pop()
                found.append((name, f"{value} {line.strip()}"))
            else:
                name, _, value = line.partition(":")
                found.append((name.strip().lower(), value.strip()))
        return tuple(found)

    def header(self, name: str) -> str | None:
        """Return the first value of header `name` (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def body(self) -> bytes:
        """The body, chunks joined."""
        if self._is_chunked:
            self._has_last_chunk()
            return b"".join(self._chunks)
        return bytes(self._bytes[self._head_end + 4 :])

    def raw(self) -> bytes:
        """Return the bytes as they were sent."""
        return bytes(self._bytes)

    def uncompressed(self) -> bytes:
        """Return the bytes, asking for a body as it is, so that each piece can be read as it comes.

        What is part of a signature stays.
        """
        asked = self.header("accept-encoding")
        if asked in (None, "identity") or "accept-encoding" in (self.header("authorization") or ""):
            return self.raw()
        lines = bytes(self._bytes[: self._head_end]).split(b"\r\n")
        kept = [
            b"Accept-Encoding: identity" if line.lower().startswith(b"accept-encoding:") else line
            for line in lines
        ]
        return b"\r\n".join(kept) + bytes(self._bytes[self._head_end :])

    @cached_property
    def _head(self) -> str:
        return self._bytes[: self._head_end].decode("latin-1")

    @cached_property
    def _line(self) -> tuple[str, str]:
        method, _, rest = self._head.partition("\r\n")[0].partition(" ")
        return method.upper(), rest.rpartition(" ")[0]

    @property
    def _is_chunked(self) -> bool:
        return "chunked" in (self.header("transfer-encoding") or "").lower()

    def _has_last_chunk(self) -> bool:
        """Read on through the whole chunks, and return whether the last one was there."""
        while True:
            line_end = self._bytes.find(b"\r\n", self._next_chunk)
            if line_end < 0:
                return False
            size = chunk_size(bytes(self._bytes[self._next_chunk : line_end]))
            if size is None:
                return False
            if size == 0:
                return self._bytes.find(b"\r\n\r\n", line_end) >= 0
            start, end = line_end + 2, line_end + 2 + size
            if end + 2 > len(self._bytes):
                return False
            self._chunks.append(bytes(self._bytes[start:end]))
            self._next_chunk = end + 2
