"""A server that sends an event only after the client has said that it saw the one before."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from .listener import WATCHDOG
from .raw import RawServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .raw import Connection, Request


class GateTimeout(AssertionError):  # noqa: N818 - after asyncio's TimeoutError
    """The client did not say in time that it saw a frame: something on its side buffers."""


class GateServer(RawServer):
    """Answer each request with `frames`, the next one only after `seen()` for the last.

    The client says `seen()`, or from another process ``GET /seen``. One stream at a time. When it
    does not say so in time, the stream ends with an error event whose text names the gate, and the
    server raises `GateTimeout` at exit.

    Args:
        frames: One SSE frame each; all but the last must be visible to the client.
        headers: Of the answer.
        watchdog: How long to wait for the client, in seconds.
    """

    def __init__(
        self,
        frames: Sequence[bytes],
        *,
        headers: Mapping[str, str] | None = None,
        watchdog: float = WATCHDOG,
    ) -> None:
        super().__init__(self._answer)
        self.sent = 0
        """How many frames of the stream have been sent."""
        self._frames = frames
        self._headers = headers
        self._watchdog = watchdog
        self._gate = threading.Semaphore(0)

    def seen(self) -> None:
        """Say that the client saw the last frame: open the gate for the next."""
        self._gate.release()

    def _answer(self, connection: Connection, request: Request) -> None:
        if request.path == "/seen":
            self.seen()
            connection.head(204, {}, length=0)
            connection.end()
            return
        self._gate = threading.Semaphore(0)
        self.sent = 0
        connection.head(200, self._headers)
        for number, frame in enumerate(self._frames, 1):
            self.sent = number
            connection.piece(frame)
            if number < len(self._frames) and not self._gate.acquire(timeout=self._watchdog):
                error = GateTimeout(
                    f"the client did not see frame {number} within {self._watchdog:g} s: "
                    "something buffers"
                )
                connection.piece(_error_frame(str(error)))
                connection.end()
                raise error
        connection.end()


def _error_frame(message: str) -> bytes:
    body = {"type": "error", "error": {"type": "gate_timeout", "message": message}}
    return f"event: error\ndata: {json.dumps(body)}\n\n".encode()
