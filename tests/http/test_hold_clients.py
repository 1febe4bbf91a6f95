"""Half-written answers, cancels and interleaved conversations, with SDKs and with our client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import anthropic
import anyio
import anyio.to_thread
import openai
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient, Client, Error
from aquila_cassette.provider import Provider
from tests.client.talk import MODELS
from tests.http.held import write_cassette
from tests.servers import CHAT_FRAMES, CHAT_TEXT, MESSAGES_FRAMES

SITE = "https://api.example.com"
"""Where no server answers."""

HELLO = [{"role": "user", "content": "Say hello"}]
CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}
MESSAGES: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 64,
    "messages": HELLO,
    "stream": True,
}

each_loop = pytest.mark.parametrize("backend", ["asyncio", "trio"])
each_endpoint = pytest.mark.parametrize("endpoint", MODELS)


class Sdk(NamedTuple):
    """An SDK that asks for a greeting: what goes over the wire, and who gives the texts of it."""

    path: str
    asked: dict[str, Any]
    frames: tuple[bytes, ...]
    before: int
    """How many events come before the first text."""
    texts: Callable[[], Iterator[str]]
    texts_async: Callable[[], AsyncIterator[str]]


def chat() -> Iterator[str]:
    with openai.OpenAI(base_url=f"{SITE}/v1", api_key="k") as client:
        for chunk in client.chat.completions.create(**CHAT):
            yield chunk.choices[0].delta.content or ""


async def chat_async() -> AsyncIterator[str]:
    async with openai.AsyncOpenAI(base_url=f"{SITE}/v1", api_key="k") as client:
        async for chunk in await client.chat.completions.create(**CHAT):
            yield chunk.choices[0].delta.content or ""


def messages() -> Iterator[str]:
    with anthropic.Anthropic(base_url=SITE, api_key="k") as client:
        for event in client.messages.create(**MESSAGES):
            yield event.delta.text if event.type == "content_block_delta" else ""


async def messages_async() -> AsyncIterator[str]:
    async with anthropic.AsyncAnthropic(base_url=SITE, api_key="k") as client:
        async for event in await client.messages.create(**MESSAGES):
            yield event.delta.text if event.type == "content_block_delta" else ""


SDKS = {
    "openai-chat": Sdk("/v1/chat/completions", CHAT, CHAT_FRAMES, 0, chat, chat_async),
    "anthropic": Sdk("/v1/messages", MESSAGES, MESSAGES_FRAMES, 2, messages, messages_async),
}
each_sdk = pytest.mark.parametrize("sdk", SDKS.values(), ids=SDKS)


@each_sdk
async def test_the_answer_of_an_async_sdk_is_seen_half_written(sdk: Sdk) -> None:
    write_cassette("held", sdk.frames, asked=[sdk.asked], url=SITE + sdk.path)
    said: list[str] = []

    async def show() -> None:
        async for text in sdk.texts_async():
            said.append(text)

    async with aquila_cassette("held", mode="none", hold=True) as cassette:
        task = asyncio.create_task(show())
        await cassette.advance(sdk.before + 1)
        assert "".join(said) == CHAT_TEXT[0]
        await cassette.advance()
        assert "".join(said) == "".join(CHAT_TEXT[:2])
        assert not task.done()
        await cassette.advance(99)
        await task
    assert "".join(said) == "".join(CHAT_TEXT)


@each_sdk
def test_the_answer_of_a_sync_sdk_in_a_thread_is_seen_half_written(sdk: Sdk) -> None:
    write_cassette("held", sdk.frames, asked=[sdk.asked], url=SITE + sdk.path)
    said: list[str] = []

    def show() -> None:
        for text in sdk.texts():
            said.append(text)

    with aquila_cassette("held", mode="none", hold=True) as cassette:
        thread = threading.Thread(target=show)
        thread.start()
        cassette.advance_sync(sdk.before + 1)
        assert "".join(said) == CHAT_TEXT[0]
        cassette.advance_sync()
        assert "".join(said) == "".join(CHAT_TEXT[:2])
        cassette.advance_sync(99)
        thread.join()
    assert "".join(said) == "".join(CHAT_TEXT)


@each_loop
@each_endpoint
def test_our_client_gives_the_chunks_let_through_and_is_cancelled(
    endpoint: str, backend: str
) -> None:
    with Provider(gap=0) as provider:
        url = f"{provider.url}/v1" if endpoint in ("chat", "responses") else provider.url
        made: dict[str, Any] = {"base_url": url, "model": MODELS[endpoint], "endpoint": endpoint}
        with aquila_cassette("ours"), Client(**made) as client:
            client.ask("Say hello")

    async def main() -> list[Any]:
        async with aquila_cassette("ours", mode="none", hold=True) as cassette:
            async with AsyncClient(**made) as client:
                stream = client.stream("Say hello")
                while not stream.text:
                    await cassette.advance()
                first = stream.text
                while stream.text == first:
                    await cassette.advance()
                assert stream.text.startswith(first)
                assert not stream.done
                stream.cancel()
                return [event async for event in stream]

    events = anyio.run(main, backend=backend)
    assert isinstance(events[-1], Error)
    assert events[-1].kind == "cancelled"
