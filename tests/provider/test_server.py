"""The provider as a server: the same bytes for the same request, faults, keys, start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from typing import Any

import anthropic
import httpx
import openai
import pytest
from google.genai import errors

from aquila_cassette.errors import UsageError
from aquila_cassette.provider import Asked, Provider

from .sdks import anthropic_sdk, gemini_sdk, openai_sdk

ESSAY = "Explain how streaming responses cross a network."
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
GEMINI = "/v1beta/models/{model}:streamGenerateContent"
PATHS = (CHAT, RESPONSES, MESSAGES, GEMINI)
TOKEN = {CHAT: '"content":"', RESPONSES: ".delta\n", MESSAGES: "text_delta", GEMINI: '"text"'}

each_path = pytest.mark.parametrize("path", PATHS)


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
    answers = set()
    for content in (forward, backward):
        with Provider(gap=0) as provider:
            answers |= {raw_answer(provider.url, path.format(model="m"), content)}
            other = raw_answer(provider.url, path.format(model="n"), content.replace(b"Exp", b"C"))
    assert len(answers) == 1
    assert answers.pop().startswith(b"HTTP/1.1 200 OK\r\n")
    assert other not in answers


def test_each_event_is_one_piece_and_events_come_with_a_gap(http: httpx.Client) -> None:
    start = time.perf_counter()
    with Provider(gap=0.02) as provider:
        asked = body(MESSAGES) | {"max_tokens": 6}
        with http.stream("POST", provider.url + MESSAGES, json=asked) as response:
            pieces = list(response.iter_raw())
    assert time.perf_counter() - start > 6 * 0.02 * 0.5
    assert all(piece.startswith(b"event: ") and piece.endswith(b"}\n\n") for piece in pieces)
    assert len(pieces) == 6 + 6


def test_requests_are_kept_and_what_is_not_served_is_404(http: httpx.Client) -> None:
    with Provider(gap=0) as provider:
        http.get(f"{provider.url}/v1/models")
        http.post(f"{provider.url}{CHAT}?key=secret", content=iter([b'{"model"', b': "m"}']))
        missing = http.get(provider.url + CHAT)
    assert provider.requests == [
        Asked("GET", "/v1/models", None),
        Asked("POST", CHAT, {"model": "m"}),
        Asked("GET", CHAT, None),
    ]
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == f"Invalid URL (GET {CHAT})"


async def test_many_streams_are_served_at_once_and_a_client_may_leave(
    provider: Provider,
) -> None:
    async def one(client: httpx.AsyncClient, prompt: str) -> str:
        asked = {"model": "m", "input": prompt, "stream": True}
        async with client.stream("POST", f"{provider.url}{RESPONSES}", json=asked) as response:
            if prompt.endswith("3"):
                return "left"
            return (await response.aread()).decode()

    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(one(client, f"Topic {n}") for n in range(20)))
    assert len(set(answers)) == 19


@each_path
def test_a_stream_drops_is_cut_or_hangs_after_some_tokens(http: httpx.Client, path: str) -> None:
    role = int(path == CHAT)  # chat begins with a frame that has no text
    for fault, ends in (
        ("drop-after-5", pytest.raises(httpx.ReadError)),
        ("cut", contextlib.nullcontext()),
    ):
        came: list[bytes] = []
        with ends:  # type: ignore[attr-defined]
            with http.stream("POST", path.format(model=fault), json=body(path, fault)) as response:
                came.extend(response.iter_raw())
        assert b"".join(came).decode().count(TOKEN[path]) - role == 5
    with Provider(gap=0) as provider:
        url = provider.url + path.format(model="hang")
        with http.stream("POST", url, json=body(path, "hang")) as response:
            pieces = response.iter_raw()
            text = ""
            while text.count(TOKEN[path]) < 3 + role:
                text += next(pieces).decode()
            provider.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                next(pieces)


def test_a_whole_answer_breaks_half_way_or_is_an_error(http: httpx.Client) -> None:
    for fault, error in (("drop-after-5", httpx.ReadError), ("cut", httpx.RemoteProtocolError)):
        with pytest.raises(error):
            http.post(CHAT, json=body(CHAT, fault, stream=False))
    assert http.post(CHAT, json=body(CHAT, "error-midstream", stream=False)).status_code == 500
    asked = body(CHAT, stream=False)
    limited = http.post(CHAT, json=asked, headers={"x-provider-fault": "error-429"})
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "20")


def test_the_sdks_raise_their_errors_for_a_status(provider: Provider) -> None:
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


def test_a_key_is_found_wherever_an_sdk_puts_it_and_needed_only_if_checked(
    http: httpx.Client,
) -> None:
    assert http.post(CHAT, json=body(CHAT)).status_code == 200
    given: list[tuple[dict[str, str], str, int]] = [
        ({}, "", 401),
        ({"authorization": "Bearer invalid"}, "", 401),
        ({"authorization": "Bearer k"}, "", 200),
        ({"x-api-key": "k"}, "", 200),
        ({"x-goog-api-key": "k"}, "", 200),
        ({}, "?key=k", 200),
    ]
    with Provider(gap=0, check_key=True) as provider:
        for headers, query, status in given:
            answer = http.post(provider.url + CHAT + query, json=body(CHAT), headers=headers)
            assert answer.status_code == status


async def test_a_provider_starts_and_stops_any_number_of_times(http: httpx.Client) -> None:
    with pytest.raises(UsageError, match="has no address before it is started"):
        _ = Provider().url
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            Provider(port=port).start()
    provider = Provider(gap=0, port=port)
    provider.stop()
    for _ in range(2):
        async with provider:
            provider.start()
            assert provider.url == f"http://127.0.0.1:{port}"
            assert http.get(f"{provider.url}/v1/models").status_code == 200
            socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        provider.stop()
        for sock in socks:
            with sock, contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
        with pytest.raises(httpx.ConnectError):
            http.get(f"{provider.url}/v1/models")
