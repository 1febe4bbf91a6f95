"""The servers that other tests rely on, proved with plain httpx and the providers' SDKs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.servers import (
    CHAT_FRAMES,
    CHAT_TEXT,
    FRAMES,
    MESSAGES_FRAMES,
    RESPONSES_FRAMES,
    Connection,
    GateServer,
    GateTimeout,
    H2Server,
    H2Stream,
    Proxy,
    RawServer,
    Request,
    ScriptError,
    client_context,
    sends,
    server_context,
)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=client_context(), http2=True) as client:
        yield client


def test_pieces_arrive_one_by_one_and_requests_are_kept_whole(client: httpx.Client) -> None:
    saw = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head()
        connection.piece(b"first")
        connection.wait(saw)
        connection.piece(b"second")
        connection.end()

    with RawServer(script) as server:
        chunked = iter([b'{"a"', b": 2}"])
        for asked in ({"json": {"a": 2}}, {"content": chunked}, {"headers": {"X-Mine": "yes"}}):
            saw.clear()
            with client.stream("POST", f"{server.url}/here?x=1", **asked) as response:  # type: ignore[arg-type]
                pieces = response.iter_raw()
                assert next(pieces) == b"first"
                saw.set()
                assert list(pieces) == [b"second"]
    assert server.connections == 1
    first, second, third = server.requests
    assert first.json() == second.json() == {"a": 2}
    assert (third.method, third.path, third.headers["x-mine"]) == ("POST", "/here?x=1", "yes")
    with pytest.raises(httpx.ConnectError):
        client.get(server.url)


@pytest.mark.parametrize(
    ("end", "framing", "error"),
    [
        (Connection.end, {}, None),
        (Connection.end, {"length": 45}, None),
        (Connection.fin, {"close": True}, None),
        (Connection.fin, {}, httpx.RemoteProtocolError),
        (Connection.fin, {"length": 100}, httpx.RemoteProtocolError),
        (Connection.reset, {}, httpx.ReadError),
    ],
)
def test_an_answer_ends_as_its_script_says(
    client: httpx.Client,
    end: Callable[[Connection], None],
    framing: dict[str, Any],
    error: type[Exception] | None,
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(**framing)
        connection.piece(b"".join(FRAMES))
        end(connection)

    got: list[bytes] = []
    with RawServer(script) as server, client.stream("GET", server.url) as response:
        if error is None:
            got.extend(response.iter_raw())
        else:
            with pytest.raises(error):
                got.extend(response.iter_raw())
    assert b"".join(got) == b"".join(FRAMES)


def test_a_script_sees_that_its_client_has_gone(client: httpx.Client) -> None:
    gone = threading.Event()

    def script(connection: Connection, request: Request) -> None:
        connection.head()
        connection.gone()
        gone.set()

    with RawServer(script) as server:
        with client.stream("GET", server.url):
            assert not gone.is_set()
        assert gone.wait(10)
        response = client.send(client.build_request("GET", server.url), stream=True)
    with pytest.raises(httpx.RemoteProtocolError):
        response.read()


def test_an_error_in_a_script_is_raised_at_exit_or_noted(client: httpx.Client) -> None:
    def script(connection: Connection, request: Request) -> None:
        raise ValueError(request.path)

    def unfinished(connection: Connection, request: Request) -> None:
        connection.head()

    with pytest.raises(ValueError, match=r"^/here$"), RawServer(script) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get(f"{server.url}/here")
    with pytest.raises(httpx.RemoteProtocolError) as caught, RawServer(script) as server:
        client.get(f"{server.url}/here")
    assert caught.value.__notes__ == ["RawServer: ValueError('/here')"]
    with (
        pytest.raises(ScriptError, match=r"^no end\(\), fin\(\) or reset\(\) for /$"),
        RawServer(unfinished) as server,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        client.get(server.url)


def test_a_gate_opens_for_the_next_frame_only(client: httpx.Client) -> None:
    with GateServer(FRAMES) as server:
        for _ in range(2):
            with client.stream("POST", server.url) as response:
                for number, piece in enumerate(response.iter_raw(), 1):
                    assert (piece, server.sent) == (FRAMES[number - 1], number)
                    if number % 2:
                        server.seen()
                    else:
                        assert httpx.get(f"{server.url}/seen").status_code == 204


def test_a_client_that_buffers_fails_at_the_gate_and_does_not_hang(client: httpx.Client) -> None:
    message = "the client did not see frame 1 within 0.05 s: something buffers"
    with pytest.raises(GateTimeout) as caught, GateServer(FRAMES, watchdog=0.05) as server:
        body = client.post(server.url).text
        assert body.startswith("data: 1\n\nevent: error\ndata: ")
        assert message in body
    assert str(caught.value) == message


def test_openai_and_anthropic_see_every_frame_of_their_own() -> None:
    seen: list[Any] = []
    for frames in (CHAT_FRAMES, RESPONSES_FRAMES, MESSAGES_FRAMES):
        with GateServer(frames) as server:
            url = server.url
            with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as sdk:
                if frames is CHAT_FRAMES:
                    events: Any = sdk.chat.completions.create(model="m", messages=[], stream=True)
                elif frames is RESPONSES_FRAMES:
                    events = sdk.responses.create(model="m", input="hi", stream=True)
                else:
                    other = anthropic.Anthropic(api_key="k", base_url=url, max_retries=0)
                    events = other.messages.create(
                        model="m", max_tokens=9, messages=[], stream=True
                    )
                for event in events:
                    type(event).model_validate(event.to_dict())
                    seen.append(event)
                    server.seen()
    assert len(seen) == len([*CHAT_FRAMES[:-1], *RESPONSES_FRAMES, *MESSAGES_FRAMES])
    assert seen[len(CHAT_FRAMES) + len(RESPONSES_FRAMES) - 2].response.output_text == "".join(
        CHAT_TEXT
    )


def test_http_2_streams_end_or_are_reset_on_one_connection(client: httpx.Client) -> None:
    def script(stream: H2Stream, request: Request) -> None:
        stream.head()
        stream.piece(b"one")
        stream.reset() if request.path == "/reset" else stream.end()

    with H2Server(script) as server:
        response = client.post(f"{server.url}/a?b=c", json={"x": 1})
        assert (response.http_version, response.text) == ("HTTP/2", "one")
        with pytest.raises(httpx.RemoteProtocolError, match="StreamReset"):
            client.get(f"{server.url}/reset")
        assert client.get(f"{server.url}/again").text == "one"
    assert (server.requests[0].path, server.requests[0].json()) == ("/a?b=c", {"x": 1})
    assert server.connections == 1


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_forwards_and_streams(secure: bool) -> None:
    tls = server_context() if secure else None
    with RawServer(sends(FRAMES), tls=tls) as server, Proxy() as proxy:
        with httpx.Client(proxy=proxy.url, verify=client_context(), trust_env=False) as client:
            for path in ("/a?b=c", "/again"):
                response = client.post(f"{server.url}{path}", content=b"body")
                assert response.content == b"".join(FRAMES)
    assert [(one.path, one.body) for one in server.requests] == [
        ("/a?b=c", b"body"),
        ("/again", b"body"),
    ]
    asked = f"{server.host}:{server.port}" if secure else f"{server.url}/a?b=c"
    assert proxy.requests[0].path == asked
    assert proxy.connections == 1
