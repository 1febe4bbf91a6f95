"""http.client and what is built on it: pools, sockets and framing as without us."""

import gc
import http.client
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import urllib3

from aquila_cassette import MissError, aquila_cassette
from tests.clients import Library, every_library
from tests.http.cassettes import JSON, kept
from tests.servers import (
    CHAT_FRAMES,
    FRAMES,
    Connection,
    GateServer,
    RawServer,
    Request,
    says_path,
    sends,
)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(says_path) as server:
        yield server


# Pieces.


# Left to themselves these libraries read a negative size for ever, with growing memory.
@every_library(lambda one: one.name in ("requests", "urllib3", "urllib", "http_client"))
async def test_a_negative_chunk_size_is_a_protocol_failure(library: Library) -> None:
    negative = _CHUNKED + b"7\r\ndata: 1\r\n-5\r\nhello\r\n0\r\n\r\n"

    def script(connection: Connection, request: Request) -> None:
        connection.send(negative)
        connection.fin()

    errors = []
    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("ends", mode=mode):
                with pytest.raises(Exception) as raised:  # noqa: PT011 - each has its own
                    await library.pieces(server.url, json=JSON)
                errors.append(type(raised.value))
    assert errors[0] == errors[1]
    response = kept().response
    assert response.error is not None
    assert (response.body, response.error.category) == (b"data: 1", "protocol")


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "within a chunk": _CHUNKED + b"7\r\ndata: 1\r\nff\r\ndata: 2",
    "after a chunk": _CHUNKED + b"7\r\ndata: 1\r\n",
    "within its length": _HEAD + b"Content-Length: 20\r\n\r\ndata: 1",
    **{
        f"the chunk size {size!r}": _CHUNKED + b"7\r\ndata: 1\r\n%s\r\nhello\r\n0\r\n\r\n" % size
        for size in (b"ZZ", b"")
    },
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
    "too long a line": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    "nothing": b"",
}


# What tornado shows of a stream that ends at once is a race in tornado.
@every_library(lambda one: one.name != "tornado")
@pytest.mark.parametrize("sent", BROKEN)
async def test_what_breaks_off_gives_as_much_on_replay_and_says_the_same(
    library: Library, sent: str
) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(BROKEN[sent])
        connection.fin()

    async def seen(url: str) -> tuple[bytes, type[BaseException], str]:
        got = b""
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each library has its own
            async with library.open("GET", url, None, 5) as reply:
                while True:
                    got += await reply.piece()
        if isinstance(raised.value, StopAsyncIteration):
            return got, StopAsyncIteration, ""
        return got, type(raised.value), re.sub(r"0x[0-9a-f]+", "", str(raised.value))

    with RawServer(script) as server:
        bare = await seen(server.url)
        with aquila_cassette("ends") as cassette:
            assert await seen(server.url) == bare
    assert cassette.recorded[-1].response.ended == "failed" or bare[1] is StopAsyncIteration
    with aquila_cassette("ends", mode="none"):
        assert await seen(server.url) == bare


def test_a_replayed_failure_says_where_it_comes_from() -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.reset()

    with RawServer(script) as server:
        for mode in ("once", "none"):
            with aquila_cassette("ends", mode=mode):
                with pytest.raises(Exception) as raised:  # noqa: PT011
                    httpx.get(server.url)
    (note,) = raised.value.__notes__
    assert re.fullmatch(
        r"Replayed from a cassette: \S+ends.yaml \(interaction 1\), recorded 20..-..-..\.", note
    )


def test_each_line_is_seen_before_the_next_event_is_sent() -> None:
    def lines() -> Iterator[bytes]:
        with urllib.request.urlopen(server.url, b"{}") as response:
            yield from response

    with GateServer(CHAT_FRAMES) as server:
        with aquila_cassette("lines"):
            seen = []
            for line in lines():
                seen.append(line)
                if line.strip():
                    server.seen()
    assert b"".join(seen) == b"".join(CHAT_FRAMES)
    with aquila_cassette("lines", mode="none") as cassette:
        assert list(lines()) == seen
    pieces = cassette.played[0].response.pieces
    assert [piece.data for piece in pieces] == list(CHAT_FRAMES)


def test_a_stream_that_is_dropped_and_never_closed_is_closed_when_it_is_collected() -> None:
    with RawServer(sends(FRAMES[:2], Connection.gone)) as server, urllib3.PoolManager() as pool:
        with aquila_cassette("ends") as cassette:
            response = pool.request("POST", server.url, json=JSON, preload_content=False)
            pieces = response.stream()
            assert next(pieces) == FRAMES[0]
            assert cassette.recorded == ()
            del response, pieces
            gc.collect()
            assert [one.response.ended for one in cassette.recorded] == ["closed"]
    assert kept().response.body == FRAMES[0]


# Pools and sockets: as without us.


def test_a_pool_keeps_its_connection_and_a_replay_leaves_none_in_it(server: RawServer) -> None:
    with requests.Session() as session:
        session.get(f"{server.url}/1")
        with aquila_cassette("before"):
            live = session.get(f"{server.url}/2").content
        with aquila_cassette("before", mode="none"):
            assert session.get(f"{server.url}/2").content == live
        session.get(f"{server.url}/3")
    assert server.connections == 1
    assert [request.path for request in server.requests] == ["/1", "/2", "/3"]
    with urllib3.PoolManager() as pool:
        with aquila_cassette("before", mode="none"):
            pool.request("GET", f"{server.url}/2")
        assert server.connections == 1
        pool.request("GET", f"{server.url}/live")
    assert server.connections == 2


def test_a_connection_may_be_used_again_after_a_miss(server: RawServer) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    with pytest.raises(MissError):
        with aquila_cassette("missed", mode="none"):
            connection.request("GET", "/")
    connection.close()
    connection.request("GET", "/again")
    assert connection.getresponse().read() == b"/again"
    connection.close()


def test_a_request_may_be_sent_part_by_part(server: RawServer) -> None:
    def send(url: str) -> bytes:
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        connection.putrequest("POST", "/parts")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        for part in (b"4\r\nhalf\r\n", b"5\r\n and \r\n4\r\nhalf\r\n", b"0\r\n\r\n"):
            connection.send(part)
        body = connection.getresponse().read()
        connection.close()
        return body

    with aquila_cassette("parts") as cassette:
        assert send(server.url) == b"/parts"
    assert cassette.recorded[0].request.body == b"half and half"
    assert server.requests[0].body == b"half and half"
    with aquila_cassette("parts", mode="none"):
        assert send(server.url) == b"/parts"


def test_a_server_that_answers_before_it_read_the_request_is_recorded() -> None:
    def script(connection: Connection, request: Request) -> None:
        raise AssertionError("it never comes to this")

    class Impatient(RawServer):
        def serve(self, sock: Any) -> None:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
            Connection(sock).gone()

    def ask(url: str) -> tuple[int, bytes]:
        answer = requests.post(url, data=b"x" * 3_000_000)
        return answer.status_code, answer.content

    with Impatient(script) as server:
        url = server.url
        with aquila_cassette("impatient"):
            live = ask(url)
    with aquila_cassette("impatient", mode="none"):
        assert ask(url) == live == (413, b"no")


def test_a_subclass_made_inside_a_block_is_met(server: RawServer) -> None:
    with pytest.raises(MissError):
        with aquila_cassette("made", mode="none"):

            class Own(http.client.HTTPConnection):
                def connect(self) -> None:
                    super().connect()

            connection: Any = Own(server.url.removeprefix("http://"))
            connection.connect()
            connection.request("GET", "/")
    assert server.connections == 0
