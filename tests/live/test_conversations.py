"""Several conversations in one view, each known by the ref of its stream."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from aquila_cassette.client import AsyncClient, Chunk, Done, Error, StreamRef
from aquila_cassette.live import Exited, Outcome, View
from tests.live.loops import in_each_loop, settled, until
from tests.live.rows import seed_row
from tests.live.script import DONE, Script, chunk


@dataclass(frozen=True)
class Conversation:
    prompt: str
    text: str = ""
    state: str = "growing"


class Conversations(View):
    """Any number of conversations at once."""

    def mount(self, client: AsyncClient) -> None:
        self.client = client
        self.assign(conversations=dict[StreamRef, Conversation]())

    def handle_event(self, name: str, params: Any) -> None:
        match name, params:
            case "send", {"prompt": str(prompt)}:
                ref = StreamRef()
                self.put(ref, Conversation(prompt))
                self.start_async(prompt, self.stream, prompt, ref)
            case "stop", {"prompt": str(prompt)}:
                self.cancel_async(prompt, "stopped")

    async def stream(self, prompt: str, ref: StreamRef) -> None:
        async with self.client.stream(prompt, ref=ref, sink=self.send) as stream:
            await stream.result()

    def handle_info(self, event: Any) -> None:
        conversation = self.assigns.conversations[event.ref]
        match event:
            case _ if conversation.state != "growing":
                pass
            case Chunk(text):
                self.put(event.ref, replace(conversation, text=conversation.text + text))
            case Done():
                self.put(event.ref, replace(conversation, state="done"))
            case Error(kind=kind):
                self.put(event.ref, replace(conversation, state=kind))

    def handle_async(self, name: str, outcome: Outcome) -> None:
        if outcome == Exited("stopped"):
            self.push_event("stopped", {"prompt": name})

    def put(self, ref: Hashable, conversation: Conversation) -> None:
        self.update("conversations", lambda known: {**known, ref: conversation})

    @property
    def told(self) -> dict[str, tuple[str, str]]:
        known = self.assigns.conversations.values()
        return {one.prompt: (one.text, one.state) for one in known}


@seed_row(33)
@in_each_loop
async def test_three_conversations_interleave_one_is_stopped_and_two_finish() -> None:
    script = Script()
    async with script.client() as client, Conversations.mounted(client) as view:

        async def say(prompt: str, text: str, reason: str | None = None) -> None:
            so_far, _ = view.told[prompt]
            script.say(prompt, chunk(text, reason))
            await until(view, lambda: view.told[prompt][0] == so_far + text)

        for prompt in ("one", "two", "three"):
            await view.event("send", {"prompt": prompt})
        for prompt, text in [("two", "b"), ("one", "a"), ("three", "c"), ("one", "a")]:
            await say(prompt, text)
        assert view.told == {
            "one": ("aa", "growing"),
            "two": ("b", "growing"),
            "three": ("c", "growing"),
        }
        await view.event("stop", {"prompt": "two"})
        await until(view, lambda: bool(view.pushed) and view.told["two"][1] != "growing")
        assert script.closed == ["two"]
        (two,) = [ref for ref, one in view.assigns.conversations.items() if one.prompt == "two"]
        view.send(Chunk("too late", ref=two))
        for prompt in ("three", "one"):
            await say(prompt, "!", "stop")
            script.say(prompt, DONE)
        await settled(view)
        assert view.told == {
            "one": ("aa!", "done"),
            "two": ("b", "cancelled"),
            "three": ("c!", "done"),
        }
        assert [event.payload for event in view.pushed] == [{"prompt": "two"}]
