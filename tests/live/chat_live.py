"""A chat as a view: the model's answer grows on the page, chunk by chunk."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from html import escape
from typing import Any

from aquila_cassette.client import AsyncClient, Chunk, Done, Error, Meta, Response, StreamRef
from aquila_cassette.live import Completed, Exited, Failed, Outcome, View


@dataclass(frozen=True)
class Message:
    """What one of the two said; `partial` is what had come of an answer that then failed."""

    role: str
    content: str
    meta: Meta | None = None
    failed: bool = False
    partial: str = ""


class ChatLive(View):
    """One conversation with a model."""

    def mount(self, client: AsyncClient) -> None:
        self.client = client
        self.assign(messages=[], response="", stream_ref=None, loading=False)

    def handle_event(self, name: str, params: Any) -> None:
        match name, params:
            case "send", {"prompt": str(prompt)}:
                if not self.assigns.loading:
                    self.ask(prompt)
            case "stop", _:
                self.cancel_async("stream")
            case _:
                raise ValueError(f"no event of this page: {name!r} with {params!r}")

    def ask(self, prompt: str) -> None:
        ref = StreamRef()
        self.clear_flash()
        self.assign(loading=True, stream_ref=ref, response="")
        self.update("messages", lambda messages: [*messages, Message("user", prompt)])
        self.start_async("stream", self.stream, prompt, ref)

    async def stream(self, prompt: str, ref: StreamRef) -> tuple[StreamRef, Response]:
        # The events go to the view, which shows them as they come; the job waits for the whole.
        # Leaving the block closes the connection, also where the job is cancelled.
        asked = self.client.stream(prompt, ref=ref, sink=self.send, idle_timeout=120, timeout=600)
        async with asked as stream:
            return ref, await stream.result()

    def handle_info(self, message: object) -> None:
        match message:
            case Chunk(text, ref=ref) if self.waits_for(ref):
                self.update("response", lambda response: response + text)
            case Done(text, meta, ref=ref) if self.waits_for(ref):
                self.finish(text, meta)
            case Error(kind=kind, ref=ref) if self.waits_for(ref):
                self.fail(stopped=kind == "cancelled")

    def handle_async(self, name: str, outcome: Outcome) -> None:
        # The last event and the job's outcome say the same: whichever comes first ends the answer.
        match outcome:
            case Completed((ref, Response(text, meta))) if self.waits_for(ref):
                self.finish(text, meta)
            case Failed() if self.assigns.loading:
                self.fail()
            case Exited(reason) if self.assigns.loading:
                self.fail(stopped=reason == "cancelled")

    def waits_for(self, ref: Hashable) -> bool:
        return self.assigns.loading and ref == self.assigns.stream_ref

    def finish(self, text: str, meta: Meta) -> None:
        self.end(Message("assistant", text, meta))
        self.push_event("answered", {"response_id": meta.response_id, "usage": meta.usage})

    def fail(self, *, stopped: bool = False) -> None:
        # What went wrong is logged by the view; what had come of the answer stays, marked.
        notice = "Stopped." if stopped else "Something went wrong."
        self.end(Message("assistant", notice, failed=True, partial=self.assigns.response))
        if not stopped:
            self.put_flash("error", notice)

    def end(self, message: Message) -> None:
        self.update("messages", lambda messages: [*messages, message])
        self.assign(response="", stream_ref=None, loading=False)

    def render(self) -> str:
        page = self.assigns
        lines = [_paragraph(one) for one in page.messages]
        if page.response:
            lines.append(f'<p class="assistant">{escape(page.response)}</p>')
        return "\n".join(
            [
                '<form id="prompt-form">',
                '  <input name="prompt">',
                f"  <button{' disabled' if page.loading else ''}>Send</button>",
                "</form>",
                *(f'<p role="alert">{escape(text)}</p>' for text in self.flash.values()),
                '<div id="chat-output">',
                *(f"  {line}" for line in lines),
                "</div>",
            ]
        )


def _paragraph(message: Message) -> str:
    kind = f"{message.role} failed" if message.failed else message.role
    partial = f"<s>{escape(message.partial)}</s> " if message.partial else ""
    return f'<p class="{kind}">{partial}{escape(message.content)}</p>'
