"""While recording, a consumer gets each event when the server sends it, not when it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from aquila_cassette import aquila_cassette
from tests.http.asks import ask_chat, ask_messages, ask_responses
from tests.servers import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES, RESPONSES_FRAMES, GateServer

SDKS = [
    pytest.param("OpenAI", ask_chat, CHAT_FRAMES, id="openai-chat"),
    pytest.param("OpenAI", ask_responses, RESPONSES_FRAMES, id="openai-responses"),
    pytest.param("Anthropic", ask_messages, MESSAGES_FRAMES, id="anthropic"),
]


def sdk(name: str, url: str) -> Any:
    """Make a client of openai or anthropic, sync or async, that never retries."""
    made = getattr(openai, name, None) or getattr(anthropic, name)
    return made(base_url=url, api_key="sk-test", max_retries=0)


def text_of(event: Any) -> str:
    """Give the text that an event of any of the three SDKs carries."""
    if getattr(event, "choices", None):
        return event.choices[0].delta.content or ""
    if event.type == "response.output_text.delta":
        return str(event.delta)
    if event.type == "content_block_delta":
        return str(event.delta.text)
    return ""


@pytest.mark.parametrize(("name", "ask", "frames"), SDKS)
def test_an_sdk_sees_each_event_before_the_next_is_sent(
    name: str, ask: Callable[[Any], Any], frames: tuple[bytes, ...]
) -> None:
    with GateServer(frames) as server, sdk(name, server.url) as client:
        with aquila_cassette("gate"):
            live = []
            for event in ask(client):
                live.append(event)
                server.seen()
            assert server.sent == len(frames)
    assert "".join(map(text_of, live)) == "".join(CHAT_TEXT)
    with aquila_cassette("gate", mode="none") as cassette, sdk(name, server.url) as client:
        assert list(ask(client)) == live
    assert cassette.played[0].response.ended == "complete"


@pytest.mark.parametrize(("name", "ask", "frames"), SDKS)
async def test_an_async_sdk_sees_each_event_before_the_next_is_sent(
    name: str, ask: Callable[[Any], Any], frames: tuple[bytes, ...]
) -> None:
    with GateServer(frames) as server:
        async with aquila_cassette("gate"), sdk(f"Async{name}", server.url) as client:
            live = []
            async for event in await ask(client):
                live.append(event)
                server.seen()
            assert server.sent == len(frames)
    assert "".join(map(text_of, live)) == "".join(CHAT_TEXT)
    async with (
        aquila_cassette("gate", mode="none") as cassette,
        sdk(f"Async{name}", server.url) as client,
    ):
        assert [event async for event in await ask(client)] == live
    assert cassette.played[0].response.ended == "complete"
