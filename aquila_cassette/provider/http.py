"""As much of HTTP/1.1 as a provider's stand-in needs, on asyncio's streams."""

from __future__ import annotations

import asyncio
import http
import json
import socket
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
"""The date of every answer, so that equal requests get equal bytes."""

_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """One request, its body whole; header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Give the body's JSON; None where it has none, or none that can be read."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Peer:
    """One connection from a client; raises ConnectionError or EOFError once that has gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # A drain then waits until the kernel has all of it: one send a frame.
        writer.transport.set_write_buffer_limits(0)

    async def request(self) -> Request:
        """Read the next request.

        Raises:
            EOFError: The client has closed the connection.
            ConnectionError: It has broken it, or what came is not HTTP.
        """
        try:
            return await self._request()
        except (ValueError, asyncio.LimitOverrunError) as error:
            message = "what came is not HTTP"
            raise ConnectionError(message) from error

    async def _request(self) -> Request:
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip().split("\r\n")
        method, target, _ = first.split(" ")
        pairs = [line.partition(":") for line in lines]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        url = urlsplit(target)
        body = await self._body(headers)
        return Request(method, url.path, parse_qs(url.query), headers, body)

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self._reader.readexactly(int(headers.get("content-length", "0")))
        body = b""
        while size := int((await self._reader.readline()).partition(b";")[0], 16):
            body += await self._reader.readexactly(size)
            await self._reader.readline()
        while await self._reader.readline() not in (b"\r\n", b""):
            pass
        return body

    async def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status line and `headers`."""
        reason = _REASONS.get(status, "Unknown")
        fields = {"date": DATE, "server": "aquila-cassette-provider", **headers}
        lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in fields.items())]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def send(self, data: bytes) -> None:
        """Send `data` and wait until it is on its way."""
        self._writer.write(data)
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Send `data` as one chunk of a chunked body; none of it ends the body."""
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def gone(self) -> None:
        """Wait until the client closes the connection."""
        while await self._reader.read(4096):
            pass

    def reset(self) -> None:
        """Break the connection (RST in place of FIN)."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._writer.transport.abort()


_REASONS = {status.value: status.phrase for status in http.HTTPStatus}
