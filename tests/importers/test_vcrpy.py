"""vcrpy's cassettes, as every version of it and those who extend it wrote them."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable

import brotli
import pytest
import yaml

from aquila_cassette.model import Interaction, Piece
from tests.importers.samples import EVENTS, URL, only, tape, vcrpy


def test_a_tape_is_read_as_it_lies() -> None:
    one = only(vcrpy())
    assert (one.request.method, one.request.url, one.request.body) == ("POST", URL, b'{"n":1}')
    assert one.request.headers == (("authorization", "Bearer abc"),)
    response = one.response
    assert (response.status, response.body, response.ended) == (200, b"hi", "complete")
    assert response.headers == (("content-type", "text/plain"),)
    assert (one.recorded_at, one.recorded_by) == ("", None)
    assert tape(vcrpy()).foreign == "vcrpy"


def test_json_says_the_same_as_yaml() -> None:
    data = json.dumps(yaml.safe_load(vcrpy()), indent=4)
    assert tape(data) == tape(vcrpy())
    assert tape(json.dumps(yaml.safe_load(vcrpy()))) == tape(vcrpy())


def test_a_control_character_that_yaml_forbids_is_the_one_that_stands_there() -> None:
    assert only(vcrpy().replace("hi", "h\x1bi")).response.body == b"h\x1bi"


@pytest.mark.parametrize("data", [vcrpy(), json.dumps(yaml.safe_load(vcrpy()))])
def test_a_compressed_file_says_the_same(data: str) -> None:
    assert tape(gzip.compress(data.encode())) == tape(vcrpy())
    halves = gzip.compress(data[:50].encode()) + gzip.compress(data[50:].encode())
    assert tape(halves) == tape(vcrpy())


def test_langchain_keeps_requests_and_responses_apart() -> None:
    (item,) = yaml.safe_load(vcrpy())["interactions"]
    data = {"requests": [item["request"]] * 2, "responses": [item["response"]] * 2}
    read = tape(gzip.compress(yaml.safe_dump(data).encode()))  # with an anchor and an alias
    assert read.interactions == tape(vcrpy()).interactions * 2


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        ("body: null", b""),
        ("body: ''", b""),
        ("body: 'é'", "é".encode()),
        ("body: !!binary /wAB", b"\xff\0\x01"),
        ("body: [abc, !!binary ZA==]", b"abcd"),
        ("body:\n      string: abc", b"abc"),
        ("body:\n      base64_string: /wAB", b"\xff\0\x01"),
        ("body: {encoding: utf-8, string: abc}", b"abc"),
        ("body:\n      model: m\n      n: 1", b'{"model": "m", "n": 1}'),
        (
            "parsed_body:\n      say: é\n      n: [1.5, null]",
            b'{"say": "\\u00e9", "n": [1.5, null]}',
        ),
    ],
)
def test_a_request_may_have_its_body_in_many_forms(sent: str, body: bytes) -> None:
    assert only(vcrpy(sent=sent)).request.body == body


@pytest.mark.parametrize(
    ("received", "body"),
    [
        ("body: {}", b""),
        ("body:\n      string: ''", b""),
        ("body:\n      string: null", b""),
        ("body:\n      string: !!binary /wAB", b"\xff\0\x01"),
        ("body:\n      base64_string: /wAB", b"\xff\0\x01"),
        ("body: abc", b"abc"),
        ("parsed_body:\n      ok: true", b'{"ok": true}'),
    ],
)
def test_a_response_may_have_its_body_in_many_forms(received: str, body: bytes) -> None:
    assert only(vcrpy(received=received)).response.body == body


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
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
    assert response.body == b"hi"
    assert response.headers == (("x-request-id", "a"),)


def test_a_body_that_nobody_here_can_decode_stays_as_it_is() -> None:
    headers = "headers: {content-encoding: [snappy]}"
    response = only(vcrpy(headers=headers)).response
    assert (response.body, response.headers) == (b"hi", (("content-encoding", "snappy"),))


def test_a_header_may_have_several_values_or_one() -> None:
    headers = "headers: {Set-Cookie: [a=1, b=2], Age: '3', X-N: 4}"
    assert only(vcrpy(headers=headers)).response.headers == (
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("age", "3"),
        ("x-n", "4"),
    )


def test_an_event_stream_has_a_piece_for_each_frame() -> None:
    received = f"body:\n      string: {json.dumps(EVENTS.decode())}"
    headers = "headers: {content-type: [text/event-stream]}"
    response = only(vcrpy(received=received, headers=headers)).response
    assert response.body == EVENTS
    first, rest = EVENTS[:21], EVENTS[21:]
    assert response.pieces == (Piece(0, first), Piece(0, rest))


def test_the_date_of_the_answer_is_when_it_was_recorded() -> None:
    headers = "headers: {Date: ['Mon, 23 Nov 2026 01:49:37 GMT']}"
    assert only(vcrpy(headers=headers)).recorded_at == "2026-11-23T01:49:37Z"
    assert only(vcrpy(headers="headers: {Date: [never]}")).recorded_at == ""


def test_httpx_was_once_recorded_in_another_way() -> None:
    received = "content: 'é'"
    status = "http_version: HTTP/2\n    status_code: 200"
    old = only(vcrpy(received=received, status=status))
    assert (old.response.status, old.response.body) == (200, "é".encode())


def _same(one: Interaction) -> tuple[object, ...]:
    return one.request, one.response


def test_before_version_1_a_tape_was_a_list_with_tags() -> None:
    old = """\
- request: !!python/object:vcr.request.Request
    body: '{"n":1}'
    headers: !!python/object/apply:__builtin__.frozenset
    - - !!python/tuple [Authorization, Bearer abc]
    host: api.example.com
    method: POST
    path: /v1/chat
    port: 443
    protocol: https
  response:
    body: {string: !!python/unicode 'hi'}
    headers: ["Content-Type: text/plain\\r\\n"]
    status: {code: 200, message: OK}
"""
    assert _same(only(old)) == _same(only(vcrpy()))
    elsewhere = old.replace("port: 443", "port: 8080").replace("protocol: https", "protocol: http")
    assert only(elsewhere).request.url == "http://api.example.com:8080/v1/chat"


def test_betamax_and_vcr_of_ruby_write_nearly_the_same() -> None:
    data = {
        "http_interactions": [
            {
                "request": {
                    "body": {"encoding": "utf-8", "string": '{"n":1}'},
                    "headers": {"Authorization": ["Bearer abc"]},
                    "method": "POST",
                    "uri": URL,
                },
                "response": {
                    "body": {"encoding": "utf-8", "base64_string": "aGk="},
                    "headers": {"Content-Type": ["text/plain"]},
                    "status": {"code": 200, "message": "OK"},
                    "url": URL,
                },
                "recorded_at": "2026-11-22T10:30:00",
            }
        ],
        "recorded_with": "betamax/0.8.1",
    }
    for text in (json.dumps(data), yaml.safe_dump(data)):
        assert _same(only(text)) == _same(only(vcrpy()))
        assert (tape(text).foreign, only(text).recorded_at) == ("betamax", "2026-11-22T10:30:00Z")


def test_a_file_may_come_from_windows() -> None:
    data = b"\xef\xbb\xbf" + vcrpy().replace("\n", "\r\n").encode()
    assert tape(data) == tape(vcrpy())


def test_what_vcrpy_passes_over_is_passed_over() -> None:
    more = vcrpy().replace("version: 1", "metadata: {seed: 3}\nversion: 1")
    assert tape(more) == tape(vcrpy())
