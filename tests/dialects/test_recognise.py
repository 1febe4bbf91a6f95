"""How a body is framed, and which dialect it is, by what its events hold."""

import pytest

from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.reading import DIALECTS, recognise
from tests.dialects.streams import ANTHROPIC, CHAT, NDJSON, SSE, WHOLE, chunk, data, lines, typed


def test_every_dialect_has_a_stream_here() -> None:
    binary = {"bedrock", "bedrock-titan", "bedrock-llama"}  # in test_bedrock.py
    assert {dialect.name for dialect in DIALECTS} - binary == set(WHOLE)


def name_of_dialect(content_type: str | None, body: bytes) -> str | None:
    dialect = recognise(content_type, body)
    return dialect and dialect.name


@pytest.mark.parametrize("name", WHOLE)
def test_no_event_is_of_two_dialects(name: str) -> None:
    content_type, body = WHOLE[name]
    for event in read_events(framing(content_type, body), body):
        assert {each.name for each in DIALECTS if each.recognises(event)} <= {name}


FILLED = {
    "comments": b": waiting\n\n" * 5000 + CHAT,
    "pings": data({"type": "ping"}) * 10 + ANTHROPIC,
    "a byte order mark": "\ufeff".encode() + CHAT,
    "an empty first chunk of Azure's": data({"choices": [], "model": ""}) + CHAT,
    "a first message larger than one look": data(chunk({"content": "x" * 100_000})) + CHAT,
}


@pytest.mark.parametrize("filler", FILLED)
def test_what_fills_the_start_hides_no_dialect(filler: str) -> None:
    expected = "anthropic" if filler == "pings" else "openai-chat"
    assert name_of_dialect(SSE, FILLED[filler]) == expected


UNKNOWN = {
    "nothing": (SSE, b""),
    "JSON": ("application/json", b'{"choices": []}'),
    "JSON sent as a stream": (SSE, b'{"error": {"message": "No."}}'),
    "another provider's stream": (SSE, data({"value": "Hi"})),
    "MCP": (SSE, data({"jsonrpc": "2.0", "id": 1, "result": {}})),
    "pings alone": (SSE, typed({"type": "ping"})),
    "a first message cut off": (SSE, b'data: {"choices": ['),
    "other lines": (NDJSON, lines({"status": "pulling"}, {"status": "success"})),
    "text": ("text/plain", b"Hello"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_no_known_stream_has_no_dialect(what: str) -> None:
    assert recognise(*UNKNOWN[what]) is None


FRAMINGS = [
    (SSE, b"", "sse"),
    (SSE, b"data: 1\n\n", "sse"),
    (SSE, b'{"a": 1}', "json"),
    ("TEXT/EVENT-STREAM", b"hello", "sse"),
    (None, b": hi\n\n", "sse"),
    ("", b"\r\nid: 1\n", "sse"),
    ("application/json", b"event:a\ndata: 1\n\n", "sse"),
    (None, "\ufeffretry: 1\n".encode(), "sse"),
    (None, b"datum: 1", "json"),
    (NDJSON, b"", "ndjson"),
    (NDJSON, b'{"a": 1}', "ndjson"),
    ("application/json", b'{"a": 1}\n{"a": 2}\n', "ndjson"),
    ("application/json", b'{"a": 1}\r\n\n{"a', "ndjson"),
    ("application/json", b'{"a": 1}\n', "json"),
    (None, b"", "json"),
]


@pytest.mark.parametrize(("content_type", "body", "expected"), FRAMINGS)
def test_a_body_is_framed_as_it_looks(content_type: str | None, body: bytes, expected: str) -> None:
    assert framing(content_type, body) == expected
