"""The file that a recorded answer is read from: HTTP again, made of its pieces as they are read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from http.client import responses
from typing import Any

from aquila_cassette.dialects.framing import framing
from aquila_cassette.http import pacing
from aquila_cassette.http.http_client.errors import is_a_cut
from aquila_cassette.model import Response
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.stepped_player import SteppedPlayer

__all__ = ["played_file"]

_BUFFER = 65536
_FRAMING = ("content-length", "transfer-encoding")
_MORE = re.compile(r"(\d+) more expected")


def played_file(replay: Player, make_error: MakeError) -> io.BufferedReader:
    """Make the file that http.client reads the recorded answer from.

    A stream comes in chunks, one a piece, so that whoever reads chunk by chunk gets its pieces.
    A body that came whole has its length. The reason phrase is the status's own.

    Args:
        replay: What is played.
        make_error: Makes the errors that it may end in.
    """
    return io.BufferedReader(_PlayedRaw(replay, make_error), _BUFFER)


class _PlayedRaw(io.RawIOBase):
    def __init__(self, replay: Player, make_error: MakeError) -> None:
        self._replay = replay
        self._make_error = make_error
        self._waiting = memoryview(b"")
        self._parts = self._play()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._waiting:
            self._waiting = memoryview(next(self._parts, b""))
        size = min(len(buffer), len(self._waiting))
        buffer[:size] = self._waiting[:size]
        self._waiting = self._waiting[size:]
        return size

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        replay = self._replay
        if isinstance(replay, SteppedPlayer):
            replay.close()
        else:
            replay.finished()

    def _play(self) -> Iterator[bytes]:
        replay = self._replay
        response = replay.interaction.response
        chunked = _comes_in_chunks(response)
        if response.status is not None:
            yield self._head(response.status, chunked=chunked)
            for data in self._held() if isinstance(replay, SteppedPlayer) else self._pieces():
                yield b"%x\r\n%b\r\n" % (len(data), data) if chunked else data
        error = response.error
        if error is not None and error.type == "InvalidChunkLengthError" and chunked:
            yield error.message.encode("latin-1") + b"\r\n"
            return
        if error is not None and error.type is not None and is_a_cut(error.type):
            return  # the library finds that by itself
        replay.raise_ending(self._make_error)
        if chunked:
            yield b"0\r\n\r\n"

    def _head(self, status: int, *, chunked: bool) -> bytes:
        interaction = self._replay.interaction
        response = interaction.response
        version = "HTTP/1.0" if response.http_version == "HTTP/1.0" else "HTTP/1.1"
        lines = [f"{version} {status} {responses.get(status, '')}"]
        for name, value in self._replay.headers:
            if name not in _FRAMING:
                lines.append(f"{name}: {value}")
        if chunked:
            lines.append("transfer-encoding: chunked")
        elif status not in (204, 304) and interaction.request.method != "HEAD":
            lines.append(f"content-length: {len(response.body) + (_missing(response) or 0)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _pieces(self) -> Iterator[bytes]:
        replay = self._replay
        replay.add_reader()
        for piece in replay.pieces:
            if replay.speed:
                pacing.wait(replay.piece_delay(piece))
            yield piece.data

    def _held(self) -> Iterator[bytes]:
        replay = self._replay
        assert isinstance(replay, SteppedPlayer)
        replay.begin()
        while step := replay.take():
            yield step


def _missing(response: Response) -> int | None:
    """Tell how many bytes did not come of those that were promised; None if none was promised."""
    error = response.error
    if error is None or error.type != "IncompleteRead":
        return None
    found = _MORE.search(error.message)
    return int(found[1]) if found else None


def _comes_in_chunks(response: Response) -> bool:
    if _missing(response) is not None:
        return False
    if response.ended != "complete" or len(response.pieces) > 1:
        return True
    kind = response.header("content-type")
    return framing(kind, response.body) != "json"
