"""http.client and what is built on it: pools, sockets and framing as without us."""

import http.client
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import urllib3

from aquila_cassette import MissError, aquila_cassette
from tests.clients import Library, every_library
from tests.http.cassettes import JSON, kept, same_again
from tests.servers import CHAT_FRAMES, Connection, GateServer, RawServer, Request, says_path

NEGATIVE = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n-5\r\nhello\r\n0\r\n\r\n"
)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(says_path) as server:
        yield server


# Pieces.


# Left to themselves these libraries read a negative size for ever, with growing memory.
@every_library(lambda one: one.name in ("requests", "urllib3", "urllib", "http_client"))
async def test_a_negative_chunk_size_is_a_protocol_failure(library: Library) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(NEGATIVE)
        connection.fin()

    async def ask(url: str) -> type[Exception]:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each has its own
            await library.pieces(url, json=JSON)
        return raised.type

    await same_again(script, ask)
    response = kept().response
    assert response.error is not None
    assert (response.body, response.error.category) == (b"data: 1", "protocol")


def test_each_line_is_seen_before_the_next_event_is_sent() -> None:
    def lines() -> Iterator[bytes]:
        with urllib.request.urlopen(server.url, b"{}") as response:
            yield from response

    with GateServer(CHAT_FRAMES) as server:
        with aquila_cassette("ends"):
            seen = []
            for line in lines():
                seen.append(line)
                if line.strip():
                    server.seen()
    assert b"".join(seen) == b"".join(CHAT_FRAMES)
    assert [piece.data for piece in kept().response.pieces] == list(CHAT_FRAMES)
    with aquila_cassette("ends", mode="none"):
        assert list(lines()) == seen


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


async def test_a_request_may_be_sent_part_by_part() -> None:
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

    server, _ = await same_again(says_path, send)
    assert kept().request.body == server.requests[0].body == b"half and half"


async def test_a_server_that_answers_before_it_read_the_request_is_recorded() -> None:
    class Impatient(RawServer):
        def serve(self, sock: Any) -> None:
            sock.recv(1000)
            sock.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
            Connection(sock).gone()

    with Impatient(says_path) as server:
        for mode in ("once", "none"):
            with aquila_cassette("impatient", mode=mode):
                answer = requests.post(server.url, data=b"x" * 3_000_000)
                assert (answer.status_code, answer.content) == (413, b"no")
    assert server.connections == 1


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
