"""An answer read a piece at a time says what it says as a whole, however it is cut."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.cli.answer_stream import AddedText, AnswerReader
from aquila_cassette.dialects import read_message
from tests.corpus import Recorded, every_recorded
from tests.dialects import streams
from tests.dialects.streams import chunk, data, lines


def read(kind: str | None, pieces: list[bytes]) -> list[AddedText]:
    reader = AnswerReader(kind)
    found = [one for piece in pieces for one in reader.push(piece)]
    return found + reader.finish()


def check(kind: str | None, body: bytes, pieces: list[bytes]) -> None:
    whole = read_message(kind, body)
    texts: Counter[str] = Counter()
    found = read(kind, pieces)
    for kind_, wanted in (
        ("said", whole.text),
        ("thought", whole.reasoning),
        ("refused", whole.refusal),
    ):
        assert "".join(one.text for one in found if one.kind == kind_) == wanted
    # Calls that a provider makes in parallel come in turns.
    texts.update("".join(one.text for one in found if one.kind == "called"))
    assert texts == Counter("".join(f"{one.name} {one.arguments}" for one in whole.tool_calls))
    errors = [one.text for one in found if one.kind == "error"]
    assert errors[-1:] == ([whole.error] if whole.error else [])


@every_recorded
def test_each_recorded_stream_says_the_same_in_any_pieces(recorded: Recorded) -> None:
    body = recorded.body
    kind = recorded.content_type
    check(kind, body, recorded.pieces)


BODIES = [
    (streams.SSE, streams.CHAT),
    (streams.SSE, streams.RESPONSES),
    (streams.NDJSON, lines({"message": {"content": "Hé"}, "done": False},
                           {"response": "!", "done": True})),
    ("application/json", b'{"choices": [{"message": {"content": "Hi", "reasoning": "Hm"}}]}'),
    ("application/json", b'{"error": {"message": "No."}}'),
    (None, data({"error": {"message": "No."}}, eol="\r\n")),
    ("text/plain", b"no stream"),
    (streams.SSE, b""),
    (streams.SSE, b": keepalive\n\n"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_each_framing_is_read_byte_by_byte(kind: str | None, body: bytes) -> None:
    check(kind, body, [body[at : at + 1] for at in range(len(body))])


@given(st.sampled_from(BODIES), st.data())
def test_a_body_cut_off_anywhere_says_what_there_is(
    of: tuple[str | None, bytes], draw: st.DataObject
) -> None:
    kind, body = of
    body = body[: draw.draw(st.integers(0, len(body)))]
    cut = draw.draw(st.integers(0, len(body)))
    check(kind, body, [body[:cut], body[cut:]])


def test_each_chunk_is_given_when_its_event_is_whole() -> None:
    reader = AnswerReader("text/event-stream")
    first, second = data(chunk({"content": "Hel"})), data(chunk({"content": "lo"}))
    assert reader.push(first[:-1]) == []
    assert reader.push(first[-1:] + second[:5]) == [AddedText("said", "Hel", begins=True)]
    assert reader.push(second[5:]) == [AddedText("said", "lo")]
    assert reader.finish() == []


def test_a_character_in_two_halves_is_given_when_it_is_whole() -> None:
    reader = AnswerReader("text/event-stream")
    template = r'{"choices": [{"delta": {"content": "HALF"}}]}'
    halves = [data(template.replace("HALF", half)) for half in (r"\ud83d", r"\ude00")]
    assert reader.push(halves[0]) == []
    assert reader.push(halves[1]) == [AddedText("said", "😀", begins=True)]
    assert reader.push(halves[0]) == []
    assert reader.finish() == [AddedText("said", "�")]
