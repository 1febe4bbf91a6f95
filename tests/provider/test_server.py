from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.provider import Asked, Provider

from .asking import ESSAY, HELLO, WEATHER, WEATHER_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

CHAT = "/v1/chat/completions"
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER_SCHEMA}}
ASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (CHAT, {"model": "m", "messages": [{"role": "user", "content": ESSAY}]}),
    "chat tool": (
        CHAT,
        {"model": "m", "messages": [{"role": "user", "content": WEATHER}], "tools": [TOOL]},
    ),
    "responses": ("/v1/responses", {"model": "m", "input": ESSAY}),
    "messages": (
        "/v1/messages",
        {"model": "m", "max_tokens": 99, "messages": [{"role": "user", "content": ESSAY}]},
    ),
    "gemini": (
        "/v1beta/models/m:streamGenerateContent",
        {"contents": [{"parts": [{"text": ESSAY}]}]},
    ),
}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(gap=0) as provider:
        yield provider


def exchange(url: str, path: str, body: bytes) -> bytes:
    """Send a request on a bare socket; give every byte of the answer, headers included."""
    address = httpx.URL(url)
    head = f"POST {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection((address.host, address.port)) as sock:
        sock.sendall(head.encode() + body)
        with sock.makefile("rb") as stream:
            return stream.read()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", ASKS)
def test_two_runs_give_identical_bytes_headers_included(name: str, stream: bool) -> None:
    path, ask = ASKS[name]
    forward = json.dumps({**ask, "stream": stream}).encode()
    backward = json.dumps({"stream": stream, **dict(reversed(ask.items()))}, indent=1).encode()
    answers = set()
    for body in (forward, backward):
        with Provider(gap=0) as provider:
            answers |= {exchange(provider.url, path, body) for _ in range(2)}
    assert len(answers) == 1
    assert b"HTTP/1.1 200 OK\r\n" in answers.pop()


def test_another_prompt_gets_other_ids(http: httpx.Client) -> None:
    path, ask = ASKS["responses"]
    with Provider(gap=0) as provider:
        ids = {
            http.post(provider.url + path, json={**ask, "input": prompt}).json()["id"]
            for prompt in (ESSAY, HELLO)
        }
    assert len(ids) == 2


def test_each_event_is_a_chunk_and_none_is_split(provider: Provider, http: httpx.Client) -> None:
    path, ask = ASKS["messages"]
    with http.stream("POST", provider.url + path, json={**ask, "stream": True}) as response:
        pieces = list(response.iter_raw())
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert all(piece.startswith(b"event: ") for piece in pieces)
    assert all(piece.endswith(b"}\n\n") for piece in pieces)
    assert any(not piece.isascii() for piece in pieces)


def test_tokens_come_with_a_gap_of_half_to_one_and_a_half(http: httpx.Client) -> None:
    path, ask = ASKS["chat"]
    ask = {**ask, "stream": True, "max_tokens": 6}
    with Provider(gap=0.02) as provider:
        start = time.perf_counter()
        with http.stream("POST", provider.url + path, json=ask) as response:
            pieces = list(response.iter_raw())
    assert len(pieces) == 9
    assert time.perf_counter() - start > 6 * 0.02 * 0.5


def test_many_streams_are_served_side_by_side(provider: Provider) -> None:
    async def one(client: httpx.AsyncClient, prompt: str) -> str:
        ask = {"model": "m", "input": prompt}
        return str((await client.post(f"{provider.url}/v1/responses", json=ask)).text)

    async def main() -> list[str]:
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(*(one(client, f"Topic {n}") for n in range(20)))

    assert len(set(asyncio.run(main()))) == 20


def test_it_keeps_what_it_was_asked(provider: Provider, http: httpx.Client) -> None:
    http.get(f"{provider.url}/v1/models")
    http.post(f"{provider.url}{CHAT}?key=secret", json={"model": "m"})
    assert provider.requests == [
        Asked("GET", "/v1/models", None),
        Asked("POST", CHAT, {"model": "m"}),
    ]


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/nothing"), ("GET", CHAT)])
def test_a_path_that_it_does_not_serve_is_404(
    provider: Provider, method: str, path: str, http: httpx.Client
) -> None:
    answer = http.request(method, provider.url + path)
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"Invalid URL ({method} {path})"


def test_a_connection_is_kept_alive(provider: Provider) -> None:
    path, ask = ASKS["chat"]
    with httpx.Client() as client:
        for stream in (True, False, True):
            client.post(provider.url + path, json={**ask, "stream": stream})
        (connection,) = client._transport._pool.connections  # type: ignore[attr-defined]
    assert "Request Count: 3" in repr(connection)


def test_a_chunked_request_is_read(provider: Provider, http: httpx.Client) -> None:
    body = json.dumps(ASKS["chat"][1]).encode()
    answer = http.post(provider.url + CHAT, content=iter([body[:9], body[9:]]))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"x" * 100_000,
    ],
)
def test_what_is_not_http_closes_the_connection_and_nothing_else(
    provider: Provider, garbage: bytes, http: httpx.Client
) -> None:
    address = httpx.URL(provider.url)
    with socket.create_connection((address.host, address.port)) as sock:
        sock.sendall(garbage)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100) == b""
    assert http.get(f"{provider.url}/v1/models").status_code == 200


def test_a_client_that_leaves_disturbs_nobody(provider: Provider, http: httpx.Client) -> None:
    path, ask = ASKS["chat"]
    for _ in range(3):
        with http.stream("POST", provider.url + path, json={**ask, "stream": True}) as response:
            next(response.iter_raw())
    assert http.get(f"{provider.url}/v1/models").status_code == 200


def test_half_a_surrogate_pair_in_a_prompt_breaks_nothing(
    provider: Provider, http: httpx.Client
) -> None:
    body = rb'{"model": "\ud83d", "stream": true, "input": "\ud83d \ude00"}'
    assert http.post(f"{provider.url}/v1/responses", content=body).status_code == 200


def test_starting_and_stopping_twice_is_the_same_as_once(http: httpx.Client) -> None:
    provider = Provider(gap=0)
    provider.stop()
    provider.start()
    url = provider.url
    provider.start()
    assert provider.url == url
    provider.stop()
    provider.stop()
    with pytest.raises(httpx.ConnectError):
        http.get(f"{url}/v1/models")


def test_it_can_be_started_again_on_the_port_that_it_is_given(http: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    provider = Provider(gap=0, port=port)
    for _ in range(2):
        with provider:
            assert provider.url == f"http://127.0.0.1:{port}"
            assert http.get(f"{provider.url}/v1/models").status_code == 200


def test_a_port_that_is_taken_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        provider = Provider(port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            provider.start()


def test_stopping_closes_connections_however_new_they_are() -> None:
    for _ in range(20):
        with Provider(gap=0) as provider:
            address = httpx.URL(provider.url)
            socks = [socket.create_connection((address.host, address.port)) for _ in range(5)]
        for sock in socks:
            with sock, contextlib.suppress(ConnectionResetError):
                assert sock.recv(1) == b""
    gc.collect()


async def test_it_is_an_async_context_manager_too() -> None:
    async with Provider(gap=0) as provider, httpx.AsyncClient() as client:
        assert (await client.get(f"{provider.url}/v1/models")).status_code == 200


def test_it_has_no_address_before_it_is_started() -> None:
    with pytest.raises(UsageError) as caught:
        _ = Provider().url
    assert str(caught.value) == (
        "The provider has no address before it is started.\n"
        "Start it: with Provider() as provider: ..."
    )
