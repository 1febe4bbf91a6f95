"""The chat as a live view: several conversations, each with an answer that grows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from aquila_cassette.client import Answer, AsyncClient, Chunk, Done, Error, StreamRef
from aquila_cassette.errors import StreamError
from aquila_cassette.live import Completed, Exited, Failed, View
from examples.chat.conversation import Conversation, Message
from examples.chat.fragments import fragments

__all__ = ["ChatLive"]

IDLE_TIMEOUT = 120.0
"""Seconds without a byte after which an answer has failed."""
TIMEOUT = 600.0
"""Seconds that an answer may take in all."""


class ChatLive(View):
    """A page of conversations with a model.

    Events: ``send`` (prompt), ``stop``, ``retry``, ``new``, ``open`` (id), ``dismiss``.
    """

    def mount(self, *, client: AsyncClient) -> None:
        """Begin with no conversation.

        Args:
            client: Whom to ask; it stays its owner's to close.
        """
        self.client = client
        self.assign(conversations={}, streams={}, current=None)

    def handle_event(self, name: str, params: Mapping[str, Any]) -> None:
        """Do what the user wants."""
        match name, params:
            case "send", {"prompt": str(prompt)} if prompt.strip():
                self._send(prompt.strip())
            case "stop", _:
                if (current := self.current) and current.loading:
                    self.cancel_async(current.id, "stopped")
            case "retry", _:
                self._retry()
            case "new", _:
                self.assign(current=None)
                self.push_event("opened")
            case "open", {"id": str(id_)} if id_ in self.assigns.conversations:
                self.assign(current=id_)
                self.push_event("opened")
            case "dismiss", _:
                self.clear_flash()

    def handle_info(self, message: object) -> None:
        """Take an event of a stream; one of a stream that is over here is ignored."""
        match message:
            case Chunk(text, ref=ref) if conversation := self._of(ref):
                self._keep(replace(conversation, response=conversation.response + text))
            case Done(text, meta, messages=messages, ref=ref):
                self._answered(ref, Answer(text, meta, list(messages)))
            case Error(reason, kind=kind, text=text, ref=ref):
                self._broke_off(ref, text, reason if kind != "cancelled" else None)

    def handle_async(self, name: str, outcome: Completed | Failed | Exited) -> None:
        """Take the outcome of a job, which may come before or after the stream's last event."""
        ref = self.assigns.conversations[name].stream_ref
        match outcome:
            case Completed((ref, Answer() as response)):
                self._answered(ref, response)
            case Failed(StreamError() as error):
                self._broke_off(ref, error.text, error.reason)
            case Exited("stopped"):
                self._broke_off(ref, None, None)
            case _:
                self._broke_off(ref, None, "Something went wrong.")

    def fragments(self) -> dict[str, str]:
        """Give the parts of the page as HTML, by the ids of their elements."""
        return fragments(self.assigns.conversations.values(), self.current, self.flash)

    def render(self) -> str:
        """Give the page's HTML."""
        return "\n".join(self.fragments().values())

    @property
    def current(self) -> Conversation | None:
        """The conversation that is open."""
        found: Conversation | None = self.assigns.conversations.get(self.assigns.current)
        return found

    def _send(self, prompt: str) -> None:
        conversation = self.current
        if conversation is None:
            conversation = Conversation(id=f"c{len(self.assigns.conversations) + 1}")
        if not conversation.loading:
            said = Message("user", prompt)
            asked = (*conversation.history, {"role": "user", "content": prompt})
            messages = (*conversation.messages, said)
            self._begin(replace(conversation, messages=messages, asked=asked))

    def _retry(self) -> None:
        conversation = self.current
        if conversation and not conversation.loading and conversation.messages[-1].ended != "done":
            self._begin(replace(conversation, messages=conversation.messages[:-1]))

    def _begin(self, conversation: Conversation) -> None:
        ref = StreamRef()
        self._keep(replace(conversation, stream_ref=ref, response=""))
        self.update("streams", lambda streams: {**streams, ref: conversation.id})
        self.assign(current=conversation.id)
        self.clear_flash()
        self.start_async(conversation.id, self._stream, ref, conversation.asked)

    async def _stream(
        self, ref: StreamRef, asked: tuple[Mapping[str, Any], ...]
    ) -> tuple[StreamRef, Answer]:
        # The view gets each event, and this job the result. Leaving the block, by a cancel too,
        # closes the socket.
        async with self.client.stream(
            asked, ref=ref, sink=self.send, idle_timeout=IDLE_TIMEOUT, timeout=TIMEOUT
        ) as stream:
            return ref, await stream.result()

    def _answered(self, ref: Hashable, response: Answer) -> None:
        history = tuple(response.messages)
        self._over(ref, Message("assistant", response.text, response.meta), history)

    def _broke_off(self, ref: Hashable, text: str | None, reason: str | None) -> None:
        """Keep what came of an answer, marked.

        Args:
            ref: The stream.
            text: What came; None for what the page shows.
            reason: What went wrong; None where the user stopped it.
        """
        if (conversation := self._of(ref)) is None:
            return
        text = conversation.response if text is None else text
        heard = ({"role": "assistant", "content": text},) if text else ()
        if reason is None:
            message = Message("assistant", text, ended="stopped")
        else:
            message = Message("assistant", text, ended="failed")
            self.put_flash("error", reason)
        self._over(ref, message, (*conversation.asked, *heard))

    def _over(
        self, ref: Hashable, message: Message, history: tuple[Mapping[str, Any], ...]
    ) -> None:
        """End the stream's answer: once, whoever tells it first; after that its ref is unknown."""
        if (conversation := self._of(ref)) is None:
            return
        self._keep(
            replace(
                conversation,
                messages=(*conversation.messages, message),
                response="",
                stream_ref=None,
                history=history,
            )
        )
        self.update(
            "streams",
            lambda streams: {one: id_ for one, id_ in streams.items() if one != ref},
        )
        if conversation.id == self.assigns.current:
            self.push_event("say", {"text": message.content})

    def _of(self, ref: Hashable) -> Conversation | None:
        found: Conversation | None = self.assigns.conversations.get(self.assigns.streams.get(ref))
        return found

    def _keep(self, conversation: Conversation) -> None:
        self.update("conversations", lambda all_: {**all_, conversation.id: conversation})
