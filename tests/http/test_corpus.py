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


def chat(url: str) -> list[Any]:
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        return list(client.chat.completions.create(model="m", messages=[], stream=True))


def responses(url: str) -> list[Any]:
    with openai.OpenAI(base_url=url, api_key="sk-test", max_retries=0) as client:
        return list(client.responses.create(model="m", input="Hello", stream=True))


def messages(url: str) -> list[Any]:
    with anthropic.Anthropic(base_url=url, api_key="sk-test", max_retries=0) as client:
        return list(client.messages.create(model="m", max_tokens=9, messages=[], stream=True))


def gemini(url: str) -> list[Any]:
    options: Any = {"base_url": url}
    with genai.Client(api_key="test", vertexai=False, http_options=options) as client:
        chunks = client.models.generate_content_stream(model="m", contents="Hello")
        return [chunk.model_dump(exclude={"sdk_http_response"}) for chunk in chunks]


ASK: dict[str, Callable[[str], list[Any]]] = {
    "openai-responses": responses,
    "anthropic": messages,
    "gemini": gemini,
}
# What an SDK says of a stream that it cannot read; of a live one and of its replay the same.
REFUSES = (openai.OpenAIError, anthropic.AnthropicError, genai_errors.APIError, ValueError)


def parsed(ask: Callable[[str], list[Any]], url: str) -> object:
    try:
        return ask(url)
    except REFUSES as error:
        return type(error), str(error)


@every_recorded
async def test_a_real_stream_replays_piece_for_piece_and_gives_an_sdk_the_same_objects(
    clients: list[Any], recorded: Recorded
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(recorded.status, {"content-type": recorded.content_type})
        for piece in recorded.pieces:
            connection.piece(piece)
        connection.end()

    dialect = recognise(recorded.content_type, recorded.body)
    ask = ASK.get(dialect.name if dialect else "", chat)
    client = random.Random(recorded.file).choice(clients)
    with RawServer(script) as server:
        with aquila_cassette("corpus"):
            with client.stream("GET", server.url) as response:
                live = list(response.iter_raw())
            objects = parsed(ask, server.url)
    assert b"".join(live) == recorded.body
    with aquila_cassette("corpus", mode="none", repeats=True) as cassette:
        for one in clients:
            with one.stream("GET", server.url) as response:
                assert list(response.iter_raw()) == live
                assert response.status_code == recorded.status
                assert response.headers["content-type"] == recorded.content_type
        async with httpx.AsyncClient(verify=False) as asynchronous:
            async with asynchronous.stream("GET", server.url) as response:
                assert [piece async for piece in response.aiter_raw()] == live
        assert parsed(ask, server.url) == objects
    assert {one.response.ended for one in cassette.played if one.request.method == "GET"} == {
        "complete"
    }
