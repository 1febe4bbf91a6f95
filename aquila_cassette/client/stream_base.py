"""The open streams of this process's clients: whoever waits for streams asks for them here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.waiting.open_streams import OpenStream, OpenStreams

if TYPE_CHECKING:
    from collections.abc import Hashable

    from aquila_cassette.client.conversation import Conversation

__all__ = ["OPEN_STREAMS", "opened"]

OPEN_STREAMS = OpenStreams()


def opened(ref: Hashable, conversation: Conversation) -> OpenStream:
    """Note a stream that starts now, asked for from here."""
    return OPEN_STREAMS.start(
        f"stream {ref!r} of {conversation.ask.model}",
        lambda: [f"text:   {conversation.text[-60:]!r}"],
    )
