"""HTTP/2 and proxies: below the transport, so they make no difference but what they really make."""

from __future__ import annotations

import httpx
import httpx2
import pytest

from aquila_cassette import aquila_cassette
from tests.servers import (
    FRAMES,
    Connection,
    H2Server,
    H2Stream,
    Proxy,
    RawServer,
    Request,
    client_context,
)

LIBS = pytest.mark.parametrize("lib", [httpx, httpx2], ids=lambda lib: lib.__name__)


@LIBS
def test_an_http_2_stream_replays_as_http_2(lib: type[httpx]) -> None:  # type: ignore[valid-type]
    def script(stream: H2Stream, request: Request) -> None:
        stream.head(200)
        for frame in FRAMES:
            stream.piece(frame)
        stream.end()

    with H2Server(script) as server:
        with aquila_cassette("h2"), lib.Client(http2=True, verify=client_context()) as client:
            with client.stream("GET", server.url) as response:
                live = list(response.iter_raw())
            assert response.http_version == "HTTP/2"
    with aquila_cassette("h2", mode="none"), lib.Client() as client:
        with client.stream("GET", server.url) as response:
            assert list(response.iter_raw()) == [piece for piece in live if piece]
        assert response.http_version == "HTTP/2"
    assert b"".join(live) == b"".join(FRAMES)


@LIBS
def test_an_http_2_stream_that_is_reset_fails_alike_on_replay(lib: type[httpx]) -> None:  # type: ignore[valid-type]
    def script(stream: H2Stream, request: Request) -> None:
        stream.head(200)
        stream.piece(FRAMES[0])
        stream.reset()

    def ask(client: httpx.Client, url: str) -> list[bytes]:
        seen = []
        with pytest.raises(lib.RemoteProtocolError):
            with client.stream("GET", url) as response:
                for piece in response.iter_raw():
                    seen.append(piece)
        return [piece for piece in seen if piece]

    with H2Server(script) as server:
        with aquila_cassette("h2"), lib.Client(http2=True, verify=client_context()) as client:
            live = ask(client, server.url)
    with aquila_cassette("h2", mode="none"), lib.Client() as client:
        assert ask(client, server.url) == live


@LIBS
def test_a_request_through_a_proxy_is_kept_by_its_own_url(lib: type[httpx]) -> None:  # type: ignore[valid-type]
    def script(connection: Connection, request: Request) -> None:
        connection.head(200)
        for frame in FRAMES:
            connection.piece(frame)
        connection.end()

    with RawServer(script) as server, Proxy() as proxy:
        with aquila_cassette("proxied") as cassette, lib.Client(proxy=proxy.url) as client:
            live = client.get(server.url).content
        assert proxy.connections == 1
        assert cassette.recorded[0].request.url == server.url
    with aquila_cassette("proxied", mode="none"), lib.Client() as client:
        assert client.get(server.url).content == live
