"""While recording, a consumer gets each event when the server sends it, not when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from aquila_cassette import aquila_cassette
from tests.clients import Face, every_face
from tests.servers import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES, RESPONSES_FRAMES, GateServer

PROMPT = [{"role": "user", "content": "Say hello"}]


@every_face
async def test_each_piece_is_seen_before_the_next_is_sent(face: Face) -> None:
    with GateServer(CHAT_FRAMES) as server:
        with aquila_cassette("gate") as cassette:
            seen = []
            async with face.stream(server.url, json={"prompt": "Say hello"}) as reply:
                for frame in CHAT_FRAMES:
                    seen.append(await reply.piece())
                    assert server.sent == len(seen)
                    assert seen[-1] == frame
                    server.seen()
                assert await reply.pieces() == []
            assert [piece.data for piece in cassette.recorded[0].response.pieces] == seen
    with aquila_cassette("gate", mode="none"):
        assert await face.pieces(server.url, json={"prompt": "Say hello"}) == seen


def _openai_chat(url: str) -> Any:
    client = openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0)
    return client.chat.completions.create(model="gpt-4o-mini", messages=PROMPT, stream=True)


def _openai_responses(url: str) -> Any:
    client = openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0)
    return client.responses.create(model="gpt-4o-mini", input="Say hello", stream=True)


def _anthropic(url: str) -> Any:
    client = anthropic.Anthropic(base_url=url, api_key="sk-test", max_retries=0)
    return client.messages.create(
        model="claude-sonnet-4-5", max_tokens=100, messages=PROMPT, stream=True
    )


def _async_openai_chat(url: str) -> Any:
    client = openai.AsyncOpenAI(base_url=url, api_key="sk-test", max_retries=0)
    return client.chat.completions.create(model="gpt-4o-mini", messages=PROMPT, stream=True)


def _async_openai_responses(url: str) -> Any:
    client = openai.AsyncOpenAI(base_url=url, api_key="sk-test", max_retries=0)
    return client.responses.create(model="gpt-4o-mini", input="Say hello", stream=True)


def _async_anthropic(url: str) -> Any:
    client = anthropic.AsyncAnthropic(base_url=url, api_key="sk-test", max_retries=0)
    return client.messages.create(
        model="claude-sonnet-4-5", max_tokens=100, messages=PROMPT, stream=True
    )


SYNC = [
    pytest.param(_openai_chat, CHAT_FRAMES, id="openai-chat"),
    pytest.param(_openai_responses, RESPONSES_FRAMES, id="openai-responses"),
    pytest.param(_anthropic, MESSAGES_FRAMES, id="anthropic"),
]
ASYNC = [
    pytest.param(_async_openai_chat, CHAT_FRAMES, id="openai-chat"),
    pytest.param(_async_openai_responses, RESPONSES_FRAMES, id="openai-responses"),
    pytest.param(_async_anthropic, MESSAGES_FRAMES, id="anthropic"),
]


def text_of(event: Any) -> str:
    """Give the text that an event of any of the three SDKs carries."""
    if getattr(event, "choices", None):
        return event.choices[0].delta.content or ""
    if event.type == "response.output_text.delta":
        return str(event.delta)
    if event.type == "content_block_delta":
        return str(event.delta.text)
    return ""


@pytest.mark.parametrize(("ask", "frames"), SYNC)
def test_an_sdk_sees_each_event_before_the_next_is_sent(
    ask: Callable[[str], Any], frames: tuple[bytes, ...]
) -> None:
    with GateServer(frames) as server:
        with aquila_cassette("gate"):
            live = []
            for event in ask(server.url):
                live.append(event)
                server.seen()
            assert server.sent == len(frames)
    assert "".join(map(text_of, live)) == "".join(CHAT_TEXT)
    with aquila_cassette("gate", mode="none") as cassette:
        assert list(ask(server.url)) == live
    assert cassette.played[0].response.ended == "complete"


@pytest.mark.parametrize(("ask", "frames"), ASYNC)
async def test_an_async_sdk_sees_each_event_before_the_next_is_sent(
    ask: Callable[[str], Any], frames: tuple[bytes, ...]
) -> None:
    with GateServer(frames) as server:
        async with aquila_cassette("gate"):
            live = []
            async for event in await asyncio.wait_for(ask(server.url), 10):
                live.append(event)
                server.seen()
            assert server.sent == len(frames)
    assert "".join(map(text_of, live)) == "".join(CHAT_TEXT)
    async with aquila_cassette("gate", mode="none") as cassette:
        assert [event async for event in await ask(server.url)] == live
    assert cassette.played[0].response.ended == "complete"
