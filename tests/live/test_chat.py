"""The chat that this project was created from, as a view: what its page promises."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette import aquila_cassette
from aquila_cassette.client import (
    AsyncClient,
    Chunk,
    Done,
    Error,
    Meta,
    Raw,
    Reasoning,
    Response,
    StreamRef,
    ToolCall,
    tee,
)
from aquila_cassette.errors import StreamError
from aquila_cassette.live import Completed, Exited, Failed, View, assert_flash, assert_push_event
from aquila_cassette.provider import Provider
from aquila_cassette.sse import Event
from tests.live.chat_live import ChatLive, Message
from tests.live.loops import in_each_loop, settled, until
from tests.live.rows import seed_row
from tests.live.script import DONE, Script, chunk
from tests.servers import CHAT_FRAMES, CHAT_TEXT, Connection, RawServer, Request

GONE_WRONG = Message("assistant", "Something went wrong.", failed=True)
USER = Message("user", "Hello")


@asynccontextmanager
async def chat(script: Script, kind: type[ChatLive] = ChatLive) -> AsyncIterator[Any]:
    async with script.client() as client, kind.mounted(client) as view:
        yield view


def state(view: View) -> dict[str, Any]:
    return {**view.assigns, "flash": dict(view.flash)}


@seed_row(8)
@in_each_loop
async def test_a_chat_begins_empty() -> None:
    async with chat(Script()) as view:
        assert dict(view.assigns) == {
            "messages": [],
            "response": "",
            "stream_ref": None,
            "loading": False,
        }


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
    assert len(growing) == len(CHAT_TEXT)
    assert view.assigns.messages[-1].content == "".join(CHAT_TEXT)


@seed_row(10)
@in_each_loop
async def test_a_submit_shows_what_was_said_before_anything_is_asked() -> None:
    seen: list[dict[str, Any]] = []

    async def look(request: httpx.Request) -> httpx.Response:
        seen.append(state(view))
        asked.set()
        return await anyio.sleep_forever()

    asked = anyio.Event()
    http = httpx.AsyncClient(transport=httpx.MockTransport(look))
    client = AsyncClient(http, model="m")
    async with http, ChatLive.mounted(client) as view:
        view.assign(response="what a failed answer had left")
        await view.event("send", {"prompt": "Hello"})
        shown = state(view)
        assert isinstance(shown["stream_ref"], StreamRef)
        assert shown == {
            "messages": [USER],
            "response": "",
            "stream_ref": view.assigns.stream_ref,
            "loading": True,
            "flash": {},
        }
        await asked.wait()
        assert seen == [shown]


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
                assert view.assigns.loading
                assert state(view)["messages"] == before["messages"]
                assert state(view)["stream_ref"] is before["stream_ref"]
                await settled(view)
    (interaction,) = cassette.interactions
    assert interaction.request.url.endswith("/chat/completions")
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
    st.builds(Reasoning, TEXT, ref=REFS),
    st.builds(Done, TEXT, st.builds(Meta), ref=REFS),
    st.builds(Error, TEXT, kind=st.sampled_from(["cut", "cancelled"]), ref=REFS),
    st.builds(ToolCall, st.just("start"), TEXT, TEXT, ref=REFS),
    st.builds(Raw, st.builds(Event, TEXT, TEXT), ref=REFS),
    st.none() | st.integers() | TEXT | st.tuples(TEXT, REFS) | st.dictionaries(TEXT, TEXT),
)


@seed_row(13)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@given(messages=st.lists(STRAY, max_size=12), loading=st.booleans())
@settings(max_examples=40, deadline=None)
def test_stale_and_unknown_messages_are_ignored(
    backend: str, messages: list[Any], loading: bool
) -> None:
    async def stray() -> None:
        async with chat(Script()) as view:
            if loading:
                await view.event("send", {"prompt": "Hello"})
            before = state(view)
            for message in messages:
                view.send(message)
            await until(view, lambda: not _waiting(view))
            assert state(view) == before

    anyio.run(stray, backend=backend)


def _waiting(view: View) -> bool:
    return any("inbox" in one.what for one in view.pending())


class HandFed(ChatLive):
    """A chat whose streams end when the test says so."""

    def mount(self, client: AsyncClient) -> None:
        super().mount(client)
        self.ended = anyio.Event()
        self.answer: Any = None

    async def stream(self, prompt: str, ref: StreamRef) -> tuple[StreamRef, Response]:
        await self.ended.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return ref, self.answer


META = Meta(response_id="r_1", usage={"total_tokens": 3})


@seed_row(14)
@pytest.mark.parametrize("first", ["the last event", "the job"])
@in_each_loop
async def test_an_answer_is_finished_once_whoever_says_so_first(first: str) -> None:
    async with chat(Script(), HandFed) as view:
        await view.event("send", {"prompt": "Hello"})
        ref = view.assigns.stream_ref
        view.send(Chunk("Hi", ref=ref))
        view.answer = Response("Hi", META, [])
        if first == "the job":
            view.ended.set()
            await settled(view)
            assert not view.assigns.loading
            view.send(Done("Hi", META, ref=ref))
        else:
            view.send(Done("Hi", META, ref=ref))
            await until(view, lambda: not view.assigns.loading)
            view.ended.set()
        await settled(view)
        assert state(view) == {
            "messages": [USER, Message("assistant", "Hi", META)],
            "response": "",
            "stream_ref": None,
            "loading": False,
            "flash": {},
        }
        await assert_push_event(view, "answered")
        assert not view.pushed


@seed_row(15)
@pytest.mark.parametrize("first", ["the last event", "the job"])
@in_each_loop
async def test_an_answer_fails_once_whoever_says_so_first(first: str) -> None:
    async with chat(Script(), HandFed) as view:
        await view.event("send", {"prompt": "Hello"})
        ref = view.assigns.stream_ref
        view.answer = StreamError("Overloaded", kind="provider")
        error = Error("Overloaded", kind="provider", ref=ref)
        if first == "the job":
            view.ended.set()
            await settled(view)
            view.send(error)
        else:
            view.send(error)
            await until(view, lambda: not view.assigns.loading)
            view.ended.set()
        await settled(view)
        assert view.assigns.messages == [USER, GONE_WRONG]
        assert not view.assigns.loading
        assert view.assigns.stream_ref is None


FAILURES = {
    "error-500": (False, "http", "The server had an error while processing your request."),
    "error-midstream": (
        True,
        "provider",
        "The server had an error while processing your request. Sorry about that!",
    ),
    "cut": (True, "cut", "The stream ended before data: [DONE]."),
}


@seed_row(15, 16, 34)
@pytest.mark.parametrize("fault", FAILURES)
@in_each_loop
async def test_a_recorded_failure_is_told_and_what_had_come_is_kept_marked(
    fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    came, kind, reason = FAILURES[fault]

    async def failed(url: str, mode: Any) -> dict[str, Any]:
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
        recorded = await failed(provider.url, "once")
    replayed = await failed(provider.url, "none")
    assert recorded == replayed
    said, broken = replayed["messages"]
    assert said.content == "Tell me of streams"
    assert (broken.content, broken.failed) == ("Something went wrong.", True)
    assert bool(broken.partial) == came
    assert replayed["flash"] == {"error": "Something went wrong."}
    assert (replayed["loading"], replayed["response"], replayed["stream_ref"]) == (False, "", None)


@seed_row(16)
@in_each_loop
async def test_what_had_come_of_a_cut_answer_stays_on_the_page_marked() -> None:
    script = Script()
    script.say("Hello", *CHAT_FRAMES[:2])
    script.end("Hello")
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        await settled(view)
        failed = '<p class="assistant failed"><s>Hello, </s> Something went wrong.</p>'
        assert failed in await view.rendered()
        script.say("Again", *CHAT_FRAMES)
        await view.event("send", {"prompt": "Again"})
        assert dict(view.flash) == {}
        await settled(view)
        assert failed in await view.rendered()
        assert view.assigns.messages[-1].content == "Hello, wörld"


@seed_row(22)
@in_each_loop
async def test_the_page_shows_messages_the_growing_answer_and_a_button_that_waits() -> None:
    def page(button: str, *lines: str) -> str:
        return "\n".join(
            [
                '<form id="prompt-form">',
                '  <input name="prompt">',
                f"  <button{button}>Send</button>",
                "</form>",
                '<div id="chat-output">',
                *(f"  {line}" for line in lines),
                "</div>",
            ]
        )

    script = Script()
    said = '<p class="user">Is 1 &lt; 2?</p>'
    async with chat(script) as view:
        assert await view.rendered() == page("")
        await view.event("send", {"prompt": "Is 1 < 2?"})
        assert await view.rendered() == page(" disabled", said)
        script.say("Is 1 < 2?", chunk("Yes"))
        await until(view, lambda: view.assigns.response != "")
        assert await view.rendered() == page(" disabled", said, '<p class="assistant">Yes</p>')
        script.say("Is 1 < 2?", chunk(".", "stop"), DONE)
        await settled(view)
        assert await view.rendered() == page("", said, '<p class="assistant">Yes.</p>')


@seed_row(5)
@in_each_loop
async def test_the_view_and_who_awaits_the_answer_see_the_same_events() -> None:
    class Both(View):
        def mount(self, client: AsyncClient) -> None:
            self.client = client
            self.seen: list[Any] = []
            self.awaited: list[Any] = []

        def handle_event(self, name: str, params: Any) -> None:
            self.start_async("stream", self.stream)

        async def stream(self) -> str:
            sink = tee(self.send, self.awaited.append)
            async with self.client.stream("Hello", sink=sink) as stream:
                return (await stream.result()).text

        def handle_info(self, message: Any) -> None:
            self.seen.append(message)

        def handle_async(self, name: str, outcome: Any) -> None:
            self.outcome = outcome

    script = Script()
    script.say("Hello", *CHAT_FRAMES)
    async with script.client() as client, Both.mounted(client) as view:
        await view.event("send")
        await settled(view)
        assert view.outcome == Completed("Hello, wörld")
        assert view.seen == view.awaited
        assert [type(event) for event in view.seen] == [Chunk, Chunk, Chunk, Done]


@seed_row(17, 31)
@in_each_loop
async def test_a_done_answer_tells_its_ids_and_usage_in_the_event_and_in_the_jobs_result() -> None:
    class Metas(ChatLive):
        def mount(self, client: AsyncClient) -> None:
            super().mount(client)
            self.metas: list[Meta] = []

        def handle_info(self, message: object) -> None:
            if isinstance(message, Done):
                self.metas.append(message.meta)

        def handle_async(self, name: str, outcome: Any) -> None:
            match outcome:
                case Completed((ref, Response(meta=meta))) if ref is self.assigns.stream_ref:
                    self.metas.append(meta)
                    super().handle_async(name, outcome)

    with Provider(gap=0) as provider:
        made = {"base_url": provider.url, "model": "claude-sonnet-5-5"}
        async with AsyncClient(**made) as client, Metas.mounted(client) as view:
            await view.event("send", {"prompt": "Say hello"})
            await settled(view)
            event = await assert_push_event(view, "answered")
    one, other = view.metas
    assert one == other == view.assigns.messages[-1].meta
    assert one.response_id is not None
    assert one.usage["output_tokens"] > 0
    assert event.payload == {"response_id": one.response_id, "usage": one.usage}


@in_each_loop
async def test_what_the_assistant_said_is_told_from_what_the_user_said() -> None:
    with Provider(gap=0) as provider:
        made = {"base_url": f"{provider.url}/v1", "model": "gpt-4o-mini"}
        async with AsyncClient(**made) as client, ChatLive.mounted(client) as view:
            await view.event("send", {"prompt": "Hello"})
            assert '<p class="assistant">' not in await view.rendered()
            await settled(view)
            assert '<p class="assistant">Hello! ' in await view.rendered()


@pytest.mark.parametrize("params", [{"prompt": {"content": "Hello"}}, {}, None, "Hello"])
@in_each_loop
async def test_a_form_that_sends_another_shape_is_refused(params: Any) -> None:
    async with chat(Script()) as view:
        with pytest.raises(ValueError, match="no event of this page: 'send' with"):
            await view.event("send", params)
        assert view.assigns.messages == []
        assert view.take_failure() is None


@in_each_loop
async def test_stopping_closes_the_socket_and_keeps_what_had_come() -> None:
    gone = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head()
        connection.piece(CHAT_FRAMES[0])
        connection.gone()
        gone.set()

    with RawServer(script) as server:
        made: dict[str, Any] = {"base_url": server.url, "model": "m"}
        async with AsyncClient(**made) as client, ChatLive.mounted(client) as view:
            await view.event("send", {"prompt": "Hello"})
            await until(view, lambda: view.assigns.response == "Hel")
            assert not gone.is_set()
            await view.event("stop")
            await settled(view)
            assert await anyio.to_thread.run_sync(gone.wait, 5)
            stopped = Message("assistant", "Stopped.", failed=True, partial="Hel")
            assert view.assigns.messages == [USER, stopped]
            assert dict(view.flash) == {}


@in_each_loop
async def test_closing_the_view_closes_the_socket_and_tells_nobody() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        script.say("Hello", chunk("Hi"))
        await until(view, lambda: view.assigns.response == "Hi")
        assert script.closed == []
        await view.aclose()
        assert script.closed == ["Hello"]
        assert view.assigns.loading


@seed_row(28)
@in_each_loop
async def test_the_end_of_an_answer_pushes_an_event() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        script.say("Hello", *CHAT_FRAMES)
        await assert_push_event(view, "answered", {"response_id": "chatcmpl-1"})


@seed_row(29)
@in_each_loop
async def test_the_failure_of_an_answer_shows_a_flash() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        script.end("Hello")
        assert await assert_flash(view, "error", "went wrong") == "Something went wrong."


def test_outcomes_match() -> None:
    def told(outcome: object) -> str:
        match outcome:
            case Completed((ref, text)):
                return f"{ref} said {text}"
            case Failed(StreamError(kind="cut") as error):
                return error.reason
            case Exited(ValueError() as error):
                return str(error)
            case Exited(reason):
                return f"exited: {reason}"
        return "?"

    outcomes = [
        Completed(("r", "Hi")),
        Failed(StreamError("The stream was cut.", kind="cut")),
        Exited(ValueError("no")),
        Exited("cancelled"),
    ]
    assert [told(one) for one in outcomes] == [
        "r said Hi",
        "The stream was cut.",
        "no",
        "exited: cancelled",
    ]
