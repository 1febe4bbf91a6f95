"""Redaction never changes what JSON or SSE is: what parsed before parses after, in the same shape."""

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette import sse
from aquila_cassette.dialects import aws_eventstream as eventstream
from aquila_cassette.model import Piece, Request, Response
from aquila_cassette.redaction import Redaction
from tests.corpus import CORPUS, needs_corpus

ENV = ("12345678", 'ab"c\\defg', "abcdefgh\\", "true horse", "e9abcdefgh")
REDACTION = Redaction(
    names=["tenant"],
    patterns=[re.compile(rb"acct.{2}"), "4[0-9]{7}", '": "[a-z]{6}z', r"card\s+no"],
)
PEM = "-----BEGIN PRIVATE KEY-----\n" + "aB3dE6gH9" * 8 + "\n-----END PRIVATE KEY-----"
SECRETS = [
    *ENV, "12345678 ", "acct12", "41111111", "card\nno", "sk-" + "aB3dE6gH9" * 3, "AKIAIOSFODNN7EXAMPLE",
    "Bearer f3Kq9ZtR7mWx2LpV8sYd", "r8_" + "aB3dE6gH9" * 4, "\nvapi-" + "aB3dE6gH9" * 3, PEM,
    "https://a.example/?api_key=f3Kq9ZtR7mWx2LpV8sYd", "abcdefz", "[redacted]", "x://me:p&w@a",
]  # fmt: skip
NAMES = ["api_key", "password", "token", "name", "input", "arguments", 'a "password', "na\\me", "é"]
TEXTS = st.lists(
    st.sampled_from([*SECRETS, '"', "\\", '\\"', ":", "password", " ", "\n", "é", '"password":'])
    | st.text(max_size=3),
    max_size=5,
).map("".join)
NUMBERS = st.sampled_from([1, -2.5, 12345678, 1.2345678, 41111111, 412345678901])


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
        | inner.map(_written)
    ),
    max_leaves=8,
)


def shape(value: object) -> object:
    """What JSON is, apart from its scalars: the text in a string counts where it is JSON too."""
    if isinstance(value, dict):
        return {name: _secret_shape(name, held) for name, held in value.items()}
    if isinstance(value, list):
        return [shape(held) for held in value]
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except ValueError:
            return "scalar"
        return shape(inner) if isinstance(inner, dict | list) else "scalar"
    return "scalar"


def _secret_shape(name: str, value: object) -> object:
    if name.endswith(("key", "token", "password")) and isinstance(value, str | list):
        return "list" if isinstance(value, list) else "scalar"
    return shape(value)


def redacted(body: bytes, kind: str, *, sent: bool = False) -> bytes:
    headers = (("content-type", kind),)
    if sent:
        return REDACTION.request(Request("POST", "x:/", headers, body), env=ENV).body
    return REDACTION.response(Response(200, headers, (Piece(0, body),)), env=ENV).body


@given(VALUES, st.booleans(), st.sampled_from([None, 1]), st.booleans())
def test_json_stays_json_of_the_same_shape(value, ascii_only, indent, sent) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    after = redacted(body.encode("utf-8", "surrogatepass"), "application/json", sent=sent)
    assert shape(json.loads(after)) == shape(value)
    for secret in ENV:
        assert secret not in json.dumps(json.loads(after), ensure_ascii=False)


@given(st.lists(VALUES, max_size=4), st.booleans(), st.booleans())
def test_every_event_stays_an_event(values, ascii_only, sent) -> None:
    texts = [json.dumps({"delta": one}, ensure_ascii=ascii_only) for one in values]
    body = "".join(f"event: a\r\nid: 1\ndata: {text}\n\n" for text in texts)
    after = redacted(body.encode("utf-8", "surrogatepass"), "text/event-stream", sent=sent)
    events = sse.events(after)
    assert [(event.type, event.id) for event in events] == [("a", "1")] * len(values)
    assert [shape(json.loads(event.data)) for event in events] == [
        shape(json.loads(text)) for text in texts
    ]


@given(st.lists(TEXTS, max_size=6))
def test_text_in_a_stream_stays_in_its_events(texts: list[str]) -> None:
    body = "".join(f"event: a\ndata: {text}\n\n" for text in texts).encode("utf-8", "replace")
    before, after = sse.events(body), sse.events(redacted(body, "text/event-stream"))
    assert [event.type for event in after] == [event.type for event in before]


@given(VALUES, st.lists(st.integers(0, 200), max_size=6), st.booleans(), st.booleans())
def test_arguments_in_fragments_are_still_json_when_they_are_joined(
    value, cuts, ascii_only, sent
) -> None:
    text = json.dumps({"password": value}, ensure_ascii=ascii_only)
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    parts = [text[start:end] for start, end in itertools.pairwise(places)]
    body = "".join(
        f"data: {json.dumps({'odd': part}, ensure_ascii=ascii_only)}\n\n" for part in parts
    )
    after = redacted(body.encode("utf-8", "surrogatepass"), "text/event-stream", sent=sent)
    events = sse.events(after)
    assert len(events) == len(parts)
    assert all(isinstance(json.loads(event.data)["odd"], str) for event in events)


@pytest.mark.parametrize("part", ['{"password":', ' "swordfish"}', '{"password": "swor', "dfish"])
def test_a_fragment_without_a_complete_value_stays(part: str) -> None:
    event = {"type": "content_block_delta", "delta": {"partial_json": part}}
    body = f"data: {json.dumps(event, separators=(',', ':'))}\n\n".encode()
    assert redacted(body, "text/event-stream", sent=True) == body


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"id": 12345678, "a": "12345678"}', '{"id": "[redacted]", "a": "[redacted]"}'),
        (r'{"a": "{\"id\": 12345678}"}', r'{"a": "{\"id\": \"[redacted]\"}"}'),
        (r'{"a": "\u00e9abcdefgh"}', '{"a": "[redacted]"}'),
        ('{"a": "x", "bc": "abcdefz"}', '{"a": "x", "bc": "[redacted]"}'),
        (r'{"a": "{\"id\": \"abcdefgh\\\\\"}"}', r'{"a": "{\"id\": \"[redacted]\"}"}'),
    ],
)
def test_what_crosses_the_tokens_of_json_is_redacted_within_them(before: str, after: str) -> None:
    assert redacted(before.encode(), "application/json").decode() == after


def test_a_secret_that_spans_lines_leaves_the_fields_of_a_stream() -> None:
    lines = "".join(f"data: {line}\n" for line in PEM.split("\n"))
    body = f"event: a\n{lines}\nevent: b\ndata: card\ndata: no\n\n".encode()
    events = sse.events(redacted(body, "text/event-stream"))
    assert [event.type for event in events] == ["a", "b"]
    assert "aB3dE6gH9" not in events[0].data


def test_a_number_in_a_binary_stream_stays_in_a_json_payload() -> None:
    payload = b'{"contentBlockIndex":12345678}'
    size = (len(payload) + 16).to_bytes(4, "big")
    message = eventstream.reframed(size + bytes(8) + payload + bytes(4))
    read = eventstream.meaning(redacted(message, eventstream.CONTENT_TYPE))
    assert read
    assert read[2] == {"contentBlockIndex": "[redacted]"}


ANTHROPIC_CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {"password": "swordfish"}}
GEMINI_CALL = {"content": {"parts": [{"functionCall": {"args": {"api_key": "swordfish"}}}]}}
OPENAI_CALL = {"tool_calls": [{"function": {"arguments": '{"password": "swordfish"}'}}]}
CALLS = [
    ({"type": "message", "content": [ANTHROPIC_CALL]}, False),
    ({"candidates": [GEMINI_CALL]}, False),
    ({"choices": [{"message": OPENAI_CALL}]}, False),
    ({"type": "content_block_start", "content_block": ANTHROPIC_CALL}, True),
    ({"candidates": [GEMINI_CALL]}, True),
    ({"choices": [{"delta": OPENAI_CALL}]}, True),
]


@pytest.mark.parametrize(("answer", "is_event"), CALLS)
def test_what_a_model_wrote_is_not_redacted_by_the_names_of_fields(
    answer: object, is_event: bool
) -> None:
    """A tool gets on replay what it got before; the same in a request is redacted."""
    body, kind = json.dumps(answer).encode(), "application/json"
    if is_event:
        body, kind = b"data: {}\n\ndata: " + body + b"\n\n", "text/event-stream"
    assert redacted(body, kind) == body
    assert b"swordfish" not in redacted(body, kind, sent=True)


@pytest.mark.parametrize("is_event", [False, True])
def test_a_link_that_a_model_wrote_stays_and_one_of_its_provider_has_no_signature(
    is_event: bool,
) -> None:
    link = "https://me:pw@x.example/a?sig=AZaz0189AZaz0189AZaz0189"
    said = {"content": f"See {link} [1]", "annotations": [{"text": link, "Urls": [link]}]}
    answer = {"choices": [{"index": 0, "delta" if is_event else "message": said}]}
    body, kind = json.dumps(answer).encode(), "application/json"
    if is_event:
        body, kind = b"data: " + body + b"\n\n", "text/event-stream"
    url = f'"Urls": ["{link}'.encode()
    assert redacted(body, kind) == body.replace(
        url, url[:-24].replace(b"pw", b"%5Bredacted%5D") + b"[redacted]"
    )
    assert link.encode() not in redacted(body, kind, sent=True)


def test_other_fields_of_a_models_answer_are_redacted_by_name() -> None:
    answer = {"choices": [], "client_secret": "x", "session": {"password": "y"}}
    after = redacted(json.dumps(answer).encode(), "application/json")
    assert json.loads(after) == {
        "choices": [], "client_secret": "[redacted]", "session": {"password": "[redacted]"},
    }  # fmt: skip


@needs_corpus
def test_no_recorded_stream_is_changed_whether_it_comes_or_is_sent() -> None:
    redaction = Redaction()
    changed = []
    for file in sorted(CORPUS.glob("*.sse")):
        body = file.read_bytes()
        response = Response(200, (("content-type", "text/event-stream"),), (Piece(0, body),))
        request = Request("POST", "x:/", (), body)
        if redaction.response(response, env=()) is not response:
            changed.append(file.name)
        if redaction.request(request, env=()) is not request:
            changed.append(f"{file.name}, sent")
    assert changed == []
