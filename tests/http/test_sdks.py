"""SDKs on httpx and aiohttp see each event while it is recorded, and again on replay."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from google import genai

from aquila_cassette import aquila_cassette
from aquila_cassette.provider import Provider
from tests.servers import (
    CHAT_FRAMES,
    MESSAGES_FRAMES,
    RESPONSES_FRAMES,
    GateServer,
)

_PROMPT = [{"role": "user", "content": "Say hello"}]


def ask_chat(client: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o-mini", messages=_PROMPT, stream=True)


def ask_responses(client: Any) -> Any:
    return client.responses.create(model="gpt-4o-mini", input="Say hello", stream=True)


def ask_messages(client: Any) -> Any:
    return client.messages.create(
        model="claude-sonnet-5-5", max_tokens=100, messages=_PROMPT, stream=True
    )


SDKS = [
    pytest.param(openai, ask_chat, CHAT_FRAMES, id="openai-chat"),
    pytest.param(openai, ask_responses, RESPONSES_FRAMES, id="openai-responses"),
    pytest.param(anthropic, ask_messages, MESSAGES_FRAMES, id="anthropic"),
]


@pytest.mark.parametrize("transport", ["DefaultAsyncHttpxClient", "DefaultAioHttpClient"])
@pytest.mark.parametrize(("sdk", "ask", "frames"), SDKS)
async def test_an_sdk_is_recorded_once_and_sees_each_event_before_the_next_is_sent(
    sdk: Any, ask: Callable[[Any], Any], frames: tuple[bytes, ...], transport: str
) -> None:
    def client() -> Any:
        make = sdk.AsyncOpenAI if sdk is openai else sdk.AsyncAnthropic
        http_client = getattr(sdk, transport)()
        return make(base_url=server.url, api_key="k", max_retries=0, http_client=http_client)

    with GateServer(frames) as server:
        async with aquila_cassette("sdk") as cassette, client() as live_client:
            live = []
            async for event in await ask(live_client):
                live.append(event)
                server.seen()
            assert server.sent == len(frames)
        assert [one.response.body for one in cassette.recorded] == [b"".join(frames)]
    async with aquila_cassette("sdk", mode="none") as cassette, client() as replaying:
        assert [event async for event in await ask(replaying)] == live
    assert cassette.played[0].response.ended == "complete"


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_google_genai_streams_on_aiohttp_recorded_and_replayed() -> None:
    async def events(url: str) -> AsyncIterator[Any]:
        client = genai.Client(api_key="test", http_options={"base_url": url})
        try:
            reply = await client.aio.models.generate_content_stream(
                model="gemini-2.5-flash", contents="Say hello"
            )
            async for event in reply:
                yield event.text
            assert isinstance(client._api_client._aiohttp_session, aiohttp.ClientSession)
        finally:
            await client.aio.aclose()

    with Provider() as provider:
        url = provider.url
        async with aquila_cassette("gemini") as cassette:
            live = [text async for text in events(url)]
        assert [one.response.ended for one in cassette.recorded] == ["complete"]
        assert len(cassette.recorded[0].response.pieces) > 5
    async with aquila_cassette("gemini", mode="none"):
        assert [text async for text in events(url)] == live


async def test_aiohttp_that_is_imported_inside_a_block_is_recorded_too(tmp_path: Any) -> None:
    program = """
import asyncio, sys
from aquila_cassette import aquila_cassette

async def main():
    with aquila_cassette("late", cassette_dir=sys.argv[2], mode="once") as cassette:
        assert "aiohttp" not in sys.modules
        import aiohttp
        async with aiohttp.ClientSession() as session:
            async with session.get(sys.argv[1]) as response:
                await response.read()
        assert len(cassette.recorded) == 1

asyncio.run(main())
"""
    with GateServer(CHAT_FRAMES[:1]) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, server.url, str(tmp_path)
        )
        assert await process.wait() == 0


@pytest.mark.parametrize("library", ["requests", "asyncio"])
def test_the_documented_programs_record_and_replay(library: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "libraries.md").read_text("utf-8")
    (source,) = re.findall(rf"```python\n(import {library}.*?)```", page, re.DOTALL)
    program: dict[str, Any] = {}
    exec(source, program)
    run = asyncio.run if library == "asyncio" else list
    with Provider() as provider:
        url = f"{provider.url}/v1/chat/completions"
        live = run(program["main"](url))
    assert run(program["main"](url)) == live
    assert live[-1].rstrip() == b"data: [DONE]"
