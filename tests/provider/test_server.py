"""The provider as a server: the same bytes for the same request, faults, keys, start and stop."""

import contextlib
import json
import socket
import time
from functools import cache
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import errors, types

from aquila_cassette.provider import Asked, Provider

ESSAY = "Explain how streaming responses cross a network."
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI = "/v1beta/models/{model}:streamGenerateContent"
PATHS = (CHAT, RESPONSES, MESSAGES, GEMINI)
TOKEN = {CHAT: '"content":"', RESPONSES: ".delta\n", MESSAGES: "text_delta", GEMINI: '"text"'}

each_path = pytest.mark.parametrize("path", PATHS)


def openai_sdk(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{url}/v1", max_retries=0)


def anthropic_sdk(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="k", base_url=url, max_retries=0)


@cache  # a client that nobody holds closes its connection
def gemini_sdk(url: str) -> genai.Client:
    return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url))


def body(path: str, model: str = "m", *, stream: bool = True) -> dict[str, Any]:
    if path == GEMINI:
        return {"contents": [{"parts": [{"text": ESSAY}]}]}
    field = "input" if path == RESPONSES else "messages"
    turns = [{"role": "user", "content": ESSAY}]
    return {"model": model, field: turns, "max_tokens": 99, "stream": stream}


def raw_answer(url: str, path: str, content: bytes) -> bytes:
    """Return every byte of an answer, headers included."""
    address = httpx.URL(url)
    head = f"POST {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(content)}\r\n\r\n"
    with socket.create_connection((address.host, address.port)) as sock:
        sock.sendall(head.encode() + content)
        return sock.makefile("rb").read()


@each_path
@pytest.mark.parametrize("stream", [True, False])
def test_equal_requests_get_equal_bytes_headers_included(path: str, stream: bool) -> None:
    asked = body(path, stream=stream)
    forward = json.dumps(asked).encode()
    backward = json.dumps(dict(reversed(asked.items())), indent=1).encode()
    answers = []
    for content in (forward, backward):
        with Provider(gap=0) as provider:
            answers += [raw_answer(provider.url, path.format(model="m"), content)]
            other = raw_answer(provider.url, path.format(model="n"), content.replace(b"Exp", b"C"))
    assert answers[0] == answers[1] != other
    assert answers[0].startswith(b"HTTP/1.1 200 OK\r\n")


def test_each_event_is_one_piece_and_events_come_with_a_gap(http: httpx.Client) -> None:
    start = time.perf_counter()
    with Provider(gap=0.02) as provider:
        asked = body(MESSAGES) | {"max_tokens": 6}
        with http.stream("POST", provider.url + MESSAGES, json=asked) as response:
            pieces = list(response.iter_raw())
    assert time.perf_counter() - start > 6 * 0.02 * 0.5
    assert all(piece.startswith(b"event: ") and piece.endswith(b"}\n\n") for piece in pieces)
    assert len(pieces) == 6 + 6


def test_requests_are_kept(http: httpx.Client) -> None:
    with Provider(gap=0) as provider:
        assert http.get(f"{provider.url}/v1/models").status_code == 200
        assert http.get(f"{provider.url}{CHAT}?key=secret").status_code == 404
    assert provider.requests == [Asked("GET", "/v1/models", None), Asked("GET", CHAT, None)]


@each_path
def test_a_stream_drops_or_is_cut_after_some_tokens(http: httpx.Client, path: str) -> None:
    role = int(path == CHAT)  # chat begins with a frame that has no text
    for fault, ends in (
        ("drop-after-5", pytest.raises(httpx.ReadError)),
        ("cut", contextlib.nullcontext()),
    ):
        came: list[bytes] = []
        with ends:
            with http.stream("POST", path.format(model=fault), json=body(path, fault)) as response:
                came.extend(response.iter_raw())
        assert b"".join(came).decode().count(TOKEN[path]) - role == 5


def test_the_sdks_raise_their_errors_for_a_status(provider: Provider, http: httpx.Client) -> None:
    limited = http.post(CHAT, json=body(CHAT), headers={"x-provider-fault": "error-429"})
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "20")
    with pytest.raises(openai.AuthenticationError):
        openai_sdk(provider.url).responses.create(model="m", input="error-401")
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        anthropic_sdk(provider.url).messages.create(**body(MESSAGES, "error-529"))
    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
        gemini_sdk(provider.url).models.generate_content(model="error-429", contents="hi")


def test_the_sdks_raise_or_report_an_error_within_a_stream(provider: Provider) -> None:
    got: list[Any] = []
    with pytest.raises(openai.APIError, match="The server had an error"):
        chat = openai_sdk(provider.url).chat.completions
        got.extend(chat.create(**body(CHAT, "error-midstream")))
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        messages = anthropic_sdk(provider.url).messages
        got.extend(messages.create(**body(MESSAGES, "error-midstream")))
    with pytest.raises(errors.ServerError, match="503"):
        models = gemini_sdk(provider.url).models
        got.extend(models.generate_content_stream(model="error-midstream", contents=ESSAY))
    assert len(got) == 6 + 7 + 5
    events: list[Any] = list(
        openai_sdk(provider.url).responses.create(model="error-midstream", input=ESSAY, stream=True)
    )
    assert [event.type for event in events[-2:]] == ["error", "response.failed"]
    assert [event.sequence_number for event in events] == list(range(11))
    assert events[-1].response.error.code == "server_error"


def test_a_provider_stops_with_all_its_connections_and_starts_again(http: httpx.Client) -> None:
    provider = Provider(gap=0)
    for _ in range(2):
        with provider:
            assert http.get(f"{provider.url}/v1/models").status_code == 200
            idle = socket.create_connection(provider.url.removeprefix("http://").split(":"))
        with idle, contextlib.suppress(ConnectionResetError):
            assert idle.recv(1) == b""
        with pytest.raises(httpx.ConnectError):
            http.get(f"{provider.url}/v1/models")
