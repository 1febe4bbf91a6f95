"""Request bodies for aiohttp: read before they are sent, and still there to be sent."""

from __future__ import annotations

from typing import Any

from aiohttp import payload
from aiohttp.abc import AbstractStreamWriter

__all__ = ["read"]


async def read(request: Any) -> bytes:
    """Give the body of `request` as it will be sent, before any compression or chunking.

    A body that can be read but once (a file, a generator, a form) is put back as bytes.

    Args:
        request: A ``ClientRequest`` that was not sent yet.
    """
    body = request.body
    if not body:
        return b""
    ear = _Ear()
    await body.write(ear)
    data = b"".join(ear.chunks)
    if not isinstance(body, payload.BytesPayload | ReadBody):
        _replace(request, ReadBody(data, headers=body.headers))
        close = getattr(body, "close", None)  # since aiohttp 3.12; before, writing closed it
        if close is not None:
            await close()
    return data


def _replace(request: Any, body: payload.Payload) -> None:
    """Put in `body`, and leave the headers that told of the one before."""
    is_property = isinstance(getattr(type(request), "body", None), property)
    setattr(request, "_body" if is_property else "body", body)


class ReadBody(payload.Payload):
    """A body that was read; unlike aiohttp's own bytes it may be large without a warning."""

    _autoclose = True

    def __init__(self, value: bytes, **options: Any) -> None:
        super().__init__(value, **options)
        self._size = len(value)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Give it as text."""
        value: bytes = self._value
        return value.decode(encoding, errors)

    async def as_bytes(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """Give it as it is."""
        value: bytes = self._value
        return value

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it whole."""
        await writer.write(self._value)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write so many bytes of it."""
        await writer.write(self._value[:content_length])


class _Ear(AbstractStreamWriter):
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        self.chunks.append(bytes(chunk))

    async def write_eof(self, chunk: bytes = b"") -> None:
        self.chunks.append(bytes(chunk))

    async def drain(self) -> None:
        """Do nothing: nothing is buffered."""

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None:
        """Do nothing: a part of a form compresses itself before it comes here."""

    def enable_chunking(self) -> None:
        """Do nothing: chunks are joined here."""

    async def write_headers(self, status_line: str, headers: Any) -> None:
        """Do nothing: only the body is of interest."""
