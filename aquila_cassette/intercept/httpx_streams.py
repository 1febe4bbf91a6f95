"""Response bodies as httpx and httpx2 want them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aquila_cassette.engine.hold import HeldReplay
from aquila_cassette.engine.recording import Recording
from aquila_cassette.engine.replay import MakeError, Replay
from aquila_cassette.intercept.bodies import AsyncHeld, AsyncPlayed, AsyncTee, Held, Played, Tee

__all__ = ["Streams"]


class Streams:
    """Makes bodies of the stream classes of one library, since its client insists on them.

    Args:
        lib: The module ``httpx`` or ``httpx2``.
    """

    def __init__(self, lib: Any) -> None:
        self.tee: Callable[[Any, Recording], Any] = _of(Tee, lib.SyncByteStream)
        self.async_tee: Callable[[Any, Recording], Any] = _of(AsyncTee, lib.AsyncByteStream)
        self.replay: Callable[[Replay, MakeError], Any] = _of(Played, lib.SyncByteStream)
        self.async_replay: Callable[[Replay, MakeError], Any] = _of(
            AsyncPlayed, lib.AsyncByteStream
        )
        self.held: Callable[[HeldReplay, MakeError], Any] = _of(Held, lib.SyncByteStream)
        self.async_held: Callable[[HeldReplay, MakeError], Any] = _of(
            AsyncHeld, lib.AsyncByteStream
        )


def _of(body: type, stream: type) -> Any:
    return type(body.__name__, (body, stream), {})
