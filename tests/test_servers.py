"""The scripted servers of other tests, with plain httpx; tests/http proves the rest of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.servers import (
    FRAMES,
    Connection,
    GateServer,
    GateTimeout,
    RawServer,
    Request,
    ScriptError,
)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
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
