"""Replaying one recorded response: its head, its pieces, its end, and its pace."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import length_hint
from typing import TYPE_CHECKING

from aquila_cassette.errors import RecordedFailure, TruncatedReplayError
from aquila_cassette.model import Failure, Headers, Interaction, Piece
from aquila_cassette.session.failures import with_category
from aquila_cassette.session.progress import Progress

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session
    from aquila_cassette.waiting.open_streams import OpenStream

__all__ = ["Player"]

_NO_ANSWER = "connect"
"""What a request failed with to which no answer came, where the cassette does not say more."""

MakeError = Callable[[Failure], Exception | None]
"""Makes the exception with which the requesting library reports a failure; None if it has none."""


class Player:
    """The recorded response to one request, as a head plays it.

    The pieces come from one iterator, however often it is asked for: a body can be resumed (some
    SDKs drain it after its last event), not restarted. Then `end` raises what the recording ended
    in, if it did not end well.

    Args:
        cassette: The open cassette that plays.
        interaction: What is played.
        number: Its place on the cassette, from 1.
        more: Whether the cassette holds a further answer to the same request.
    """

    def __init__(
        self, cassette: Session, interaction: Interaction, number: int, *, more: bool
    ) -> None:
        self.cassette = cassette
        self.interaction = interaction
        self.number = number
        self.stream: OpenStream | None = None
        self.speed = cassette.options.speed
        self._more = more
        self._started = time.perf_counter()
        self.pieces: Iterator[Piece] = iter(interaction.response.pieces)

    @property
    def headers(self) -> Headers:
        """The headers to serve.

        A recorded error that the SDK then tried again asks for next to no wait: the recorded
        ``retry-after`` stays for who reads it, ``retry-after-ms`` (which SDKs look at first) is 1.
        At a recorded pace nothing is added.
        """
        response = self.interaction.response
        status = response.status or 0
        if self.speed or not self._more or not (status in (408, 409, 429) or status >= 500):
            return response.headers
        kept = tuple(pair for pair in response.headers if pair[0] != "retry-after-ms")
        return (*kept, ("retry-after-ms", "1"))

    def response_delay(self) -> float:
        """Tell how long to wait for the head, in seconds, at this speed."""
        return self._delay(self.interaction.response.headers_after or 0)

    def piece_delay(self, piece: Piece) -> float:
        """Tell how long to wait, from now and in seconds, until `piece` is due at this speed."""
        return self._delay(piece.at)

    def _delay(self, at: int) -> float:
        if not self.speed:
            return 0.0
        return max(0.0, self._started + at / 1000 / self.speed - time.perf_counter())

    def raise_ending(self, make_error: MakeError) -> None:
        """End as the recording ended: return at a whole body's end, else raise.

        Args:
            make_error: Makes an exception of the HTTP library that asks.

        Raises:
            TruncatedReplayError: The recording's consumer had stopped here.
            Exception: What the transport raised when this was recorded.
        """
        response = self.interaction.response
        if response.ended == "closed":
            raise self._truncated()
        error = response.error
        if response.ended != "failed" or error is None:
            return
        if error.type is None:
            if response.status is not None:
                return  # a body without its end event: no transport raised anything
            error = replace(error, category=_NO_ANSWER)
        made = make_error(with_category(error))
        if made is not None:
            raise made
        builtin = getattr(builtins, error.type or "", None)
        if isinstance(builtin, type) and issubclass(builtin, Exception):
            raise builtin(error.message)
        raise RecordedFailure(
            f"The recorded answer to {self._asked} failed with {error.type or error.category}.",
            facts=[
                f"cassette: {self.cassette.shown_path} (interaction {self.number})",
                f"message:  {error.message}",
            ],
            fix=self.cassette.owner.rerecord,
        )

    def progress(self) -> Progress:
        """Say how far it was read."""
        response = self.interaction.response
        read = len(response.pieces) - length_hint(self.pieces)
        return Progress.of_a_replay(response, read)

    def add_reader(self) -> None:
        """Note that this task or thread begins to read the body."""
        self.cassette.streams.add_reader(self.stream)

    def close(self) -> None:
        """Note that its reader closed it."""
        self.finished()

    def finished(self) -> None:
        """Note that nobody reads it any more."""
        self.cassette.streams.close(self.stream)

    @property
    def _asked(self) -> str:
        return f"{self.interaction.request.method} {self.interaction.request.url}"

    def _truncated(self) -> TruncatedReplayError:
        response = self.interaction.response
        before = "before the answer began" if response.status is None else "there"
        count = len(response.pieces)
        return TruncatedReplayError(
            f"The recording of {self._asked} stops here: its consumer stopped reading {before}.",
            facts=[
                f"cassette: {self.cassette.shown_path} (interaction {self.number})",
                f"recorded: {count} piece{'' if count == 1 else 's'}, {len(response.body)} bytes",
            ],
            fix=self.cassette.owner.rerecord,
        )
