"""Scripts that many tests need: frames are sent, and the answer ends in some way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .frames import CHAT_FRAMES
from .raw import Connection, Request

__all__ = ["FRAMES", "Script", "chat", "sends"]

Script = Callable[[Connection, Request], None]

FRAMES = [b"data: %d\n\n" % number for number in range(1, 6)]
"""Five events of nobody's dialect."""


def sends(
    frames: Iterable[bytes],
    then: Callable[[Connection], None] = Connection.end,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """Make a script that sends a head and `frames`, then ends in its own way.

    Args:
        frames: What to send.
        then: How it ends: `Connection.end`, `fin`, `reset`, or `gone` where it stalls.
        headers: Of the answer; an event stream's where there are none.
    """

    def script(connection: Connection, request: Request) -> None:
        connection.head(200, headers)
        for frame in frames:
            connection.piece(frame)
        then(connection)

    return script


chat = sends(CHAT_FRAMES)
"""Answers with a whole stream of chat completions."""
