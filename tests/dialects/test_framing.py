"""How a body is framed, and cutting NDJSON into its lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.dialects import ndjson_lines
from aquila_cassette.dialects.framing import framing, read_events
from tests.dialects.streams import NDJSON, SSE

FRAMINGS = [
    (SSE, b"", "sse"),
    (SSE, b"data: 1\n\n", "sse"),
    (SSE, b'{"a": 1}', "json"),
    (SSE, b'\n[{"a": 1}]', "json"),
    ("TEXT/EVENT-STREAM", b"hello", "sse"),
    (None, b": hi\n\n", "sse"),
    ("", b"\r\nid: 1\n", "sse"),
    ("application/json", b"event:a\ndata: 1\n\n", "sse"),
    (None, "\ufeffretry: 1\n".encode(), "sse"),
    (None, b"datum: 1", "json"),
    (NDJSON, b"", "ndjson"),
    (NDJSON, b'{"a": 1}', "ndjson"),
    ("application/jsonl", b'{"a": 1}', "ndjson"),
    ("application/json", b'{"a": 1}\n{"a": 2}\n', "ndjson"),
    ("application/json", b'{"a": 1}\r\n\n{"a', "ndjson"),
    ("application/json", b'{"a": 1}\n', "json"),
    ("application/json", b'{\n{"a": 1}\n', "json"),
    (None, b"", "json"),
]


@pytest.mark.parametrize(("content_type", "body", "expected"), FRAMINGS)
def test_a_body_is_framed_as_it_looks(content_type: str | None, body: bytes, expected: str) -> None:
    assert framing(content_type, body) == expected


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"{}", b"\n", b"\r\n", "\u2028".encode(), b"x"])).map(b"".join))
def test_joining_the_lines_gives_the_body(body: bytes) -> None:
    lines = ndjson_lines(body)
    assert b"".join(lines) == body
    assert all(line.index(b"\n") == len(line) - 1 for line in lines[:-1])
    assert all(lines)


def test_blank_lines_are_no_messages() -> None:
    found = list(read_events("ndjson", b'{"a": 1}\r\n\r\n\n{"a": 2'))
    assert [(message.data, message.json) for message in found] == [
        ('{"a": 1}', {"a": 1}),
        ('{"a": 2', None),
    ]
