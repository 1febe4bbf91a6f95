"""The chat that this project was created from, as the view of docs/live.md: what it promises."""

import asyncio
import json
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
from aquila_cassette.client import AsyncClient, Chunk, Done, Error, Meta, StreamRef
from aquila_cassette.errors import StreamError, UsageError
from aquila_cassette.live import Chat, ChatMessage, StreamView
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

USER = ChatMessage("user", "Hello")


def failed(text: str = "") -> ChatMessage:
    return ChatMessage("assistant", text, ended="failed")


def stopped(text: str = "") -> ChatMessage:
    return ChatMessage("assistant", text, ended="stopped")


@asynccontextmanager
async def chat(script: Script, kind: Any = ChatLive) -> AsyncIterator[Any]:
    async with script.client() as client, kind.mounted(client) as view:
        yield view


def state(view: StreamView) -> dict[str, Any]:
    chat = view.chat()
    return {
        "messages": [*chat.messages],
        "response": chat.response,
        "stream_ref": chat.stream_ref,
        "loading": chat.loading,
        "flash": dict(view.flash),
    }


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
            asyncio.run(waiting["test_a_timer_and_a_ticker"](opened))
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
        assert state(view) == {**empty, "flash": {}}
        await view.event("send", {"prompt": "Hello"})
        ref = view.chat().stream_ref
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
        view.on_render(lambda: grown.append(view.chat().response))
        await view.event("send", {"prompt": "Hello"})
        await settled(view)
    growing = [text for text in dict.fromkeys(grown) if text]
    assert growing == ["Hel", "Hello, ", "Hello, wörld"]
    assert view.chat().messages[-1].text == "".join(CHAT_TEXT)


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
    assert len(view.chat().messages) == 2


@seed_row(12)
@in_each_loop
async def test_a_stale_chunk_is_ignored() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        old = view.chat().stream_ref
        script.say("Hello", *CHAT_FRAMES)
        await settled(view)
        await view.event("send", {"prompt": "Again"})
        script.say("Again", chunk("Hi"))
        await until(view, lambda: view.chat().response == "Hi")
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


@seed_row(14, 15, 17)
@pytest.mark.parametrize("ends", ["well", "in an error"])
@in_each_loop
async def test_an_answer_ends_once_although_its_last_event_and_its_job_both_say_so(
    ends: str,
) -> None:
    ended: list[object] = []

    class Counting(ChatLive):  # type: ignore[misc]
        def handle_answer(self, chat: Chat, message: ChatMessage) -> None:
            ended.append(message)

        def handle_failure(self, chat: Chat, error: StreamError) -> None:
            ended.append(error.reason)

    script = Script()
    async with chat(script, Counting) as view:
        await view.event("send", {"prompt": "Hello"})
        error = b'data: {"error": {"message": "Overloaded"}}\n\n'
        script.say("Hello", *([chunk("Hi", "stop"), DONE] if ends == "well" else [error]))
        script.end("Hello")
        await settled(view)
        user, answer = view.chat().messages
        assert user == USER
        assert answer == failed() if ends == "in an error" else answer.text == "Hi"
        assert ended == (["Overloaded"] if ends == "in an error" else [answer])


@in_each_loop
async def test_a_question_goes_with_what_was_said_before_and_a_retry_replaces_what_failed() -> None:
    sent: list[list[dict[str, str]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content)["messages"])
        if len(sent) == 2:
            return httpx.Response(500, json={"error": {"message": "no"}})
        return httpx.Response(200, content=chunk(f"Answer {len(sent)}", "stop") + DONE)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    async with http, ChatLive.mounted(AsyncClient(http, model="m")) as view:
        for event in ({"prompt": "One"}, {"prompt": "Two"}):
            await view.event("send", event)
            await settled(view)
        assert [one.ended for one in view.chat().messages] == ["done", "done", "done", "failed"]
        await view.event("retry")
        await settled(view)
        said = [one.text for one in view.chat().messages]
    assert said == ["One", "Answer 1", "Two", "Answer 3"]
    assert [[one["content"] for one in messages] for messages in sent] == [
        ["One"],
        ["One", "Answer 1", "Two"],
        ["One", "Answer 1", "Two"],
    ]


@seed_row(33)
@in_each_loop
async def test_several_chats_of_a_page_answer_each_its_own_question() -> None:
    class Board(ChatLive):  # type: ignore[misc]
        def handle_event(self, name: str, params: Any) -> None:
            match name:
                case "send":
                    self.ask(self.client, params["prompt"], chat=params["chat"])
                case "stop":
                    self.stop(params["chat"])

    script = Script()
    async with chat(script, Board) as view:
        for number in (1, 2, 3):
            await view.event("send", {"prompt": f"Question {number}", "chat": number})
        for number in (1, 2, 3):
            script.say(f"Question {number}", chunk(f"Answer {number}"))
        await until(view, lambda: all(one.response for one in view.chats.values()))
        await view.event("stop", {"chat": 2})
        for number in (3, 1):
            script.say(f"Question {number}", chunk(".", "stop"), DONE)
        await settled(view)
        said = {id_: one.messages[-1].text for id_, one in view.chats.items()}
        assert said == {1: "Answer 1.", 2: "Answer 2", 3: "Answer 3."}
        assert [one.messages[-1].ended for one in view.chats.values()] == [
            "done",
            "stopped",
            "done",
        ]


async def test_a_chat_keeps_its_answer_where_its_view_is_closed() -> None:
    script = Script()
    script.say("Hello", *CHAT_FRAMES)
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        await settled(view)
    before = state(view)
    for again in (view.retry, lambda: view.ask(view.client, "Again")):
        with pytest.raises(UsageError, match="to be mounted"):
            again()
    assert state(view) == before


@in_each_loop
async def test_a_mistake_in_asking_fails_the_view_and_ends_the_answer() -> None:
    class Mistaken(ChatLive):  # type: ignore[misc]
        def handle_event(self, name: str, params: Any) -> None:
            self.ask(self.client, params["prompt"], temperature=1)

    with pytest.raises(UsageError, match="no option 'temperature'"):
        async with chat(Script(), Mistaken) as view:
            await view.event("send", {"prompt": "Hello"})
            await settled(view)
    assert not view.chat().loading


def test_the_pages_test_runs_and_its_fixture_closes_the_view_and_fails_for_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, test = examples(PAGE)[:2]
    pytester.makepyfile(
        test_chat=f"""import asyncio
{view}
{test}

async def test_a_view_that_nobody_waits_for_is_closed(aquila_view):
    view = await aquila_view(ChatLive, AsyncClient(model="m", base_url="http://127.0.0.1:9"))
    assert view.chat().messages == []

async def test_what_a_handler_raised_fails_the_test(aquila_view):
    view, handled = await aquila_view(Broken), asyncio.Event()
    view.on_render(handled.set)
    view.send("anything")
    await handled.wait()

class Broken(StreamView):
    def handle_info(self, message):
        raise ValueError("the handler's own")
"""
    )
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        result = pytester.runpytest_subprocess(
            "-q", "-p", "no:cassetter", "-o", "asyncio_mode=auto"
        )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["E*ValueError: the handler's own"])


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
        assert record.getMessage() == f"job 'answer' of ChatLive failed ({kind}): {reason}"
        return state(view)

    with Provider(gap=0) as provider:
        recorded = await run(provider.url, "once")
    replayed = await run(provider.url, "none")
    assert recorded == replayed
    _, answer = replayed["messages"]
    assert answer.ended == "failed"
    assert bool(answer.text) == came
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
        await until(view, lambda: view.chat().response != "")
        assert await view.rendered() == "user: Is 1 < 2?\nYes\nSend (disabled)"
        script.say("Is 1 < 2?", chunk(".", "stop"), DONE)
        await settled(view)
        assert await view.rendered() == "user: Is 1 < 2?\nassistant: Yes.\nSend"


@seed_row(17, 31)
@in_each_loop
async def test_a_done_answer_has_its_ids_and_usage_in_the_event_and_in_the_jobs_result() -> None:
    metas: list[Any] = []

    class Metas(ChatLive):  # type: ignore[misc]
        def handle_event(self, name: str, params: Any) -> None:
            self.ask(self.client, params["prompt"], sink=metas.append)

        def handle_answer(self, chat: Chat, message: ChatMessage) -> None:
            metas.append(message)

    with Provider(gap=0) as provider:
        made = {"base_url": provider.url, "model": "claude-sonnet-5-5"}
        async with AsyncClient(**made) as client, Metas.mounted(client) as view:
            await view.event("send", {"prompt": "Say hello"})
            await settled(view)
    one, other = metas[-2].meta, metas[-1].meta
    assert one == other
    assert one.response_id is not None
    assert one.usage["output_tokens"] > 0


@in_each_loop
async def test_stopping_closes_the_connection_and_keeps_what_had_come() -> None:
    script = Script()
    async with chat(script) as view:
        await view.event("send", {"prompt": "Hello"})
        script.say("Hello", CHAT_FRAMES[0])
        await until(view, lambda: view.chat().response == "Hel")
        assert script.closed == []
        await view.event("stop")
        await settled(view)
        assert script.closed == ["Hello"]
        assert view.chat().messages == [USER, stopped("Hel")]
        assert view.flash == {}
        await view.event("send", {"prompt": "Again"})
        script.say("Again", CHAT_FRAMES[0])
        await until(view, lambda: view.chat().response == "Hel")
    assert view.chat().loading  # no handler was called
    assert script.closed == ["Hello", "Again"]
