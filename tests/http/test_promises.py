"""The promises of the design's table that httpx and httpx2 alone can show, a test each."""

from __future__ import annotations

import asyncio
import json

import anthropic
import httpx
import pytest

from aquila_cassette import MissError, aquila_cassette
from aquila_cassette.provider import Provider
from tests.clients import Face, every_face
from tests.servers import Connection, RawServer, Request

NOBODY = "http://127.0.0.1:9"
"""Where no server answers."""


def echoing(connection: Connection, request: Request) -> None:
    """Stream back the prompt, a word a frame."""
    connection.head(200)
    for word in request.json()["prompt"].split():
        connection.piece(f"data: {word}\n\n".encode())
    connection.end()


def words(prompt: str) -> bytes:
    return "".join(f"data: {word}\n\n" for word in prompt.split()).encode()


@every_face
async def test_five_concurrent_streams_replay_right_in_another_order(face: Face) -> None:
    prompts = [f"this is prompt number {number}" for number in range(5)]

    async def ask(url: str, prompt: str) -> bytes:
        return b"".join(await face.pieces(url, json={"prompt": prompt}))

    with RawServer(echoing) as server:
        with aquila_cassette("five"):
            await asyncio.gather(*(ask(server.url, prompt) for prompt in prompts))
    with aquila_cassette("five", mode="none"):
        backwards = prompts[::-1]
        answers = await asyncio.gather(*(ask(server.url, prompt) for prompt in backwards))
    assert answers == [words(prompt) for prompt in backwards]


def ask_anthropic() -> None:
    with anthropic.Anthropic(base_url=NOBODY, api_key="sk-test", max_retries=0) as client:
        client.messages.create(
            model="claude-sonnet-5-5",
            max_tokens=10,
            messages=[{"role": "user", "content": "Say hello"}],
        )


def test_a_miss_that_an_sdk_swallows_is_raised_at_the_end_of_the_block() -> None:
    with pytest.raises(MissError, match=rf"^No interaction matches POST {NOBODY}/v1/messages"):
        with aquila_cassette("swallowed", mode="none"):
            with pytest.raises(anthropic.APIConnectionError, match=r"^Connection error\.$"):
                ask_anthropic()


def test_the_recorded_pace_is_kept_on_request_and_none_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import time

    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with Provider(gap=0) as provider:
        prompt = {
            "model": "aquila-1",
            "stream": True,
            "messages": [{"role": "user", "content": "Hi"}],
        }
        url = f"{provider.url}/v1/chat/completions"
        with aquila_cassette("paced"):
            httpx.post(url, json=prompt)
    with aquila_cassette("paced", mode="none"):
        httpx.post(url, json=prompt)
    assert waited == []
    with aquila_cassette("paced", mode="none", speed=0.001):
        httpx.post(url, json=prompt)
    assert waited
    assert all(wait > 0 for wait in waited)


async def test_ambient_requests_of_async_libraries_are_answered_and_not_waited_for() -> None:
    import aiohttp

    token = "https://oauth2.googleapis.com/token"
    async with aquila_cassette("ambient", mode="none") as cassette:
        async with httpx.AsyncClient(verify=False) as client, aiohttp.ClientSession() as session:
            unread = await client.send(client.build_request("POST", token), stream=True)
            await cassette.settled(timeout=1)
            assert json.loads(await unread.aread())["access_token"] == "aquila-placeholder"
            async with session.post(token) as answer:
                assert (await answer.json())["access_token"] == "aquila-placeholder"
    assert (cassette.played, cassette.recorded, cassette.misses) == ((), (), ())
