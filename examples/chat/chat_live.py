"""The chat as a live view: several conversations, each with an answer that grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aquila_cassette.client import AsyncClient
from aquila_cassette.errors import StreamError
from aquila_cassette.live import Chat, ChatMessage, StreamView
from examples.chat.fragments import fragments

__all__ = ["ChatLive"]

IDLE_TIMEOUT = 120.0
"""Seconds without a byte after which an answer has failed."""
TIMEOUT = 600.0
"""Seconds that an answer may take in all."""


class ChatLive(StreamView):
    """A page of conversations with a model.

    Events: ``send`` (prompt), ``stop``, ``retry``, ``new``, ``open`` (id), ``dismiss``.
    """

    def mount(self, *, client: AsyncClient) -> None:
        """Begin with no conversation.

        Args:
            client: Whom to ask; it stays its owner's to close.
        """
        self.client = client
        self.assign(current=None)

    def handle_event(self, name: str, params: Mapping[str, Any]) -> None:
        """Do what the user wants."""
        match name, params:
            case "send", {"prompt": str(prompt)} if prompt.strip():
                self.assign(current=self.assigns.current or f"c{len(self.chats) + 1}")
                self.ask(
                    self.client,
                    prompt.strip(),
                    chat=self.assigns.current,
                    idle_timeout=IDLE_TIMEOUT,
                    timeout=TIMEOUT,
                )
            case "stop", _:
                self.stop(self.assigns.current)
            case "retry", _ if self.current and self.current.messages[-1].ended != "done":
                self.retry(self.assigns.current)
            case "new", _:
                self.assign(current=None)
                self.push_event("opened")
            case "open", {"id": str(id_)} if id_ in self.chats:
                self.assign(current=id_)
                self.push_event("opened")
            case "dismiss", _:
                self.clear_flash()

    def handle_answer(self, chat: Chat, message: ChatMessage) -> None:
        """Have the answer of the open conversation read out."""
        if chat is self.current:
            self.push_event("say", {"text": message.text})

    def handle_failure(self, chat: Chat, error: StreamError) -> None:
        """Tell the user why there is no answer."""
        self.put_flash("error", error.reason)
        self.handle_answer(chat, chat.messages[-1])

    def fragments(self) -> dict[str, str]:
        """Give the parts of the page as HTML, by the ids of their elements."""
        return fragments(self.chats.values(), self.current, self.flash)

    def render(self) -> str:
        """Give the page's HTML."""
        return "\n".join(self.fragments().values())

    @property
    def current(self) -> Chat | None:
        """The conversation that is open."""
        return self.chats.get(self.assigns.current)
