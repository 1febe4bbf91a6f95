"""vcrpy's cassettes, as every version of it and those who extend it write them, and ours for it."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import brotli
import pytest
import yaml
from hypothesis import given

from aquila_cassette.importers import read_foreign
from aquila_cassette.importers import vcrpy as format_
from aquila_cassette.model import CassetteData, Interaction, Piece, Request, Response
from aquila_cassette.redaction.rules import FRAMING
from aquila_cassette.storage.format import as_read
from aquila_cassette.storage.yaml_reader import LARGE
from tests.importers.samples import EVENTS, URL, only, read, vcrpy
from tests.storage.cassettes import PATH
from tests.storage.strategies import cassettes


def test_a_cassette_is_read_as_it_is() -> None:
    one = only(vcrpy())
    assert one.request == Request("POST", URL, (("Authorization", "Bearer abc"),), b'{"n":1}')
    assert one.response == Response(200, (("Content-Type", "text/plain"),), (Piece(0, b"hi"),))


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(yaml.safe_load(vcrpy())).encode(),
        gzip.compress(vcrpy().encode()),
        b"\xef\xbb\xbf" + vcrpy().replace("\n", "\r\n").encode(),
        vcrpy().replace("version: 1", "metadata: {seed: 3}\nversion: 1").encode(),
    ],
    ids=["JSON", "gzip", "Windows", "more fields"],
)
def test_the_same_in_another_form_reads_the_same(data: bytes) -> None:
    assert read(data) == read(vcrpy())


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ("body: null", b""),
        ("body: 'é'", "é".encode()),
        ("body: !!binary /wAB", b"\xff\0\x01"),
        ("body: [abc, !!binary ZA==]", b"abcd"),
        ("body:\n      string: abc", b"abc"),
        ("body:\n      base64_string: /wAB", b"\xff\0\x01"),
        ("body:\n      model: m\n      n: 1", b'{"model": "m", "n": 1}'),
        ("parsed_body:\n      say: é\n      n: [1.5]", b'{"say": "\\u00e9", "n": [1.5]}'),
    ],
)
def test_a_request_may_have_its_body_in_many_forms(sent: str, body: bytes) -> None:
    assert only(vcrpy(sent=sent)).request.body == body


@pytest.mark.parametrize(
    ("received", "body"),
    [
        ("body: {string: !!binary /wAB}", b"\xff\0\x01"),
        ("status_code: 200\n    content: 'é'", "é".encode()),  # of httpx, by vcrpy 2 to 5
    ],
)
def test_a_response_may_have_its_body_in_many_forms(received: str, body: bytes) -> None:
    assert only(vcrpy(received=received)).response.body == body


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("{Set-Cookie: [a=1, b=2]}", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]),
        ("{Content-Encoding: [snappy]}", [("content-encoding", "snappy")]),  # nobody decodes it
    ],
)
def test_headers_are_as_they_were(headers: str, expected: list[tuple[str, str]]) -> None:
    response = only(vcrpy(headers=f"headers: {headers}")).response
    assert (response.headers, response.body) == (tuple(expected), b"hi")


def test_an_event_stream_has_a_piece_for_each_frame_and_the_date_is_when_it_was_recorded() -> None:
    received = f"body:\n      string: {json.dumps(EVENTS.decode())}"
    headers = "headers: {content-type: text/event-stream, Date: 'Mon, 23 Nov 2026 01:49:37 GMT'}"
    one = only(vcrpy(received=received, headers=headers))
    assert one.response.pieces == (Piece(0, EVENTS[:21]), Piece(0, EVENTS[21:]))
    assert one.recorded_at == "2026-11-23T01:49:37Z"
    assert only(vcrpy(headers="headers: {Date: [never]}")).recorded_at == ""


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("br", brotli.compress),
        ("gzip", bytes),  # decoded before it was kept, and the header forgotten
    ],
)
def test_a_body_is_decoded_and_the_headers_of_its_transport_are_gone(
    encoding: str, packed: Callable[[bytes], bytes]
) -> None:
    data = packed(b"hi")
    received = f"body:\n      string: !!binary {base64.b64encode(data).decode()}"
    headers = (
        f"headers: {{Content-Encoding: [{encoding}], Content-Length: ['{len(data)}'], "
        "Transfer-Encoding: [chunked], X-Request-Id: [a]}"
    )
    response = only(vcrpy(received=received, headers=headers)).response
    assert (response.body, response.headers) == (b"hi", (("X-Request-Id", "a"),))


@given(cassettes)
def test_requests_statuses_and_bodies_of_ours_come_back_from_its_format(
    cassette: CassetteData,
) -> None:
    there = tuple(
        replace(one, request=replace(one.request, method="POST"), recorded_by=None)
        for one in map(as_read, cassette.interactions)
        if one.response.status is not None
        and not any(name in FRAMING for name, _ in one.response.headers)
    )
    text = b"".join(format_.chunks(there)).decode()
    assert text.isascii()
    assert all(map(format_.reads_back, there))
    found = read_foreign(text.encode(), path=PATH)
    back = found.interactions if found else ()
    for one, came in zip(there, back, strict=True):
        assert came.request == one.request
        for name in ("status", "body", "headers"):
            assert getattr(came.response, name) == getattr(one.response, name)


@pytest.mark.parametrize(
    "some",
    ["é😀\u2028\x85\0\ufeff\ufdef", 'a "b" \\n\t', " ", "\n", "  x \n\r\n  # : y\n", b"\xff\0\n"],
)
@pytest.mark.parametrize("offset", [0, 1])  # where it is cut into stretches
def test_a_large_body_is_written_in_stretches_and_read_by_pyyaml(
    some: str | bytes, offset: int
) -> None:
    text = some.encode() if isinstance(some, str) else some
    body = b"x" * offset + text * (LARGE // len(text) + 1)
    sent = Request("POST", "https://a.example/\ufdef", (), body)
    one = Interaction(sent, Response(200, (), (Piece(0, body),)))
    data = b"".join(format_.chunks([one]))
    assert data.isascii()
    assert format_.reads_back(one)
    (found,) = yaml.load(data, Loader=yaml.CSafeLoader)["interactions"]
    written = found["request"]["body"], found["response"]["body"]["string"]
    assert [it.encode() if isinstance(it, str) else it for it in written] == [sent.body, body]


def test_what_vcrpy_cannot_hold_is_said() -> None:
    for ended, status, what in (
        ("complete", 200, ""),
        ("closed", 200, "the answer is closed; vcrpy replays it as a whole one"),
        ("failed", None, "no answer came, which vcrpy cannot replay: left out"),
    ):
        one = Interaction(Request("GET", "https://a.example/"), Response(status, ended=ended))
        assert format_.losses(one) == what
        assert (b"interactions: []\n" in format_.chunks([one])) == (status is None)
