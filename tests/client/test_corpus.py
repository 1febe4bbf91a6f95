"""Recorded streams of real providers: the client says what the provider's own SDK says."""

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import openai
from google import genai

from aquila_cassette.client import Client, Done, Error, Raw, StreamEvent
from aquila_cassette.dialects.reading import ending
from tests.client.talk import MODELS, answering
from tests.corpus import RECORDED, Recorded, each_recorded

ENDPOINTS = {
    "openai-chat": "chat",
    "openai-responses": "responses",
    "anthropic": "messages",
    "gemini": "gemini",
}
PROMPT: Any = [{"role": "user", "content": "Hi"}]


def endpoint_of(one: Recorded) -> str | None:
    return ENDPOINTS.get(ending(one.content_type, one.body).dialect or "")


KNOWN = [one for one in RECORDED if endpoint_of(one)]
OTHERS = [one for one in RECORDED if not endpoint_of(one)]


def streamed(one: Recorded, endpoint: str) -> list[StreamEvent]:
    http = answering(one.pieces, status=one.status, content_type=one.content_type)
    client = Client(http, model=MODELS[endpoint], endpoint=endpoint)
    return list(client.stream("Hi", ref=one.file))


def of_the_sdk(one: Recorded, endpoint: str) -> Iterator[str]:
    def handle(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": one.content_type}, content=one.body)

    http = httpx2.Client(transport=httpx2.MockTransport(handle))
    made: Any = {"api_key": "none", "http_client": http, "max_retries": 0}
    if endpoint == "chat":
        chats = openai.OpenAI(**made).chat.completions
        for chunk in chats.create(model="m", messages=PROMPT, stream=True):
            for choice in [choice for choice in chunk.choices or [] if choice.index == 0]:
                delta = getattr(choice, "delta", None)
                content: Any = delta.content if delta else getattr(choice, "text", None)
                parts = content if isinstance(content, list) else [{"text": content}]  # Mistral's
                yield from (part.get("text") or "" for part in parts)
    elif endpoint == "responses":
        for event in openai.OpenAI(**made).responses.create(model="m", input="Hi", stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta
    elif endpoint == "messages":
        messages = anthropic.Anthropic(**made).messages
        for piece in messages.create(model="m", max_tokens=9, messages=PROMPT, stream=True):
            if piece.type == "content_block_delta" and piece.delta.type == "text_delta":
                yield piece.delta.text
    else:
        options = genai.types.HttpOptions(httpx_client=http)
        models = genai.Client(api_key="none", vertexai=False, http_options=options).models
        for answer in models.generate_content_stream(model="m", contents="Hi"):
            for candidate in (answer.candidates or [])[:1]:
                for part in (candidate.content and candidate.content.parts) or []:
                    yield part.text if part.text and not part.thought else ""


@each_recorded(KNOWN)
def test_a_recorded_stream_gives_the_text_of_the_providers_own_sdk(recorded: Recorded) -> None:
    endpoint = endpoint_of(recorded)
    assert endpoint is not None
    events = streamed(recorded, endpoint)
    last = events[-1]
    assert isinstance(last, Done | Error)
    assert not any(isinstance(event, Done | Error) for event in events[:-1])
    if isinstance(last, Error) and last.kind == "provider":
        return
    assert last.text == "".join(of_the_sdk(recorded, endpoint))


@each_recorded(OTHERS)
def test_a_stream_of_another_dialect_passes_as_raw_events_and_ends_in_an_error(
    recorded: Recorded,
) -> None:
    for endpoint in MODELS:
        *before, last = streamed(recorded, endpoint)
        assert isinstance(last, Error)
        assert all(isinstance(event, Raw) for event in before)
        assert last.status == recorded.status
