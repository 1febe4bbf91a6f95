"""The chat that this project was created from, as the view of docs/live.md: what it promises."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette import aquila_cassette
from aquila_cassette.client import (
    Answer,
    AsyncClient,
    Chunk,
    Done,
    Error,
    Meta,
    StreamRef,
)
from aquila_cassette.errors import StreamError
from aquila_cassette.live import View
from aquila_cassette.provider import Provider
from aquila_cassette.waiting.notifier import notifier
from tests.live.loops import in_each_loop, settled, until
from tests.live.rows import seed_row
from tests.live.script import DONE, Script, chunk
from tests.servers import CHAT_FRAMES, CHAT_TEXT

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "live.md").read_text("utf-8")


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


_scope: dict[str, Any] = {"__name__": __name__}
exec(examples(PAGE)[0], _scope)
ChatLive: Any = _scope["ChatLive"]

USER = {"role": "user", "text": "Hello"}


def failed(text: str = "") -> dict[str, Any]:
    return {"role": "assistant", "text": text, "failed": True}


@asynccontextmanager
async def chat(script: Script, kind: Any = ChatLive) -> AsyncIterator[Any]:
    async with script.client() as client, kind.mounted(client) as view:
        yield view


def state(view: View) -> dict[str, Any]:
    return {**view.assigns, "flash": dict(view.flash)}


def test_the_examples_of_the_pages_run_the_waiting_ones_also_on_replay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    live: dict[str, Any] = {"__name__": __name__}
    waiting: dict[str, Any] = {"__name__": "docs"}
    for source in examples((DOCS / "waiting.md").read_text("utf-8")):
        exec(compile(source, str(tmp_path / "docs.py"), "exec"), waiting)
    with Provider(gap=0.001) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        for source in examples(PAGE):
            exec(source, live)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
        for mode in ("once", "none"):
            opened = partial(aquila_cassette, mode=mode, cassette_dir=tmp_path)
            asyncio.run(waiting["test_the_answer_appears"](opened))
            waiting["test_a_thread"](opened)


@seed_row(8, 10)
@in_each_loop
async def test_a_submit_shows_what_was_said_before_anything_is_asked() -> None:
    seen: list[dict[str, Any]] = []

    async def look(request: httpx.Request) -> httpx.Response:
        seen.append(state(view))
        asked.set()
        return await anyio.sleep_forever()

    asked = anyio.Event()
    http = httpx.AsyncClient(transport=httpx.MockTransport(look))
    async with http, ChatLive.mounted(AsyncClient(http, model="m")) as view:
        empty = {"messages": [], "response": "", "stream_ref": None, "loading": False}
        assert dict(view.assigns) == empty
        view.assign(response="what a failed answer had left")
        await view.event("send", {"prompt": "Hello"})
        ref = view.assigns.stream_ref
        assert isinstance(ref, StreamRef)
        submitted = {"messages": [USER], "response": "", "stream_ref": ref, "loading": True}
        assert state(view) == {**submitted, "flash": {}}
        await asked.wait()
        assert seen == [state(view)]


@seed_row(7, 11)
@in_each_loop
async def test_the_page_grows_with_each_chunk_and_their_concatenation_is_the_text() -> None:
    script = Script()
    script.say("Hello", *CHAT_FRAMES)
    async with chat(script) as view:
        grown: list[str] = []
        view.on_render(lambda: grown.append(view.assigns.response))
        await view.event("send", {"prompt": "Hello"})
        await settled(view)
    growing = [text for text in dict.fromkeys(grown) if text]
    assert growing == ["Hel", "Hello, ", "Hello, wörld"]
    assert view.assigns.messages[-1]["text"] == "".join(CHAT_TEXT)


@seed_row(9)
@in_each_loop
async def test_a_submit_while_an_answer_grows_does_nothing(tmp_path: Path) -> None:
    with Provider(gap=0) as provider:
        async with aquila_cassette("chat", mode="all", cassette_dir=tmp_path) as cassette:
            made: dict[str, Any] = {"base_url": f"{provider.url}/v1", "model": "gpt-4o-mini"}
            async with AsyncClient(**made) as client, ChatLive.mounted(client) as view:
                await view.event("send", {"prompt": "Hello"})
                before = state(view)
                await view.event("send", {"prompt": "Hello again"})
                assert {**state(view), "response": ""} == {**before, "response": ""}
                await settled(view)
    assert len(cassette.interactions) == 1
    assert len(view.assigns.messages) == 2


@seed_row(12)
@in_each_loop
async def test_a_stale_chunk_is_ignored() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        old = view.assigns.stream_ref
        script.say("Hello", *CHAT_FRAMES)
        await settled(view)
        await view.event("send", {"prompt": "Again"})
        script.say("Again", chunk("Hi"))
        await until(view, lambda: view.assigns.response == "Hi")
        before = state(view)
        view.send(Chunk("too late", ref=old))
        await view.event("stop")
        assert state(view) == before


REFS = st.sampled_from([None, "another", 0, ("a", 1)]) | st.builds(StreamRef)
TEXT = st.text(max_size=5)
STRAY = st.one_of(
    st.builds(Chunk, TEXT, ref=REFS),
    st.builds(Done, TEXT, st.builds(Meta), ref=REFS),
    st.builds(Error, TEXT, kind=st.sampled_from(["cut", "cancelled"]), ref=REFS),
    st.none() | st.integers() | TEXT | st.tuples(TEXT, REFS) | st.dictionaries(TEXT, TEXT),
)


@seed_row(13)
@given(messages=st.lists(STRAY, max_size=12), loading=st.booleans())
def test_stale_and_unknown_messages_are_ignored(messages: list[Any], loading: bool) -> None:
    async def stray() -> None:
        async with chat(Script()) as view:
            if loading:
                await view.event("send", {"prompt": "Hello"})
            before = state(view)
            for message in messages:
                view.send(message)
            await notifier.until(lambda: len(view.pending()) == loading)  # the job
            assert state(view) == before

    anyio.run(stray)


class HandFed(ChatLive):  # type: ignore[misc]
    """A chat whose job ends when the test says so."""

    def mount(self, client: AsyncClient) -> None:
        super().mount(client)
        self.ended = anyio.Event()
        self.answer: Any = None

    async def stream(self, prompt: str, ref: StreamRef) -> tuple[StreamRef, Answer]:
        await self.ended.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return ref, self.answer


META = Meta(response_id="r_1", usage={"total_tokens": 3})


@seed_row(14, 15, 17)
@pytest.mark.parametrize("first", ["the last event", "the job"])
@pytest.mark.parametrize("ends", ["well", "in an error"])
@in_each_loop
async def test_an_answer_ends_once_whichever_says_so_first(first: str, ends: str) -> None:
    async with chat(Script(), HandFed) as view:
        await view.event("send", {"prompt": "Hello"})
        ref = view.assigns.stream_ref
        view.send(Chunk("Hi", ref=ref))
        event: Any = Done("Hi", META, ref=ref)
        view.answer = Answer("Hi", META, [])
        if ends == "in an error":
            event = Error("Overloaded", kind="provider", ref=ref)
            view.answer = StreamError("Overloaded", kind="provider")
        if first == "the job":
            view.ended.set()
            await settled(view)
            assert not view.assigns.loading
            view.send(event)
        else:
            view.send(event)
            await until(view, lambda: not view.assigns.loading)
            view.ended.set()
        await settled(view)
        good = {"role": "assistant", "text": "Hi", "meta": META}
        assert state(view) == {
            "messages": [USER, good if ends == "well" else failed("Hi")],
            "response": "",
            "stream_ref": None,
            "loading": False,
            "flash": {} if ends == "well" else {"error": "Something went wrong."},
        }
        assert len(view.pushed) == (ends == "well")


ERROR = "The server had an error while processing your request."
FAILURES = {
    "error-500": (False, "http", ERROR),
    "error-midstream": (True, "provider", f"{ERROR} Sorry about that!"),
    "cut": (True, "cut", "The stream ended before data: [DONE]."),
}


@seed_row(15, 16, 34)
@pytest.mark.parametrize("fault", FAILURES)
@in_each_loop
async def test_a_failure_is_logged_and_what_had_come_is_kept_marked_also_on_replay(
    fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    came, kind, reason = FAILURES[fault]

    async def run(url: str, mode: Any) -> dict[str, Any]:
        caplog.clear()
        made: dict[str, Any] = {"base_url": f"{url}/v1", "model": fault}
        async with aquila_cassette("failed", mode=mode, cassette_dir=tmp_path):
            async with AsyncClient(**made) as client, ChatLive.mounted(client) as view:
                await view.event("send", {"prompt": "Tell me of streams"})
                await settled(view)
        (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
        assert record.name == "aquila_cassette.live"
        assert record.getMessage() == f"job 'stream' of ChatLive failed ({kind}): {reason}"
        return state(view)

    with Provider(gap=0) as provider:
        recorded = await run(provider.url, "once")
    replayed = await run(provider.url, "none")
    assert recorded == replayed
    _, answer = replayed["messages"]
    assert answer["failed"]
    assert bool(answer["text"]) == came
    assert replayed["flash"] == {"error": "Something went wrong."}
    assert not replayed["loading"]


@seed_row(22)
@in_each_loop
async def test_the_page_shows_messages_the_growing_answer_and_a_button_that_waits() -> None:
    script = Script()
    async with chat(script) as view:
        assert await view.rendered() == "Send"
        await view.event("send", {"prompt": "Is 1 < 2?"})
        assert await view.rendered() == "user: Is 1 < 2?\nSend (disabled)"
        script.say("Is 1 < 2?", chunk("Yes"))
        await until(view, lambda: view.assigns.response != "")
        assert await view.rendered() == "user: Is 1 < 2?\nYes\nSend (disabled)"
        script.say("Is 1 < 2?", chunk(".", "stop"), DONE)
        await settled(view)
        assert await view.rendered() == "user: Is 1 < 2?\nassistant: Yes.\nSend"


@seed_row(17, 31)
@in_each_loop
async def test_a_done_answer_has_its_ids_and_usage_in_the_event_and_in_the_jobs_result() -> None:
    metas = []

    class Metas(ChatLive):  # type: ignore[misc]
        def handle_info(self, event: object) -> None:
            if isinstance(event, Done):
                metas.append(event.meta)

        def handle_async(self, name: str, outcome: Any) -> None:
            _, response = outcome.value
            metas.append(response.meta)

    with Provider(gap=0) as provider:
        made = {"base_url": provider.url, "model": "claude-sonnet-5-5"}
        async with AsyncClient(**made) as client, Metas.mounted(client) as view:
            await view.event("send", {"prompt": "Say hello"})
            await settled(view)
    one, other = metas
    assert one == other
    assert one.response_id is not None
    assert one.usage["output_tokens"] > 0


@in_each_loop
async def test_stopping_closes_the_connection_and_keeps_what_had_come() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        script.say("Hello", CHAT_FRAMES[0])
        await until(view, lambda: view.assigns.response == "Hel")
        assert script.closed == []
        await view.event("stop")
        await settled(view)
        assert script.closed == ["Hello"]
        assert view.assigns.messages == [USER, failed("Hel")]
        assert view.flash == {}
        await view.event("send", {"prompt": "Again"})
        script.say("Again", CHAT_FRAMES[0])
        await until(view, lambda: view.assigns.response == "Hel")
    assert view.assigns.loading  # no handler was called
    assert script.closed == ["Hello", "Again"]
