"""A request as http.client writes it to its socket: collected to its end, and parsed."""

from __future__ import annotations

import re

from aquila_cassette.model import Headers

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

    method = ""
    target = ""
    """What is asked for: a path, or a whole URL where a proxy is asked."""
    headers: Headers = ()
    is_whole = False
    _is_chunked = False

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._body_start = 0  # while the headers are not whole
        self._next_chunk = 0
        self._chunks: list[bytes] = []

    def add(self, data: bytes) -> None:
        self._bytes += data
        if not self._body_start and (head_end := self._bytes.find(b"\r\n\r\n")) >= 0:
            self._body_start = self._next_chunk = head_end + 4
            self._parse(self._bytes[:head_end].decode("latin-1"))
        if self._is_chunked:
            self.is_whole = self._has_last_chunk()
        elif self._body_start:
            length = self.header("content-length") or "0"
            came = len(self._bytes) - self._body_start
            self.is_whole = came >= (int(length) if length.isdigit() else 0)

    def header(self, name: str) -> str | None:
        """Return the first value of header `name` (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def body(self) -> bytes:
        """The body, chunks joined."""
        return (
            b"".join(self._chunks) if self._is_chunked else bytes(self._bytes[self._body_start :])
        )

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
        lines = bytes(self._bytes[: self._body_start]).split(b"\r\n")
        kept = [
            b"Accept-Encoding: identity" if line.lower().startswith(b"accept-encoding:") else line
            for line in lines
        ]
        return b"\r\n".join(kept) + bytes(self._bytes[self._body_start :])

    def _parse(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        method, _, rest = first.partition(" ")
        self.method = method.upper()
        self.target = rest.rpartition(" ")[0]
        headers: list[tuple[str, str]] = []
        for line in lines:
            if line[:1] in (" ", "\t") and headers:  # the line before goes on
                name, value = headers.pop()
                headers.append((name, f"{value} {line.strip()}"))
            else:
                name, _, value = line.partition(":")
                headers.append((name.strip().lower(), value.strip()))
        self.headers = tuple(headers)
        self._is_chunked = "chunked" in (self.header("transfer-encoding") or "").lower()

    def _has_last_chunk(self) -> bool:
        """Read on through the whole chunks, and return whether the last one was there."""
        while (line_end := self._bytes.find(b"\r\n", self._next_chunk)) >= 0:
            size = chunk_size(bytes(self._bytes[self._next_chunk : line_end]))
            if size == 0:
                return self._bytes.find(b"\r\n\r\n", line_end) >= 0
            start = line_end + 2
            if size is None or start + size + 2 > len(self._bytes):
                return False
            self._chunks.append(bytes(self._bytes[start : start + size]))
            self._next_chunk = start + size + 2
        return False
