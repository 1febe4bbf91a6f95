"""What a recording left on its cassette, and what that gives."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from aquila_cassette import Interaction, aquila_cassette
from tests.clients import Reply

__all__ = ["kept", "read_again"]


def kept(name: str = "ends") -> Interaction:
    """The one interaction on the cassette, as it is on file."""
    with aquila_cassette(name, mode="none", on_unplayed="ignore") as cassette:
        (interaction,) = cassette.interactions
    return interaction


async def read_again(asked: AbstractAsyncContextManager[Reply]) -> tuple[bytes, Exception | None]:
    """Read the replay of what is asked to its end: its bytes, and what it ended in."""
    seen = b""
    with aquila_cassette("ends", mode="none"):
        try:
            async with asked as reply:
                while True:
                    seen += await reply.piece()
        except StopAsyncIteration:
            return seen, None
        except Exception as error:
            return seen, error
