"""The file that an answer is read from while it is recorded."""

from __future__ import annotations

import io
from http.client import IncompleteRead
from typing import Any, Protocol

from aquila_cassette.http.http_client.request_parser import chunk_size
from aquila_cassette.session.recorder import Recorder

__all__ = ["InvalidChunkLengthError", "LiveFile"]

_READ = 65536


class InvalidChunkLengthError(Exception):
    """A server sent a chunk size that is no length. Libraries notice it in ways of their own."""


class LiveFile(io.BufferedIOBase):
    """Reads off a socket what http.client asks for, and notes the pieces of the body.

    A piece is one chunk of chunked transfer, else one read off the socket: what of it has come is
    noted as soon as its first byte is consumed. What was not asked for is not noted.

    Args:
        raw: The socket's unbuffered file.
        recording: Takes the pieces and the end.
    """

    def __init__(self, raw: Any, recording: Recorder) -> None:
        self._raw = raw
        self._recording = recording
        self._buffer = bytearray()
        self._at_eof = False
        self._body: _Body | None = None
        self._attended = False

    def begin(self, *, chunked: bool, length: int | None) -> None:
        """Take what is read from now on for the body.

        Args:
            chunked: Whether it comes in chunks.
            length: Its bytes, where that is known.
        """
        self._body = _Chunked() if chunked else _Plain(length)
        if self._body.over:
            self._recording.body_ended()

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or all there are; fewer only at the end."""
        self._attend()
        wanted = -1 if size is None else size
        if wanted < -1:  # as io.BufferedReader: urllib3 passes on what a server says of a chunk
            raise ValueError("read length must be non-negative or -1")
        while (wanted < 0 or len(self._buffer) < wanted) and self._fill():
            pass
        return self._take(len(self._buffer) if wanted < 0 else wanted)

    def read1(self, size: int = -1, /) -> bytes:
        """Read what is there, with one read off the socket at most."""
        self._attend()
        if size and not self._buffer:
            self._fill()
        return self._take(len(self._buffer) if size < 0 else size)

    def readinto(self, buffer: Any, /) -> int:
        """Read into `buffer` until it is full; fewer bytes only at the end."""
        return self._into(buffer, self.read)

    def readinto1(self, buffer: Any, /) -> int:
        """Read into `buffer`, with one read off the socket at most."""
        return self._into(buffer, self.read1)

    def readline(self, limit: int | None = -1, /) -> bytes:
        """Read a line, or so many bytes of it."""
        self._attend()
        most = -1 if limit is None else limit
        searched = 0
        while (end := self._buffer.find(b"\n", searched) + 1) == 0:
            searched = len(self._buffer)
            if 0 <= most <= searched or not self._fill():
                end = searched
                break
        return self._take(end if most < 0 else min(end, most))

    def peek(self, _size: int = 0, /) -> bytes:
        """Show what is there, and consume nothing."""
        if not self._buffer:
            self._fill()
        return bytes(self._buffer)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def fileno(self) -> int:
        """Give the socket's descriptor."""
        number: int = self._raw.fileno()
        return number

    def close(self) -> None:
        """Close it; a body that was not read to its end was closed by its consumer."""
        if self.closed:
            return
        try:
            super().close()
        finally:
            if self._body is not None:
                self._recording.closed()
            self._raw.close()

    def _attend(self) -> None:
        if self._body is not None and not self._attended:
            self._attended = True
            self._recording.add_reader()

    def _fill(self) -> bool:
        """Read off the socket once; tell whether anything came."""
        if self._at_eof:
            return False
        try:
            data = self._raw.read(_READ)
        except BaseException as error:
            if self._body is not None:
                self._recording.__exit__(type(error), error, None)
            raise
        self._at_eof = not data
        self._buffer += data or b""
        return bool(data)

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        if self._body is not None and not self._recording.over:
            for piece in self._body.consume(data, self._buffer):
                self._recording.add_piece(piece)
            if self._body.malformed is not None:
                self._recording.failed(InvalidChunkLengthError(self._body.malformed))
            elif self._body.over:
                self._recording.body_ended()
            elif self._at_eof and not self._buffer:
                self._end(self._body.missing)
        return data

    def _end(self, missing: int | None) -> None:
        if missing is None:
            self._recording.body_ended()
        else:
            self._recording.failed(IncompleteRead(b"", missing or None))

    def _into(self, buffer: Any, read: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = read(len(view))
        view[: len(data)] = data
        return len(data)


class _Body(Protocol):
    """Tells pieces from what else is consumed."""

    over: bool
    """Whether all of the body was consumed."""

    malformed: str | None
    """The line where a chunk size belongs and none stands, once it was consumed."""

    def consume(self, data: bytes, rest: bytearray) -> list[bytes]:
        """Take what is consumed, and what else has come; give the pieces that were begun."""
        ...

    @property
    def missing(self) -> int | None:
        """How many bytes are missing if the stream ends now: 0 if unknown, None if none is."""
        ...


class _Run:
    """A run of body bytes, and how far ahead of their consumption they were noted.

    Args:
        left: How many there are to come; None if nobody knows.
    """

    def __init__(self, left: int | None) -> None:
        self.left = left
        self._noted = 0

    def consume(self, data: bytes, rest: bytearray) -> bytes:
        """Take consumed bytes of this run, and what has come after them; give what is new."""
        if self.left is not None:
            self.left -= len(data)
        new = b""
        if len(data) > self._noted:
            new = data[self._noted :] + bytes(rest[: self.left])
            self._noted += len(new)
        self._noted -= len(data)
        return new


class _Plain:
    malformed: str | None = None

    def __init__(self, length: int | None) -> None:
        self._run = _Run(length)
        self.over = length == 0

    def consume(self, data: bytes, rest: bytearray) -> list[bytes]:
        new = self._run.consume(data, rest)
        self.over = self._run.left == 0
        return [new] if new else []

    @property
    def missing(self) -> int | None:
        return self._run.left


class _Chunked:
    def __init__(self) -> None:
        self.over = False
        self.missing: int | None = 0
        self.malformed: str | None = None
        self._run: _Run | None = None
        self._line = b""

    def consume(self, data: bytes, rest: bytearray) -> list[bytes]:
        pieces = []
        view = data
        while view and not self.over:
            if self._run is not None and self._run.left:
                size = self._run.left
                ahead = rest if len(view) <= size else bytearray(view[size:])
                pieces.append(self._run.consume(view[:size], ahead))
                view = view[size:]
                continue
            line, newline, view = view.partition(b"\n")
            self._line += line + newline
            if newline:
                self._framing(self._line.strip())
                self._line = b""
        return [piece for piece in pieces if piece]

    def _framing(self, line: bytes) -> None:
        if self._run is not None:  # the end of a chunk
            self._run = None
            return
        size = chunk_size(line)
        if size is None:
            self.malformed = line.decode("latin-1")
        self._run = _Run(size or 0)
        self.over = not size
