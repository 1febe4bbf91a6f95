"""Whatever bytes a provider sends, in whatever pieces: the replay gives the same."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from aquila_cassette import aquila_cassette
from tests.clients import FACES, Face, every_face
from tests.servers import Connection, RawServer, Request


def answering(pieces: list[bytes], content_type: str, status: int = 200) -> RawServer:
    """A server that sends `pieces`, each as a chunk of its own, once the client wants more."""

    def script(connection: Connection, request: Request) -> None:
        connection.head(status, {"content-type": content_type})
        for piece in pieces:
            connection.piece(piece)
        connection.end()

    return RawServer(script)


AWKWARD = {
    "crlf": [b"data: 1\r\n", b"\r\ndata: 2\r\n\r\n"],
    "a-cr-cut-from-its-lf": [b"data: 1\r", b"\n\r\n"],
    "utf-8-cut": ["data: ü\n\n".encode()[:7], "data: ü\n\n".encode()[7:]],
    "comments": [b": ping\n\n", b"data: 1\n\n"],
    "next-line": ["data: a\u0085b\n\n".encode()],
    "line-separator": ["data: a\u2028b\u2029c\n\n".encode()],
    "nul": [b"data: a\0b\n\n"],
    "lone-cr": [b"data: a\rdata: b\n\n"],
    "mixed-line-ends": [b"data: a\r\ndata: b\ndata: c\r\r"],
    "invalid-utf-8": [b"data: \xff\xfe\n\n"],
    "a-byte-order-mark": ["\ufeffdata: 1\n\n".encode()],
    "delete-and-escape": [b"data: \x7f\x1b[0m\n\n"],
    "only-line-ends": [b"\n\n\n"],
    "leading-spaces": [b"   data: 1\n\n"],
    "tabs": [b"\tdata:\t1\n\n"],
    "no-end-of-line": [b"data: 1"],
    "trailing-spaces": [b"data: 1  \n  \n"],
    "yaml-look-alikes": [b"- a: &b *b !c\n--- \n... \n# d\n\n"],
    "nothing": [],
    "a-lone-zero": [b"0"],
    "all-bytes": [bytes(range(256))],
}


@pytest.mark.parametrize("sent", AWKWARD.values(), ids=AWKWARD)
@every_face
async def test_an_awkward_stream_replays_piece_for_piece(face: Face, sent: list[bytes]) -> None:
    with answering(sent, "text/event-stream") as server:
        with aquila_cassette("awkward"):
            live = await face.pieces(server.url)
    with aquila_cassette("awkward", mode="none"):
        assert await face.pieces(server.url) == live
    assert b"".join(live) == b"".join(sent)


@every_face
async def test_five_megabytes_replay_piece_for_piece(face: Face) -> None:
    sent = [b"data: %s\n\n" % (b"%04d " % number * 3500) for number in range(300)]
    with answering(sent, "text/event-stream") as server:
        with aquila_cassette("large"):
            live = await face.pieces(server.url)
    with aquila_cassette("large", mode="none"):
        assert await face.pieces(server.url) == live
    assert sum(map(len, live)) > 5_000_000


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
@every_face
async def test_a_body_that_comes_compressed_is_kept_as_what_it_decodes_to(
    face: Face, encoding: str
) -> None:
    text = b"data: Hello\n\n" * 40
    packed = {"gzip": gzip.compress, "br": brotli.compress, "deflate": zlib.compress}[encoding](
        text
    )

    def script(connection: Connection, request: Request) -> None:
        assert request.headers["accept-encoding"] == "identity"
        connection.head(
            200,
            {"content-type": "text/event-stream", "content-encoding": encoding},
            length=len(packed),
        )
        connection.piece(packed[:20])
        connection.piece(packed[20:])
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("packed"):
            live = await face.request("GET", server.url)
    with aquila_cassette("packed", mode="none"):
        replayed = await face.request("GET", server.url)
    assert live.content == replayed.content == text
    assert live.headers["content-encoding"] == encoding
    assert not {"content-encoding", "content-length", "transfer-encoding"} & {*replayed.headers}


@every_face
async def test_a_body_in_an_encoding_that_nobody_knows_is_kept_with_its_name(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "text/plain", "content-encoding": "x-own"}, length=6)
        connection.piece(b"\x00\x01own\xff")
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("own"):
            live = await face.request("GET", server.url)
    with aquila_cassette("own", mode="none"):
        replayed = await face.request("GET", server.url)
    assert live.content == replayed.content == b"\x00\x01own\xff"
    assert replayed.headers["content-encoding"] == "x-own"


@pytest.mark.parametrize("face", [face for face in FACES if face.sync], ids=repr)
def test_an_unstreamed_answer_replays_with_what_real_ones_carry(face: Face) -> None:
    with answering([b'{"object": ', b'"list"}'], "application/json") as server:
        with aquila_cassette("json"), face.client() as client:
            assert client.get(server.url).json() == {"object": "list"}
    with aquila_cassette("json", mode="none"), face.client() as client:
        response = client.get(server.url)
    assert response.json() == {"object": "list"}
    assert response.request.url == server.url
    assert (response.http_version, response.reason_phrase) == ("HTTP/1.1", "OK")
    assert response.is_closed
    assert response.is_stream_consumed
    assert response.elapsed.total_seconds() < 5


@every_face
async def test_a_header_that_is_not_ascii_replays_as_its_bytes(face: Face) -> None:
    def script(connection: Connection, request: Request) -> None:
        connection.send(
            b"HTTP/1.1 302 Found\r\nlocation: /caf\xc3\xa9\r\ncontent-length: 0\r\n\r\n"
        )
        connection.end()

    with RawServer(script) as server:
        with aquila_cassette("header"):
            live = await face.request("GET", server.url)
    with aquila_cassette("header", mode="none"):
        replayed = await face.request("GET", server.url)
    assert dict(replayed.headers.raw)[b"location"] == dict(live.headers.raw)[b"location"]
