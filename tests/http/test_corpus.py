"""Real provider streams, cut at random: recorded off a socket, replayed without it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
from google import genai
from google.genai import errors as genai_errors

from aquila_cassette import aquila_cassette
from aquila_cassette.dialects import recognise
from tests.corpus import Recorded, every_recorded
from tests.servers import Connection, RawServer, Request


@pytest.fixture(scope="module")
def clients() -> Iterator[list[Any]]:
    """A client of each library, for many tests: making one costs more than a whole replay."""
    with httpx.Client() as one, httpx2.Client() as other:
        yield [one, other]


def answering(recorded: Recorded) -> RawServer:
    """A server that answers whatever it is asked with a recorded body, cut at random."""
    pieces = recorded.pieces

    def script(connection: Connection, request: Request) -> None:
        connection.head(recorded.status, {"content-type": recorded.content_type})
        for piece in pieces:
            connection.piece(piece)
        connection.end()

    return RawServer(script)


@every_recorded
async def test_a_real_stream_replays_piece_for_piece(
    clients: list[Any], recorded: Recorded
) -> None:
    client = random.Random(recorded.file).choice(clients)
    with answering(recorded) as server:
        with aquila_cassette("corpus"), client.stream("GET", server.url) as response:
            live = list(response.iter_raw())
    assert b"".join(live) == recorded.body
    with aquila_cassette("corpus", mode="none", repeats=True) as cassette:
        for one in clients:
            with one.stream("GET", server.url) as response:
                assert list(response.iter_raw()) == live
                assert response.status_code == recorded.status
                assert response.headers["content-type"] == recorded.content_type
        for lib in (httpx, httpx2):
            async with (
                lib.AsyncClient(verify=False) as asynchronous,
                asynchronous.stream("GET", server.url) as response,
            ):
                assert [piece async for piece in response.aiter_raw()] == live
    assert {one.response.ended for one in cassette.played} == {"complete"}


def ask_chat(url: str) -> list[Any]:
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        return list(client.chat.completions.create(model="m", messages=[], stream=True))


def ask_responses(url: str) -> list[Any]:
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        return list(client.responses.create(model="m", input="Hello", stream=True))


def ask_anthropic(url: str) -> list[Any]:
    with anthropic.Anthropic(base_url=url, api_key="sk-test", max_retries=0) as client:
        return list(client.messages.create(model="m", max_tokens=9, messages=[], stream=True))


def ask_gemini(url: str) -> list[Any]:
    options = {"base_url": url}
    with genai.Client(api_key="test", vertexai=False, http_options=options) as client:  # type: ignore[arg-type]
        chunks = client.models.generate_content_stream(model="m", contents="Hello")
        return [chunk.model_dump(exclude={"sdk_http_response"}) for chunk in chunks]


ASK: dict[str, Callable[[str], list[Any]]] = {
    "openai-chat": ask_chat,
    "openai-responses": ask_responses,
    "anthropic": ask_anthropic,
    "gemini": ask_gemini,
}
# What an SDK says of a stream that it cannot read; of a live one and of its replay the same.
SAYS_NO = (openai.OpenAIError, anthropic.AnthropicError, genai_errors.APIError, ValueError)


def parsed(ask: Callable[[str], list[Any]], url: str) -> object:
    try:
        return ask(url)
    except SAYS_NO as error:
        return type(error), str(error)


@every_recorded
def test_a_real_stream_gives_an_sdk_the_same_objects_on_replay(recorded: Recorded) -> None:
    dialect = recognise(recorded.content_type, recorded.body)
    ask = ASK.get(dialect.name if dialect else "", ask_chat)
    with answering(recorded) as server:
        with aquila_cassette("sdk"):
            live = parsed(ask, server.url)
    with aquila_cassette("sdk", mode="none"):
        assert parsed(ask, server.url) == live
