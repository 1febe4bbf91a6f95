from __future__ import annotations

import pytest

from aquila_cassette.model import Failure, Piece, Response
from aquila_cassette.redaction import Redaction

REDACTION = Redaction()
KEY = b"sk-" + b"aB3dE6gH9" * 4
OPAQUE = "f3Kq9ZtR7mWx2LpV8sYd"


def redacted(*data: bytes, env: tuple[str, ...] = ()) -> list[bytes]:
    response = Response(200, (), tuple(Piece(at, one) for at, one in enumerate(data)))
    return [piece.data for piece in REDACTION.response(response, env=env).pieces]


def test_only_headers_of_the_allow_list_stay():
    response = Response(
        429,
        (
            ("Content-Type", "text/event-stream"),
            ("retry-after", "2"),
            ("retry-after-ms", "2000"),
            ("x-should-retry", "true"),
            ("x-ratelimit-remaining-tokens", "5"),
            ("anthropic-ratelimit-tokens-limit", "9"),
            ("location", f"https://u:p@host/next?api_key=a&sig={OPAQUE}#access_token=b"),
            ("openai-version", "2020-10-01"),
            ("www-authenticate", 'Bearer realm="x"'),
            ("set-cookie", "a=b"),
            ("x-request-id", "req_1"),
            ("anthropic-organization-id", "org"),
            ("date", "now"),
            ("cf-ray", "1"),
            ("content-encoding", "gzip"),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
        ),
    )
    assert REDACTION.response(response, env=()).headers == (
        ("content-type", "text/event-stream"),
        ("retry-after", "2"),
        ("retry-after-ms", "2000"),
        ("x-should-retry", "true"),
        ("x-ratelimit-remaining-tokens", "5"),
        ("anthropic-ratelimit-tokens-limit", "9"),
        ("location", "https://host/next?api_key=[redacted]&sig=[redacted]"),
        ("openai-version", "2020-10-01"),
        ("www-authenticate", 'Bearer realm="x"'),
        ("content-encoding", "gzip"),
    )


def test_a_response_with_nothing_to_hide_is_given_back_itself():
    pieces = (Piece(1, b"data: {}\n\n"), Piece(2, b""), Piece(3, b"\xff\x00"))
    response = Response(200, (("content-type", "x/y"),), pieces, error=Failure("ReadError", ""))
    assert REDACTION.response(response, env=()) is response


def test_a_secret_that_was_cut_in_two_is_found_and_the_cut_moves_behind_its_marker():
    assert redacted(b"a " + KEY[:9], KEY[9:] + b" b") == [b"a [redacted]", b" b"]


def test_pieces_that_were_all_secret_go_and_pieces_that_were_empty_stay():
    assert redacted(b"a ", b"", KEY[:1], KEY[1:20], b"", KEY[20:], b" b") == [
        b"a ",
        b"",
        b"[redacted]",
        b"",
        b" b",
    ]


def test_cuts_at_the_ends_of_a_secret_stay_where_they_are():
    assert redacted(b"a ", KEY, b" b", b" c " + KEY + b" ", b"d") == [
        b"a ",
        b"[redacted]",
        b" b",
        b" c [redacted] ",
        b"d",
    ]


def test_the_times_of_the_pieces_stay():
    pieces = (Piece(5, b"a " + KEY[:4]), Piece(7, KEY[4:]), Piece(9, b"."))
    response = REDACTION.response(Response(200, (), pieces), env=())
    assert response.pieces == (Piece(5, b"a [redacted]"), Piece(9, b"."))


def test_every_byte_in_a_piece_of_its_own_gives_the_same_body():
    body = b'data: {"api_key": "' + KEY + b'", "n": 1}\r\n\r\n'
    pieces = redacted(*(bytes([byte]) for byte in body))
    assert b"".join(pieces) == b'data: {"api_key": "[redacted]", "n": 1}\r\n\r\n'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"token":"Hello"}', b'{"token":"Hello"}'),
        (b'{"token":" f3Kq9ZtR7mWx2LpV8sYd"}', b'{"token":" f3Kq9ZtR7mWx2LpV8sYd"}'),
        (b'{"token":"f3Kq9ZtR7mWx2LpV8sYd"}', b'{"token":"[redacted]"}'),
        (b'{"token": 123456789012345678901234}', b'{"token": 123456789012345678901234}'),
        (b'{"gh_token":"f3Kq9ZtR7mWx2LpV8sYd"}', b'{"gh_token":"[redacted]"}'),
        (b'{"nextPageToken":"f3Kq9ZtR7mWx2LpV8sYd"}', b'{"nextPageToken":"f3Kq9ZtR7mWx2LpV8sYd"}'),
        (b'{"access_token":"short"}', b'{"access_token":"[redacted]"}'),
    ],
)
def test_a_token_of_a_response_is_redacted_only_if_it_looks_random(body: bytes, expected: bytes):
    assert redacted(body) == [expected]


def test_the_fields_of_every_event_are_redacted():
    events = b'event: a\ndata: {"client_secret":"x"}\n\n: c\n\ndata: {"d":{"password":"y"}}\n\n'
    assert redacted(events) == [
        (
            b'event: a\ndata: {"client_secret":"[redacted]"}\n\n: c\n\n'
            b'data: {"d":{"password":"[redacted]"}}\n\n'
        )
    ]


def test_the_text_of_a_failure_is_redacted():
    response = Response(None, error=Failure("ConnectError", f"no route: key {KEY.decode()}"))
    assert REDACTION.response(response, env=()).error == Failure(
        "ConnectError", "no route: key [redacted]"
    )


def test_bytes_that_are_no_text_keep_all_but_the_secret():
    assert redacted(b"\xff\xfe\x00" + KEY + b"\x00\x80") == [b"\xff\xfe\x00[redacted]\x00\x80"]
