"""One conversation of the chat, as data."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aquila_cassette.client import Meta

__all__ = ["Conversation", "Message"]


@dataclass(frozen=True)
class Message:
    """What was said once.

    Args:
        role: Who said it.
        content: The text; of an answer that broke off, what came of it.
        meta: What else is known of an answer.
        ended: Whether an answer is whole, or else why it is not.
    """

    role: Literal["user", "assistant"]
    content: str
    meta: Meta | None = None
    ended: Literal["done", "stopped", "failed"] = "done"


@dataclass(frozen=True)
class Conversation:
    """One conversation.

    Args:
        id: Its name in the page.
        messages: What was said, the user's question first.
        response: What came so far of the answer that grows.
        stream_ref: The ref of the stream of that answer; None while there is none.
        asked: What the model was last asked, in the form in which it goes to the provider.
        history: What the model will be told of all this when it is asked the next time.
    """

    id: str
    messages: tuple[Message, ...] = ()
    response: str = ""
    stream_ref: Hashable | None = None
    asked: tuple[Mapping[str, Any], ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()

    @property
    def loading(self) -> bool:
        """Whether an answer grows."""
        return self.stream_ref is not None

    @property
    def title(self) -> str:
        """The beginning of the first question."""
        words = " ".join(self.messages[0].content.split()) if self.messages else "New chat"
        return words if len(words) <= 60 else f"{words[:59].rstrip()}…"
