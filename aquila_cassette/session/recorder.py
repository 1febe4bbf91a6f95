"""Recording one response, a piece at a time, without ever standing in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aquila_cassette.content_encoding import decode_pieces
from aquila_cassette.dialects import ending
from aquila_cassette.model import (
    Ended,
    Failure,
    Headers,
    Interaction,
    Piece,
    Request,
    Response,
)
from aquila_cassette.session.failures import failure_of
from aquila_cassette.session.progress import Progress

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session
    from aquila_cassette.waiting.open_streams import OpenStream

__all__ = ["Recorder"]

_NOT_OF_THE_BODY = ("content-encoding", "content-length", "transfer-encoding")


class Recorder:
    """The response to one request while it passes by; the first of its ends to come wins.

    A head calls `respond` when the headers came, `piece` for each read off the wire, and `eof` or
    `closed`; it reads inside ``with recording:``, which notes what is raised. Each is cheap: what a
    recording means (its end, its encoding, its secrets) is worked out when it is asked for, off the
    consumer's way.

    Args:
        cassette: The open cassette that records.
        request: The request, redacted.
        order: Its place among the requests of this cassette.
    """

    def __init__(self, cassette: Session, request: Request, order: int) -> None:
        self.cassette = cassette
        self.request = request
        self.order = order
        self.stream: OpenStream | None = None
        self._recorded_by = cassette.owner.signature
        self._started = time.perf_counter()
        self._started_at = datetime.now(UTC)
        self._pieces: list[tuple[float, bytes]] = []
        self._status: int | None = None
        self._headers: Headers = ()
        self._http_version = "HTTP/1.1"
        self._headers_after: int | None = None
        self._signal: Callable[[], tuple[Ended, Failure | None]] | None = None
        # Reentrant: while it is held, the garbage collector may close the stream that is recorded.
        self._lock = threading.RLock()
        self._kept: tuple[Interaction | None] | None = None

    @property
    def over(self) -> bool:
        """Whether it ended; nothing is recorded after that."""
        return self._signal is not None

    def start_response(self, status: int, headers: Headers, http_version: str) -> None:
        """Take the head of the response: it came now."""
        self._status = status
        self._headers = headers
        self._http_version = http_version
        self._headers_after = self._ms(time.perf_counter())

    def add_piece(self, data: bytes) -> None:
        """Take one piece that the consumer is about to be given."""
        if data and self._signal is None:
            self._pieces.append((time.perf_counter(), bytes(data)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Note what ended the reading, if anything did: the transport, or the consumer."""
        if isinstance(error, Exception):
            self.failed(error)
        elif error is not None:  # cancelled, or a generator that was closed or let go
            self.closed()

    def body_ended(self) -> None:
        """The transport read to the end of the body."""
        self._finish(self._at_eof)

    def closed(self) -> None:
        """The consumer closed it, was cancelled, or let it go."""
        self._finish(self._at_close)

    def failed(self, error: Exception) -> None:
        """The transport raised `error`."""
        failure = failure_of(error)
        self._finish(lambda: self._at_failure(failure))

    def add_reader(self) -> None:
        """Note that this task or thread begins to read the body."""
        self.cassette.streams.add_reader(self.stream)

    def interaction(self) -> Interaction | None:
        """Give what is to be kept, redacted; None where a hook dropped it."""
        with self._lock:
            if self._kept is None:
                self._kept = (self.cassette.before_record(self._build()),)
            return self._kept[0]

    def answer(self) -> Interaction:
        """Give what came, redacted, whether it is to be kept or not."""
        return self.interaction() or self.cassette.redacted(self._build())

    def progress(self) -> Progress:
        """Say how far it was read."""
        return Progress(self._header("content-type"), self._body())

    def _finish(self, signal: Callable[[], tuple[Ended, Failure | None]]) -> None:
        with self._lock:
            if self._signal is not None:
                return
            self._signal = signal
        self.cassette.ended(self)

    def _build(self) -> Interaction:
        assert self._signal is not None, "asked for what is not over yet"
        ended, error = self._signal()
        headers, pieces = self._decoded()
        return Interaction(
            request=self.request,
            response=Response(
                status=self._status,
                headers=headers,
                pieces=pieces,
                headers_after=self._headers_after,
                http_version=self._http_version,
                ended=ended,
                error=error,
            ),
            recorded_at=self._started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            recorded_by=self._recorded_by,
        )

    def _decoded(self) -> tuple[Headers, tuple[Piece, ...]]:
        data, left = self._data()
        headers = tuple(pair for pair in self._headers if pair[0] not in _NOT_OF_THE_BODY)
        if left:
            headers = (*headers, ("content-encoding", left))
        timed = zip(self._pieces, data, strict=True)
        return headers, tuple(Piece(self._ms(at), part) for (at, _), part in timed if part)

    # The ends, in the order of docs/endings.md: a terminal event wins over whatever came after.

    def _at_eof(self) -> tuple[Ended, Failure | None]:
        found = ending(self._header("content-type"), self._body())
        if found.complete_at_eof:
            return "complete", None
        return "failed", Failure(None, f"the stream ended without its {found.expected}")

    def _at_close(self) -> tuple[Ended, Failure | None]:
        if self._status is None:
            return "closed", None
        whole = self._has_all_bytes() or ending(self._header("content-type"), self._body()).terminal
        return ("complete" if whole else "closed"), None

    def _at_failure(self, failure: Failure) -> tuple[Ended, Failure | None]:
        found = ending(self._header("content-type"), self._body())
        return ("complete", None) if found.terminal else ("failed", failure)

    def _has_all_bytes(self) -> bool:
        if self.request.method == "HEAD" or self._status in (204, 304):
            return True
        length = self._header("content-length")
        came = sum(len(data) for _, data in self._pieces)
        return length is not None and length.isdigit() and came >= int(length)

    def _body(self) -> bytes:
        return b"".join(self._data()[0])

    def _data(self) -> tuple[list[bytes], str | None]:
        """Give the pieces decoded, and the content encoding that could not be taken off."""
        data = [data for _, data in self._pieces]
        encoding = self._header("content-encoding")
        if not encoding:
            return data, None
        decoded = decode_pieces(encoding, data)
        return (data, encoding) if decoded is None else (decoded, None)

    def _header(self, name: str) -> str | None:
        return next((value for key, value in self._headers if key == name), None)

    def _ms(self, at: float) -> int:
        return round((at - self._started) * 1000)
