"""Several conversations in one view, each known by the ref of its stream."""

from __future__ import annotations

from typing import Any

from aquila_cassette.client import AsyncClient, Chunk, Done, Error, StreamRef
from aquila_cassette.live import Exited, Outcome, View
from tests.live.loops import in_each_loop, settled, until
from tests.live.rows import seed_row
from tests.live.script import DONE, Script, chunk


class Conversations(View):
    """Any number of conversations at once: their prompts, texts and states, by ref."""

    def mount(self, client: AsyncClient) -> None:
        self.client = client
        self.assign(prompts={}, texts={}, states={})

    def handle_event(self, name: str, params: Any) -> None:
        if name == "stop":
            self.cancel_async(params, "stopped")
            return
        ref = StreamRef()
        self.put("prompts", ref, params)
        self.put("texts", ref, "")
        self.put("states", ref, "growing")
        self.start_async(params, self.stream, params, ref)

    async def stream(self, prompt: str, ref: StreamRef) -> None:
        async with self.client.stream(prompt, ref=ref, sink=self.send) as stream:
            await stream.result()

    def handle_info(self, event: Any) -> None:
        match event:
            case _ if self.assigns.states[event.ref] != "growing":
                pass
            case Chunk(text):
                self.put("texts", event.ref, self.assigns.texts[event.ref] + text)
            case Done():
                self.put("states", event.ref, "done")
            case Error(kind=kind):
                self.put("states", event.ref, kind)

    def handle_async(self, name: str, outcome: Outcome) -> None:
        if outcome == Exited("stopped"):
            self.push_event("stopped", {"prompt": name})

    def put(self, name: str, ref: Any, value: str) -> None:
        self.update(name, lambda known: {**known, ref: value})

    @property
    def shown(self) -> dict[str, tuple[str, str]]:
        assigns = self.assigns
        return {
            prompt: (assigns.texts[ref], assigns.states[ref])
            for ref, prompt in assigns.prompts.items()
        }


@seed_row(33)
@in_each_loop
async def test_three_conversations_interleave_one_is_stopped_and_two_finish() -> None:
    script = Script()
    async with script.client() as client, Conversations.mounted(client) as view:

        async def say(prompt: str, text: str, reason: str | None = None) -> None:
            so_far, _ = view.shown[prompt]
            script.say(prompt, chunk(text, reason))
            await until(view, lambda: view.shown[prompt][0] == so_far + text)

        for prompt in ("one", "two", "three"):
            await view.event("send", prompt)
        for prompt, text in [("two", "b"), ("one", "a"), ("three", "c"), ("one", "a")]:
            await say(prompt, text)
        growing = {"one": ("aa", "growing"), "two": ("b", "growing"), "three": ("c", "growing")}
        assert view.shown == growing
        await view.event("stop", "two")
        await until(view, lambda: bool(view.pushed) and view.shown["two"][1] != "growing")
        assert script.closed == ["two"]
        (two,) = [ref for ref, prompt in view.assigns.prompts.items() if prompt == "two"]
        view.send(Chunk("too late", ref=two))
        for prompt in ("three", "one"):
            await say(prompt, "!", "stop")
            script.say(prompt, DONE)
        await settled(view)
        ended = {"one": ("aa!", "done"), "two": ("b", "cancelled"), "three": ("c!", "done")}
        assert view.shown == ended
        assert [event.payload for event in view.pushed] == [{"prompt": "two"}]
