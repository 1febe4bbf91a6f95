"""One conversation: what was said, where to write, and the worker that streams the answer."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Input, Label

from aquila_cassette.client import AsyncClient, AsyncStream, Chunk, StreamEvent
from aquila_cassette.errors import StreamError
from examples.textual_chat.messages import Answer, Question

__all__ = ["Conversation"]


class Conversation(Vertical):
    """A conversation with a model; the answer grows while it comes.

    Args:
        client: Whom to ask.
        id: Its name in the app.
    """

    class Changed(Message):
        """An answer began or ended."""

        def __init__(self, conversation: Conversation) -> None:
            self.conversation = conversation
            super().__init__()

    def __init__(self, client: AsyncClient, *, id: str) -> None:  # noqa: A002, as Textual calls it
        super().__init__(id=id)
        self.client = client
        self.title = "New chat"
        self.asked: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self.broke_off = False
        self._stream: AsyncStream | None = None

    def compose(self) -> ComposeResult:
        """Begin with nothing said."""
        with VerticalScroll(classes="said"):
            yield Label("What can I do for you?", classes="greeting")
        with Vertical(classes="foot"):
            yield Input(placeholder="Ask anything", classes="prompt")

    @property
    def answering(self) -> bool:
        """Whether an answer grows."""
        return self.query_one(Input).disabled

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked yet."""
        return not self.asked

    def focus_prompt(self) -> None:
        """Let the user write."""
        self.query_one(Input).focus()

    def stop(self) -> None:
        """End the answer that grows, and close its connection."""
        if self._stream is not None:
            self._stream.cancel()

    def retry(self) -> None:
        """Ask the last question again, in the place of the answer that broke off."""
        if self.broke_off and not self.answering:
            self.query(Answer).last().remove()
            self._ask()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        event.stop()
        prompt = event.value.strip()
        if not prompt or self.answering:
            return
        event.input.clear()
        if self.is_empty:
            words = " ".join(prompt.split())
            self.title = words if len(words) <= 60 else f"{words[:59].rstrip()}…"
            self.query(".greeting").remove()
        said = self.query_one(".said", VerticalScroll)
        said.mount(Question(prompt))
        said.anchor()
        self.asked = [*self.history, {"role": "user", "content": prompt}]
        self._ask()

    def _ask(self) -> None:
        self.broke_off = False
        self._let_write(False)
        self.run_worker(self._answer(), name="answer")

    async def _answer(self) -> None:
        answer = Answer()
        await self.query_one(".said").mount(answer)

        async def grow(event: StreamEvent) -> None:
            match event:
                case Chunk(text):
                    await answer.grow(text)

        try:
            # The next piece is not read before the last one is on the screen. Leaving the block,
            # when the app ends too, closes the connection.
            async with self.client.stream(self.asked, sink=grow) as self._stream:
                response = await self._stream.result()
        except StreamError as error:
            self._broke_off(answer, error)
        else:
            self.history = response.messages
            tokens = response.meta.usage.get("total_tokens")
            answer.end(f"{response.meta.model} · {tokens} tokens" if tokens else "")
        finally:
            self._stream = None
        self._let_write(True)

    def _broke_off(self, answer: Answer, error: StreamError) -> None:
        """Keep what came, marked; the model is told of it when it is asked the next thing."""
        heard = [{"role": "assistant", "content": error.text}] if error.text else []
        self.history = [*self.asked, *heard]
        self.broke_off = True
        if error.kind == "cancelled":
            answer.end("Stopped. Ctrl+R tries again.", "stopped")
        else:
            answer.end("This answer broke off. Ctrl+R tries again.", "failed")
            self.notify(error.reason, title="No answer", severity="error", markup=False)

    def _let_write(self, may: bool) -> None:
        prompt = self.query_one(Input)
        prompt.disabled = not may
        prompt.placeholder = "Ask anything" if may else "Esc stops the answer"
        if may and self.display:
            prompt.focus()
        self.post_message(self.Changed(self))
