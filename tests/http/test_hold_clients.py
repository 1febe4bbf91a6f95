"""Half-written answers, cancels and interleaved conversations, with SDKs and with our client."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import anyio.to_thread
import openai
import pytest

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient, Client, Error
from aquila_cassette.provider import Provider
from tests.client.talk import MODELS
from tests.http.cassettes import write_cassette
from tests.servers import CHAT_FRAMES, CHAT_TEXT

SITE = "https://api.example.com"
"""Where no server answers."""

HELLO = [{"role": "user", "content": "Say hello"}]
CHAT: dict[str, Any] = {"model": "gpt-4o-mini", "messages": HELLO, "stream": True}

each_loop = pytest.mark.parametrize("backend", ["asyncio", "trio"])
each_endpoint = pytest.mark.parametrize("endpoint", MODELS)


def test_the_answer_of_an_sdk_in_a_thread_is_seen_half_written() -> None:
    write_cassette("held", CHAT_FRAMES, asked=[CHAT], url=f"{SITE}/chat/completions")
    said: list[str] = []

    def show() -> None:
        with openai.OpenAI(base_url=SITE, api_key="k") as client:
            for chunk in client.chat.completions.create(**CHAT):
                said.append(chunk.choices[0].delta.content or "")

    with aquila_cassette("held", mode="none", hold=True) as cassette:
        thread = threading.Thread(target=show)
        thread.start()
        cassette.advance_sync()
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
