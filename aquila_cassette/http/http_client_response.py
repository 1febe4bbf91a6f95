"""The file objects from which http.client reads a live or a replayed response."""

from __future__ import annotations

import builtins
import http.client
import io
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import Any

from aquila_cassette.http.dispatcher import make_error
from aquila_cassette.model import Failure, Response
from aquila_cassette.session.player import MakeError, Player, has_body
from aquila_cassette.session.recorder import Recorder

_CHUNK_SIZE = re.compile(rb"\s*([0-9a-fA-F]+)\s*(?:;.*)?", re.DOTALL)
BUFFER = 65536


class InvalidChunkLengthError(Exception):
    """A server sent a chunk size that is no length; each library reports it in its own way."""


class RecordedRaw(io.RawIOBase):
    """Reads off a socket what http.client asks for, and notes the pieces of the body.

    A piece is one chunk of chunked transfer, or as much of it as one read off the socket brings.
    """

    def __init__(self, raw: Any, recorder: Recorder) -> None:
        self._raw: Any = raw  # None while `begin_body` peeks
        self._recorder = recorder
        self._body: FramedBody | None = None

    def readable(self) -> bool:
        return True

    def begin_body(self, file: Any, *, chunked: bool, length: int | None) -> None:
        """Take what comes from now on for the body, and what `file` has buffered of it."""
        raw, self._raw = self._raw, None
        came = file.peek()
        self._raw = raw
        self._body = FramedBody(chunked=chunked, length=length)
        self._recorder.add_reader()
        self._note(came)

    def readinto(self, buffer: Any, /) -> int | None:
        if self._raw is None:
            return None  # to `peek`: nothing has come yet
        try:
            size: int | None = self._raw.readinto(buffer)
        except BaseException as error:
            if self._body is not None:
                self._recorder.__exit__(type(error), error, None)
            raise
        if size:
            self._note(bytes(buffer[:size]))
        elif size == 0:
            self._note_end()
        return size

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._raw.close()
            if self._body is not None:
                self._recorder.closed()  # unless it ended before

    def _note(self, data: bytes) -> None:
        body, recorder = self._body, self._recorder
        if body is None:
            return
        for piece in body.consume(data):
            recorder.add_piece(piece)
        if body.malformed is not None:
            recorder.failed(InvalidChunkLengthError(body.malformed))
        elif body.is_over:
            recorder.body_ended()

    def _note_end(self) -> None:
        body, recorder = self._body, self._recorder
        if body is not None and body.left is None:
            recorder.body_ended()
        elif body is not None:
            # Of a chunk, what came of it is named; if it was whole, nobody knows what was to come.
            came = body.chunk_size - body.left if body.is_chunked and body.left else 0
            left = body.left if came or not body.is_chunked else None
            recorder.failed(http.client.IncompleteRead(bytes(came), left))


class FramedBody:
    """Tells the pieces of a body from the framing between them."""

    def __init__(self, *, chunked: bool, length: int | None) -> None:
        self.is_chunked = chunked
        self.chunk_size = 0
        self.left = 0 if chunked else length  # of this chunk, or of all; None: to the stream's end
        self._line = b""
        self._after_a_chunk = False
        self.is_over = length == 0 and not chunked
        self.malformed: str | None = None
        """What came in the place of a chunk size, if it is no number."""

    def consume(self, data: bytes) -> Iterator[bytes]:
        """Take what came, and give the pieces in it."""
        while data and not self.is_over:
            if self.left == 0:
                data = self._framing(data)
                continue
            size = len(data) if self.left is None else min(len(data), self.left)
            piece, data = data[:size], data[size:]
            if self.left is not None:
                self.left -= size
                self.is_over = self.left == 0 and not self.is_chunked
            yield piece

    def _framing(self, data: bytes) -> bytes:
        """Take what stands between two chunks, and return the rest."""
        line, newline, rest = data.partition(b"\n")
        self._line += line
        if newline:
            if not self._after_a_chunk:
                found = _CHUNK_SIZE.fullmatch(self._line)
                if found is None:
                    self.malformed = self._line.strip().decode("latin-1")
                self.left = self.chunk_size = int(found[1], 16) if found else 0
                self.is_over = not self.left
            self._after_a_chunk = not self._after_a_chunk
            self._line = b""
        return rest


# Replay: HTTP again, made of the pieces as they are read.

_MORE = re.compile(r"(\d+) bytes read, (\d+) more expected")


class ReplayedRaw(io.RawIOBase):
    """What http.client reads of a recorded response.

    A stream comes in chunks, one a piece, so that a reader that reads chunk by chunk gets its
    pieces. A body that came whole has its length.
    """

    def __init__(self, player: Player, make_error: MakeError) -> None:
        self._player = player
        self._make_error = make_error
        self._waiting = memoryview(b"")
        self._parts = self._replay()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        __tracebackhide__ = True
        if not self._waiting:
            self._waiting = memoryview(next(self._parts, b""))
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._player.close()

    def _replay(self) -> Iterator[bytes]:
        __tracebackhide__ = True
        player, response = self._player, self._player.interaction.response
        chunked = _comes_in_chunks(response)
        if response.status is not None:
            yield self._head(response.status, chunked=chunked)
        cut, missing = _missing(response) if chunked else (0, 0)
        left = len(response.body)
        try:
            for data in player.replay(self._make_error):
                if not chunked or left < cut:
                    yield data
                elif left == cut:
                    yield b"%x\r\n%b" % (left + missing, data)
                else:
                    yield b"%x\r\n%b\r\n" % (len(data), data)
                left -= len(data)
        except _FoundByTheLibraryError:
            error = response.error
            if error is not None and error.type == "InvalidChunkLengthError" and chunked:
                yield error.message.encode("latin-1") + b"\r\n"
            return
        if chunked:
            yield b"0\r\n\r\n"

    def _head(self, status: int, *, chunked: bool) -> bytes:
        interaction = self._player.interaction
        response = interaction.response
        version = "HTTP/1.0" if response.http_version == "HTTP/1.0" else "HTTP/1.1"
        lines = [f"{version} {status} {response.reason_phrase}"]
        lines += [f"{name}: {value}" for name, value in self._player.headers]
        if chunked:
            lines.append("transfer-encoding: chunked")
        elif response.header("content-length") is None and has_body(interaction):
            lines.append(f"content-length: {len(response.body) + sum(_missing(response))}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _missing(response: Response) -> tuple[int, int]:
    """Return how much came of a chunk that was cut, and of that or the body how much did not."""
    error = response.error
    if error is None or error.type != "IncompleteRead":
        return 0, 0
    found = _MORE.search(error.message)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _comes_in_chunks(response: Response) -> bool:
    is_whole = response.ended == "complete" and len(response.pieces) < 2
    cut, missing = _missing(response)
    has_length = response.header("content-length") is not None or (missing and not cut)
    return not (is_whole or has_length)


# Failures.


class _FoundByTheLibraryError(Exception):
    """The response breaks off: http.client finds that by itself."""


def error_of(connection: Any, player: Player, failure: Failure) -> Exception | None:
    """Make the exception that a connection of http.client or of its users would raise."""
    has_begun = player.interaction.response.status is not None
    if not has_begun and failure.type in ("BadStatusLine", "LineTooLong"):
        error: Exception = getattr(http.client, failure.type)(failure.message)
        error.args = (failure.message,)
        return error
    if failure.category in ("closed", "protocol"):
        return _FoundByTheLibraryError()
    modules = _modules_of(connection)
    return make_error(failure, builtins, http.client, socket, ssl, *modules)


def _modules_of(connection: Any) -> list[Any]:
    """List where the library of `connection` may have its exceptions."""
    names = []
    for cls in type(connection).__mro__:
        package = cls.__module__.rpartition(".")[0] or cls.__module__
        names += [f"{package}.exceptions", f"{package}.error", package]
    return [sys.modules[name] for name in names if name in sys.modules]
