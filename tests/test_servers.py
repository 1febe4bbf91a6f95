"""The servers that the other tests stand on do what they say; proved with plain httpx."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import anthropic
import httpx
import openai
import pytest

from tests.servers import (
    CHAT_FRAMES,
    CHAT_TEXT,
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
    server_context,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FIVE = [b"one", b"two", b"three", b"four", b"five"]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


def hello(connection: Connection, request: Request) -> None:
    connection.head(200, {"content-type": "text/plain"}, length=5)
    connection.piece(b"hello")
    connection.end()


class TestRawServer:
    def test_a_chunked_answer_arrives_in_the_pieces_that_were_sent(
        self, client: httpx.Client
    ) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.head()
            for data in FIVE:
                connection.piece(data)
            connection.end()

        with RawServer(script) as server, client.stream("GET", server.url) as response:
            assert list(response.iter_raw()) == FIVE
            assert response.headers["content-type"] == "text/event-stream"

    def test_a_piece_is_on_its_way_before_the_next_is_sent(self, client: httpx.Client) -> None:
        saw = threading.Event()

        def script(connection: Connection, request: Request) -> None:
            connection.head()
            connection.piece(b"first")
            connection.wait(saw)
            connection.piece(b"second")
            connection.end()

        with RawServer(script) as server, client.stream("GET", server.url) as response:
            pieces = response.iter_raw()
            assert next(pieces) == b"first"
            saw.set()
            assert list(pieces) == [b"second"]

    def test_requests_are_kept_whole_whether_sized_or_chunked(self, client: httpx.Client) -> None:
        def parts() -> Iterator[bytes]:
            yield b'{"a"'
            yield b": 2}"

        with RawServer(hello) as server:
            client.post(f"{server.url}/sized?x=1", json={"a": 1}, headers={"X-Mine": "yes"})
            client.post(f"{server.url}/chunked", content=parts())
        sized, chunked = server.requests
        assert (sized.method, sized.path, sized.json()) == ("POST", "/sized?x=1", {"a": 1})
        assert sized.headers["x-mine"] == "yes"
        assert (chunked.path, chunked.body) == ("/chunked", b'{"a": 2}')

    def test_a_connection_is_kept_alive_for_the_next_request(self, client: httpx.Client) -> None:
        with RawServer(hello) as server:
            assert [client.get(server.url).text for _ in range(3)] == ["hello"] * 3
        assert server.connections == 1

    def test_a_client_that_asks_to_close_gets_a_connection_for_each_request(
        self, client: httpx.Client
    ) -> None:
        with RawServer(hello) as server:
            for _ in range(2):
                client.get(server.url, headers={"connection": "close"})
        assert server.connections == 2

    def test_connections_are_served_side_by_side(self, client: httpx.Client) -> None:
        together = threading.Barrier(3, timeout=10)

        def script(connection: Connection, request: Request) -> None:
            together.wait()
            hello(connection, request)

        with RawServer(script) as server, ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(client.get, [server.url] * 3))
        assert [answer.text for answer in answers] == ["hello"] * 3
        assert server.connections == 3

    def test_a_reset_lets_the_client_read_what_came_and_then_fails(
        self, client: httpx.Client
    ) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.head()
            for data in FIVE:
                connection.piece(data)
            connection.reset()

        got: list[bytes] = []
        with (
            RawServer(script) as server,
            client.stream("GET", server.url) as response,
            pytest.raises(httpx.ReadError),
        ):
            got.extend(response.iter_raw())
        assert got == FIVE

    @pytest.mark.parametrize("length", [None, 100])
    def test_a_fin_before_the_end_is_a_protocol_error(
        self, client: httpx.Client, length: int | None
    ) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.head(length=length)
            connection.piece(b"one")
            connection.fin()

        with (
            RawServer(script) as server,
            pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"),
        ):
            client.get(server.url)

    def test_a_body_framed_by_the_connections_end_looks_complete(
        self, client: httpx.Client
    ) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.head(close=True)
            connection.piece(b"one")
            connection.fin()

        with RawServer(script) as server:
            assert client.get(server.url).text == "one"

    def test_raw_bytes_are_sent_as_they_are(self, client: httpx.Client) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.send(b"HTTP/1.1 299 Mine\r\ncontent-length: 2\r\n\r\nok")
            connection.end()

        with RawServer(script) as server:
            response = client.get(server.url)
        assert (response.status_code, response.reason_phrase, response.text) == (299, "Mine", "ok")

    def test_a_script_can_wait_until_the_client_has_gone(self, client: httpx.Client) -> None:
        gone = threading.Event()

        def script(connection: Connection, request: Request) -> None:
            connection.head()
            connection.piece(b"one")
            connection.gone()
            gone.set()

        with RawServer(script) as server:
            with client.stream("GET", server.url) as response:
                pieces = response.iter_raw()
                assert next(pieces) == b"one"
                assert not gone.is_set()
            assert gone.wait(10)

    def test_leaving_the_server_ends_a_script_that_waits_for_its_client(
        self, client: httpx.Client
    ) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.head()
            connection.piece(b"one")
            connection.gone()

        with RawServer(script) as server:
            response = client.send(client.build_request("GET", server.url), stream=True)
            pieces = response.iter_raw()
            assert next(pieces) == b"one"
        with pytest.raises(httpx.RemoteProtocolError):
            next(pieces)

    def test_nobody_listens_once_the_server_is_left(self, client: httpx.Client) -> None:
        with RawServer(hello) as server:
            pass
        with pytest.raises(httpx.ConnectError):
            client.get(server.url)

    def test_an_error_in_a_script_is_raised_at_exit(self, client: httpx.Client) -> None:
        def script(connection: Connection, request: Request) -> None:
            raise ValueError(request.path)

        with (
            pytest.raises(ValueError, match=r"^/here$"),
            RawServer(script) as server,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            client.get(f"{server.url}/here")

    def test_an_error_in_a_script_is_noted_on_the_error_of_the_test(
        self, client: httpx.Client
    ) -> None:
        def script(connection: Connection, request: Request) -> None:
            raise ValueError(request.path)

        with (
            pytest.raises(httpx.RemoteProtocolError) as caught,
            RawServer(script) as server,
        ):
            client.get(f"{server.url}/here")
        assert caught.value.__notes__ == ["RawServer: ValueError('/here')"]

    def test_an_answer_left_open_is_an_error_of_the_script(self, client: httpx.Client) -> None:
        def script(connection: Connection, request: Request) -> None:
            connection.head()

        with (
            pytest.raises(ScriptError, match=r"^no end\(\), fin\(\) or reset\(\) for /$"),
            RawServer(script) as server,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            client.get(server.url)

    def test_https_is_served_with_a_certificate_that_the_client_trusts(self) -> None:
        with (
            RawServer(hello, tls=server_context()) as server,
            httpx.Client(verify=client_context(), trust_env=False) as client,
        ):
            assert server.url.startswith("https://")
            assert client.get(server.url).text == "hello"


class TestGateServer:
    def test_each_frame_waits_until_the_client_saw_the_one_before(
        self, client: httpx.Client
    ) -> None:
        frames = [b"data: 1\n\n", b"data: 2\n\n", b"data: 3\n\n"]
        sent = []
        with GateServer(frames) as server, client.stream("POST", server.url) as response:
            for piece in response.iter_raw():
                sent.append((piece, server.sent))
                server.seen()
        assert sent == [(frames[0], 1), (frames[1], 2), (frames[2], 3)]

    def test_the_gate_also_opens_over_http(self, client: httpx.Client) -> None:
        frames = [b"data: 1\n\n", b"data: 2\n\n"]
        with GateServer(frames) as server, client.stream("POST", server.url) as response:
            pieces = response.iter_raw()
            assert next(pieces) == frames[0]
            assert client.get(f"{server.url}/seen").status_code == 204
            assert list(pieces) == [frames[1]]

    def test_what_was_seen_of_one_stream_opens_no_gate_of_the_next(
        self, client: httpx.Client
    ) -> None:
        with GateServer([b"data: 1\n\n", b"data: 2\n\n"]) as server:
            for _ in range(2):
                with client.stream("POST", server.url) as response:
                    pieces = response.iter_raw()
                    next(pieces)
                    assert server.sent == 1
                    server.seen()
                    next(pieces)
                    server.seen()

    def test_a_client_that_buffers_fails_and_does_not_hang(self, client: httpx.Client) -> None:
        message = "the client did not see frame 1 within 0.05 s: something buffers"
        with (
            pytest.raises(GateTimeout) as caught,
            GateServer([b"data: 1\n\n", b"data: 2\n\n"], watchdog=0.05) as server,
        ):
            body = client.post(server.url).text
            assert body.startswith("data: 1\n\nevent: error\ndata: ")
            assert message in body
        assert str(caught.value) == message

    def test_openai_chat_sees_every_frame_of_its_own(self) -> None:
        with GateServer(CHAT_FRAMES) as server, openai_client(server) as sdk:
            texts = []
            for chunk in sdk.chat.completions.create(model="m", messages=[], stream=True):
                type(chunk).model_validate(chunk.to_dict())
                texts.append(chunk.choices[0].delta.content)
                server.seen()
        assert texts == [*CHAT_TEXT, None]

    def test_openai_responses_sees_every_frame_of_its_own(self) -> None:
        with GateServer(RESPONSES_FRAMES) as server, openai_client(server) as sdk:
            events = []
            for event in sdk.responses.create(model="m", input="hi", stream=True):
                type(event).model_validate(event.to_dict())
                events.append(event)
                server.seen()
        assert len(events) == len(RESPONSES_FRAMES)
        assert events[-1].type == "response.completed"
        assert events[-1].response.output_text == "".join(CHAT_TEXT)

    def test_anthropic_sees_every_frame_of_its_own(self) -> None:
        with (
            GateServer(MESSAGES_FRAMES) as server,
            anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0) as sdk,
        ):
            types = []
            for event in sdk.messages.create(model="m", max_tokens=9, messages=[], stream=True):
                type(event).model_validate(event.to_dict())
                types.append(event.type)
                server.seen()
        assert len(types) == len(MESSAGES_FRAMES)
        assert types[-1] == "message_stop"


def openai_client(server: GateServer) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0)


class TestH2Server:
    def test_pieces_arrive_as_data_frames_over_http_2(self) -> None:
        def script(stream: H2Stream, request: Request) -> None:
            stream.head()
            for data in FIVE:
                stream.piece(data)
            stream.end()

        with H2Server(script) as server, h2_client() as client:
            with client.stream("POST", f"{server.url}/a?b=c", json={"x": 1}) as response:
                body = b"".join(response.iter_raw())
            assert response.http_version == "HTTP/2"
        assert body == b"".join(FIVE)
        (request,) = server.requests
        assert (request.method, request.path, request.json()) == ("POST", "/a?b=c", {"x": 1})

    def test_a_stream_that_is_reset_fails_and_its_connection_lives_on(self) -> None:
        def script(stream: H2Stream, request: Request) -> None:
            stream.head()
            stream.piece(b"one")
            if request.path == "/reset":
                stream.reset()
            else:
                stream.end()

        with H2Server(script) as server, h2_client() as client:
            got: list[bytes] = []
            with (
                client.stream("GET", f"{server.url}/reset") as response,
                pytest.raises(httpx.RemoteProtocolError, match="StreamReset"),
            ):
                got.extend(response.iter_raw())
            assert got == [b"one"]
            assert client.get(f"{server.url}/whole").text == "one"
        assert server.connections == 1

    async def test_streams_of_one_connection_are_served_side_by_side(self) -> None:
        together = threading.Barrier(3, timeout=10)

        def script(stream: H2Stream, request: Request) -> None:
            stream.head()
            if request.path != "/first":
                together.wait()
            stream.piece(request.path.encode())
            stream.end()

        with H2Server(script) as server:
            async with httpx.AsyncClient(
                http2=True, verify=client_context(), trust_env=False
            ) as client:
                await client.get(f"{server.url}/first")
                answers = await asyncio.gather(*(client.get(f"{server.url}/{n}") for n in range(3)))
        assert [answer.text for answer in answers] == ["/0", "/1", "/2"]
        assert server.connections == 1

    def test_a_script_sees_that_its_stream_was_given_up(self) -> None:
        gone = threading.Event()

        def script(stream: H2Stream, request: Request) -> None:
            stream.head()
            stream.piece(b"one")
            stream.gone()
            gone.set()

        with H2Server(script) as server, h2_client() as client:
            with client.stream("GET", server.url) as response:
                pieces = response.iter_raw()
                assert next(pieces) == b"one"
                assert not gone.is_set()
            client.close()
            assert gone.wait(10)

    def test_a_body_larger_than_the_window_arrives_whole(self) -> None:
        piece = b"x" * 16_384

        def script(stream: H2Stream, request: Request) -> None:
            stream.head()
            for _ in range(16):
                stream.piece(piece)
            stream.end()

        with H2Server(script) as server, h2_client() as client:
            assert client.get(server.url).content == piece * 16

    def test_an_error_in_a_script_is_raised_at_exit(self) -> None:
        def script(stream: H2Stream, request: Request) -> None:
            raise ValueError(request.path)

        with (
            pytest.raises(ValueError, match=r"^/here$"),
            H2Server(script) as server,
            h2_client() as client,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            client.get(f"{server.url}/here")


def h2_client() -> httpx.Client:
    return httpx.Client(http2=True, verify=client_context(), trust_env=False)


class TestProxy:
    def test_plain_requests_are_forwarded_and_streamed(self) -> None:
        saw = threading.Event()

        def script(connection: Connection, request: Request) -> None:
            connection.head()
            connection.piece(b"first")
            connection.wait(saw)
            connection.piece(b"second")
            connection.end()

        with (
            RawServer(script) as server,
            Proxy() as proxy,
            httpx.Client(proxy=proxy.url, trust_env=False) as client,
        ):
            with client.stream("POST", f"{server.url}/a?b=c", content=b"body") as response:
                pieces = response.iter_raw()
                assert next(pieces) == b"first"
                saw.set()
                assert list(pieces) == [b"second"]
            client.get(f"{server.url}/again")
        assert [(r.method, r.path, r.body) for r in server.requests] == [
            ("POST", "/a?b=c", b"body"),
            ("GET", "/again", b""),
        ]
        assert proxy.requests[0].path == f"{server.url}/a?b=c"
        assert proxy.connections == 1

    def test_https_goes_through_a_tunnel(self) -> None:
        with (
            RawServer(hello, tls=server_context()) as server,
            Proxy() as proxy,
            httpx.Client(proxy=proxy.url, verify=client_context(), trust_env=False) as client,
        ):
            assert client.get(server.url).text == "hello"
        (request,) = proxy.requests
        assert (request.method, request.path) == ("CONNECT", f"{server.host}:{server.port}")
