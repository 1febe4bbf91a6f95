"""`StreamView`: a view that asks models and shows each answer as it grows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from aquila_cassette.client.clients import AsyncClient, Prompt
from aquila_cassette.client.events import Answer, Chunk, Meta, StreamEvent, StreamRef
from aquila_cassette.client.sinks import tee
from aquila_cassette.errors import StreamError
from aquila_cassette.live.jobs import Completed, Exited, Failed, Outcome
from aquila_cassette.live.view import View


@dataclass(frozen=True)
class ChatMessage:
    """What was said in a conversation, by the ``user`` or the ``assistant``.

    Args:
        role: Who said it.
        text: The text; of an answer that failed or was stopped, what had come.
        meta: What else is known of a complete answer: its id, its usage.
        ended: How it ended; what a user says is always ``done``.
    """

    role: Literal["user", "assistant"]
    text: str
    meta: Meta | None = None
    ended: Literal["done", "failed", "stopped"] = "done"


@dataclass(eq=False)
class Chat:
    """The messages of one conversation, and the answer that is coming."""

    id: Hashable = None
    messages: list[ChatMessage] = field(default_factory=list)
    response: str = ""
    """What has come of the answer so far; empty when none is coming."""
    stream_ref: Hashable | None = None
    """The ref of the answer that is coming; None when none is."""
    _asked: list[Mapping[str, Any]] = field(default_factory=list)
    """What was sent last, in the provider's form."""
    _history: list[Mapping[str, Any]] = field(default_factory=list)
    """What is sent before the next question."""
    _start: Callable[[], Hashable] | None = None

    @property
    def loading(self) -> bool:
        """Whether an answer is coming."""
        return self.stream_ref is not None


class StreamView(View):
    """A view that asks models and keeps its conversations, whose answers grow chunk by chunk.

    Call `ask`, `stop` and `retry` in handlers, and show `chat()` in `render`. An answer
    ends once, in `handle_answer` or in `handle_failure`.
    """

    def __init__(self) -> None:
        self.chats: dict[Hashable, Chat] = {}
        """The conversations by their ids."""
        super().__init__()

    # What users define.

    def handle_chunk(self, chat: Chat, text: str) -> Any:
        """Handle a chunk that was just added to `chat.response`."""

    def handle_answer(self, chat: Chat, message: ChatMessage) -> Any:
        """Handle an answer that is complete or was stopped, the last of `chat.messages`."""

    def handle_failure(self, chat: Chat, error: StreamError) -> Any:
        """Handle a failed answer; by default the user is told in a flash.

        What had come is the last of `chat.messages`.
        """
        self.put_flash("error", "Something went wrong.")

    # What handlers and `render` call.

    def chat(self, id_: Hashable = None, /) -> Chat:
        """Return the conversation of an id, an empty one if there is none; a page may need only one."""
        return self.chats.setdefault(id_, Chat(id_))

    def ask(
        self, client: AsyncClient, prompt: Prompt, /, *, chat: Hashable = None, **options: Any
    ) -> Hashable | None:
        """Add the user's message to a conversation, and stream the answer to it.

        Args:
            client: The client to ask.
            prompt: The user's text, sent with all that was said before; or a whole conversation,
                sent as it is.
            chat: The chat's id.
            options: Those of `AsyncClient.stream`; a `sink` gets the events too.

        Returns:
            The stream's ref; None, and nothing happens, while an answer of this conversation is
            coming.

        Raises:
            UsageError: The view is not mounted.
        """
        this = self.chat(chat)
        if this.loading:
            return None
        self._open_inbox("ask")
        if isinstance(prompt, str):
            prompt = [*this._history, {"role": "user", "content": prompt}]
        this._asked = [*prompt]
        this.messages.append(ChatMessage("user", str(prompt[-1].get("content", ""))))
        this._start = partial(self._start_answer, this, client, options)
        return this._start()

    def stop(self, chat: Hashable = None) -> None:
        """End the answer that is coming, and its connection; what had come is kept."""
        self.cancel_async(_job_of(self.chat(chat)), "stopped")

    def retry(self, chat: Hashable = None) -> Hashable | None:
        """Ask the last question again, in place of its answer; returns what `ask` returns."""
        this = self.chat(chat)
        if this.loading or this._start is None:
            return None
        self._open_inbox("retry")
        if this.messages[-1].role == "assistant":
            this.messages.pop()
        return this._start()

    # What the view calls.

    def _start_answer(self, chat: Chat, client: AsyncClient, options: dict[str, Any]) -> Hashable:
        ref = options.get("ref") or StreamRef()
        chat.response, chat.stream_ref = "", ref
        self.clear_flash()
        options = {**options, "ref": ref}
        self.start_async(_job_of(chat), self._stream, chat, client, chat._asked, **options)
        return ref

    async def _stream(
        self, chat: Chat, client: AsyncClient, prompt: Prompt, **options: Any
    ) -> Answer:
        def post(event: StreamEvent) -> None:
            if isinstance(event, Chunk):
                self._post(self, self._add_chunk, chat, event)

        sink = options.pop("sink", None)
        receivers = tee(post, sink) if sink else post
        # Leaving the block closes the connection, also where the job is cancelled.
        async with client.stream(prompt, sink=receivers, **options) as stream:
            return await stream.result()

    def _add_chunk(self, chat: Chat, chunk: Chunk) -> Any:
        if chunk.ref != chat.stream_ref:
            return None  # of an answer that was stopped
        chat.response += chunk.text
        return self.handle_chunk(chat, chunk.text)

    def _handle_outcome(self, name: str, outcome: Outcome) -> Any:
        chats = {_job_of(chat): chat for chat in self.chats.values()}
        if name not in chats:
            return super()._handle_outcome(name, outcome)
        chat = chats[name]
        came = chat.response
        error: BaseException | None = None
        chat._history = [*chat._asked, *([{"role": "assistant", "content": came}] if came else [])]
        match outcome:
            case Completed(Answer(text, meta, history)):
                message = ChatMessage("assistant", text, meta)
                chat._history = [*history]
            case Failed(error) | Exited(BaseException() as error):
                message = ChatMessage("assistant", came, ended="failed")
            case _:
                message = ChatMessage("assistant", came, ended="stopped")
        chat.messages.append(message)
        chat.response, chat.stream_ref = "", None
        if isinstance(error, StreamError):
            return self.handle_failure(chat, error)
        return self._fail(error) if error else self.handle_answer(chat, message)


def _job_of(chat: Chat) -> str:
    return "answer" if chat.id is None else f"answer {chat.id!r}"
