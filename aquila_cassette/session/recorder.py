"""Record one response: pieces, times, `recorded_at`, and its ending."""

from __future__ import annotations

import os
import threading
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http.client import responses
from typing import Any, Self

from aquila_cassette.content_encoding import decode_unless_huge
from aquila_cassette.dialects.reading import ending
from aquila_cassette.errors import ScopeError
from aquila_cassette.model import Ended, Failure, Headers, Interaction, Request, Response
from aquila_cassette.session.failures import failure_of
from aquila_cassette.session.player import Player
from aquila_cassette.session.stream_text import describe_stream
from aquila_cassette.storage.bodies import LazyResponse, timed
from aquila_cassette.storage.yaml_reader import joined
from aquila_cassette.waiting.event_loops import elapsed
from aquila_cassette.waiting.open_streams import OpenStreams

OF_THE_ENCODING = ("content-encoding", "content-length")


class Recorder:
    """The response to one request while it passes by; the first of its endings to come wins.

    An adapter calls `start_response` when the headers came, `add_piece` for each read off the wire,
    and `body_ended` or `closed`; it reads inside ``with recorder:``, which notes what is raised.
    Each is cheap: ending, encoding and secrets are worked out when the interaction is asked for.
    """

    def __init__(
        self,
        session: Any,  # a `Session`, which imports this
        request: Request,
        *,
        order: int,
        background: bool,
        hold: Callable[[Interaction], Player] | None,
    ) -> None:
        self.request = request
        self.order = order
        self.pid = os.getpid()
        self._session = session
        self._recorded_by = session.owner.signature
        streams: OpenStreams = session.streams
        self._streams = streams
        self._overlaps = streams.any_is_open
        self._started = max(round(elapsed() * 1000), streams.last_piece + self._overlaps)
        streams.last_request = self._started
        self._times = array("Q")  # of the pieces; an object for each would take three times as much
        self._parts: list[bytes] = []
        self._begun = Response(None)  # without its body
        self._ending: Callable[[bytes], tuple[Ended, Failure | None]] | None = None
        # Reentrant: while it is held, the garbage collector may close the stream that is recorded.
        self._lock = threading.RLock()
        self._kept: tuple[int, Interaction | None] | None = None
        self._whole: Interaction | None = None  # once it is over, in place of its pieces
        self._is_block_over = False
        self._is_given_up = False
        self._hold = hold
        self.holds = hold is not None  # record the whole answer before its consumer sees any of it
        self.keeps_encoding = False
        """Whether the consumer gets the body as it came: compressed, with the header that says so."""
        self._stream = streams.start(
            f"{request.method} {request.url}",
            self._facts,
            background=background,
            counts=hold is None,  # else its replay does
        )

    def replay(self) -> Player:
        """Return the held replay of the answer, which is over; nothing of it is redacted."""
        assert self._hold is not None, "asked for where nothing is held"
        return self._hold(self._build())

    @property
    def over(self) -> bool:
        """Whether it ended; nothing is recorded after that."""
        return self._ending is not None

    @property
    def is_kept(self) -> bool:
        """Whether it is saved: as it ended, or as it is now, since its block ended."""
        return self.over or self._is_block_over

    def start_response(
        self, status: int, headers: Headers, http_version: str, reason: str | None = None
    ) -> None:
        self._begun = Response(
            status,
            headers,
            headers_after=self._ms(),
            http_version=http_version,
            reason=None if reason == responses.get(status, "") else reason,
        )
        self._session.note_cookies(headers)

    def add_piece(self, data: bytes) -> None:
        if data and self._ending is None:
            self._times.append(self._ms())
            self._parts.append(bytes(data))
        elif data and self._is_given_up:
            raise ScopeError(
                f"The stream of {self.request.method} {self.request.url} is read after the end of "
                "what recorded it.",
                facts=[f"owner: {self._recorded_by}", "the cassette has what was read before"],
                fix="Fix: read it to its end, or close it, within the test or fixture that asked",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Exception):
            self.failed(error)
        elif error is not None:  # cancelled, or a generator that was closed or forgotten
            self.closed()

    def body_ended(self) -> None:
        """Record that the transport read to the end of the body."""
        self._end(self._at_eof)

    def closed(self) -> None:
        """Record that the consumer closed it, was cancelled, or forgot it."""
        self._end(self._at_close)

    def block_ended(self) -> None:
        """Note that the block is over: an answer that came may be read, and recorded, after it."""
        if self._begun.status is None:
            self.closed()
        self._is_block_over = True

    def give_up(self) -> None:
        """End it now; what is read later is an error, since nothing saves it."""
        self._is_given_up |= not self.over
        self.closed()

    def failed(self, error: Exception) -> None:
        """Record that the transport raised `error`."""
        failure = failure_of(error)
        self._end(lambda body: self._at_failure(body, failure))

    def add_reader(self) -> None:
        """Note that this task or thread begins to read the body."""
        self._streams.add_reader(self._stream)

    def interaction(self) -> Interaction | None:
        """Return what a cassette may hold, redacted; None where a hook dropped it."""
        with self._lock:
            state = -1 if self.over else len(self._parts)
            if self._kept is None or self._kept[0] != state:
                is_upgrade = (self._begun.status or 200) < 200  # to a WebSocket: not kept
                whole = self._build()
                if self.over:
                    self._whole = whole
                    self._begun, self._times, self._parts = Response(None), array("Q"), []
                self._kept = state, None if is_upgrade else self._session.as_kept(whole)
                if self._kept[1] and not self.holds:
                    self._whole = None  # nobody asks for it again
            return self._kept[1]

    def answer(self) -> Interaction:
        """Return what came, redacted, also if a hook dropped it."""
        return self.interaction() or self._session.clean_answer(self._build())

    def _facts(self) -> list[str]:
        body = b"".join(self._decoded()[1])
        return describe_stream(self.request, self._begun.header("content-type"), body)

    def _end(self, ending: Callable[[bytes], tuple[Ended, Failure | None]]) -> None:
        with self._lock:
            if self._ending is not None:
                return
            self._ending = ending
            self._overlaps |= self._streams.last_request > self._started
        self._streams.close(self._stream)
        self._session.recording_ended(self)

    def _build(self) -> Interaction:
        if self._whole is not None:
            return self._whole
        times, parts = self._decoded()
        begun, headers, body = self._begun, self._begun.headers, joined(parts)
        if parts is not self._parts:  # what they say of the body was true before it was decoded
            headers = tuple(one for one in headers if one[0].lower() not in OF_THE_ENCODING)
        ended, error = (self._ending or self._at_close)(body)
        response = LazyResponse.of(
            body,
            timed(times, parts),
            status=begun.status,
            headers=headers,
            headers_after=begun.headers_after,
            http_version=begun.http_version,
            ended=ended,
            error=error,
            reason=begun.reason,
        )
        return Interaction(
            request=self.request,
            response=response,
            recorded_at=self._recorded_at(),
            recorded_by=self._recorded_by,
        )

    # The endings, in the order of docs/endings.md: a terminal event wins over what came after it.

    def _at_eof(self, body: bytes) -> tuple[Ended, Failure | None]:
        found = ending(self._begun.header("content-type"), body)
        if found.complete_at_eof:
            return "complete", None
        return "failed", Failure(None, f"the stream ended without its {found.expected}")

    def _at_close(self, body: bytes) -> tuple[Ended, Failure | None]:
        if self._begun.status is None:
            return "closed", None
        whole = self._has_all_bytes() or ending(self._begun.header("content-type"), body).terminal
        return ("complete" if whole else "closed"), None

    def _at_failure(self, body: bytes, failure: Failure) -> tuple[Ended, Failure | None]:
        found = ending(self._begun.header("content-type"), body)
        return ("complete", None) if found.terminal else ("failed", failure)

    def _has_all_bytes(self) -> bool:
        if self.request.method == "HEAD" or self._begun.status in (204, 304):
            return True
        length = self._begun.header("content-length")
        came = sum(map(len, self._parts))
        return length is not None and length.isdigit() and came >= int(length)

    def _decoded(self) -> tuple[Sequence[int], list[bytes]]:
        """Return the pieces without their content encoding; themselves where that must stay."""
        encoding = self._begun.header("content-encoding")
        decoded = None
        if encoding and self._parts and not self.keeps_encoding:
            decoded = decode_unless_huge(encoding, self._parts)
        if decoded is None:
            return self._times, self._parts
        held = [place for place, data in enumerate(decoded) if data]
        return [self._times[place] for place in held], [decoded[place] for place in held]

    def _ms(self) -> int:
        self._streams.last_piece = max(round(elapsed() * 1000), self._streams.last_request)
        return self._streams.last_piece - self._started

    def _recorded_at(self) -> str:
        """Return when the request started, with ms if that tells the order of its pieces."""
        at = datetime.fromtimestamp((self._streams.epoch + self._started) / 1000, UTC)
        precision = "milliseconds" if self._overlaps else "seconds"
        return at.replace(tzinfo=None).isoformat(timespec=precision) + "Z"
