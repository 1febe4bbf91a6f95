"""What each piece of a stream added: whole in the end, and never before it was there."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.dialects import TimedText, read_message, timeline_text
from tests.corpus import RECORDED, Recorded, each_recorded
from tests.dialects.streams import SSE, WHOLE, chunk, data, typed


def parts(chunks: list[TimedText]) -> dict[str, list[tuple[str, str]]]:
    """The parts' names and texts, by kind."""
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for one in chunks:
        texts[one.part].append(one.text)
    heads = {one.part: one for one in chunks}
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for part in sorted(texts):
        text = "".join(texts[part]).encode("utf-16-le", "surrogatepass")
        found[heads[part].kind].append(
            (heads[part].name, text.decode("utf-16-le", "replace")),
        )
    return found


def joined(found: dict[str, list[tuple[str, str]]], kind: str) -> str:
    return "".join(text for _, text in found.get(kind, []))


def assert_it_comes_to_what_was_said(content_type: str | None, pieces: list[bytes]) -> None:
    whole = read_message(content_type, b"".join(pieces))
    found = parts(timeline_text(content_type, pieces))
    assert joined(found, "words") == whole.text
    assert joined(found, "thought") == whole.reasoning
    assert joined(found, "refusal") == whole.refusal
    calls = [(call.name, call.arguments) for call in whole.tool_calls]
    assert found.get("call", []) == calls
    assert [text for _, text in found.get("error", [])][-1:] == ([whole.error] * bool(whole.error))


@each_recorded(RECORDED)
def test_a_recorded_stream_unfolds_to_what_it_said(recorded: Recorded) -> None:
    chance = random.Random(recorded.file)
    cuts = sorted(chance.choices(range(len(recorded.body) + 1), k=20))
    edges = [0, *cuts, len(recorded.body)]
    pieces = [recorded.body[a:b] for a, b in pairwise(edges)]
    assert_it_comes_to_what_was_said(recorded.content_type, pieces)


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_however_a_stream_is_cut_it_unfolds_to_what_it_said(name: str, draw: Any) -> None:
    content_type, body = WHOLE[name]
    edges = sorted(draw.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    edges = [0, *edges, len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    assert_it_comes_to_what_was_said(content_type, pieces)


def test_a_chunk_comes_with_the_piece_that_ends_its_message() -> None:
    body = data(chunk({"content": "Hel"}), chunk({"content": "lo"}))
    middle = body.index(b"\n\n")
    cut = [body[:9], body[9:middle], body[middle : middle + 2], body[middle + 2 :]]
    assert timeline_text(SSE, cut) == [
        TimedText(2, 0, "words", "", "Hel"),
        TimedText(3, 0, "words", "", "lo"),
    ]


def test_parts_stand_in_the_order_in_which_they_began() -> None:
    block = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
    body = typed(
        {"type": "content_block_delta", "index": 0, "delta": {"thinking": "Hm."}},
        {"type": "content_block_delta", "index": 1, "delta": {"text": "Let me"}},
        {"type": "content_block_delta", "index": 1, "delta": {"text": " look."}},
        {"type": "content_block_start", "index": 2, "content_block": block},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": '{"at":'}},
        {"type": "content_block_delta", "index": 2, "delta": {"partial_json": "1}"}},
        {"type": "content_block_delta", "index": 3, "delta": {"text": "So."}},
        {"type": "error", "error": {"message": "Overloaded"}},
    )
    assert [tuple(one)[1:] for one in timeline_text(SSE, [body])] == [
        (0, "thought", "", "Hm."),
        (1, "words", "", "Let me"),
        (1, "words", "", " look."),
        (2, "call", "look", ""),
        (2, "call", "look", '{"at":'),
        (2, "call", "look", "1}"),
        (3, "words", "", "So."),
        (4, "error", "", "Overloaded"),
    ]


@pytest.mark.parametrize(
    ("whole", "last"),
    [
        ('{"a":1}', ":1}"),
        ('{"a":1,"b":2}', '{"a":1,"b":2}'),
        ('{"a":12}', '{"a":12}'),
        ('{"a":1} ', " "),
        ("", ":1}"),
    ],
)
def test_the_whole_of_a_call_counts_more_than_its_chunks(whole: str, last: str) -> None:
    item = {"type": "function_call", "call_id": "c", "name": "f"}
    delta = "response.function_call_arguments.delta"
    body = typed(
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": delta, "output_index": 0, "delta": '{"a"'},
        {"type": delta, "output_index": 0, "delta": ":1}"},
        {"type": "response.output_item.done", "item": {**item, "arguments": whole}},
    )
    assert_it_comes_to_what_was_said(SSE, [body])
    assert [one.text for one in timeline_text(SSE, [body]) if one.text][-1] == last


def test_an_answer_that_is_one_json_comes_whole_with_its_last_piece() -> None:
    body = b'{"choices": [{"message": {"content": "Hello", "reasoning": "Hm."}}]}'
    assert timeline_text("application/json", [body[:5], body[5:]]) == [
        TimedText(1, 0, "thought", "", "Hm."),
        TimedText(1, 1, "words", "", "Hello"),
    ]


def test_what_nobody_understands_says_nothing() -> None:
    assert timeline_text(None, []) == []
    assert timeline_text(SSE, [b"data: one\n\ndata: two\n\n"]) == []


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_make_it_raise(pieces: list[bytes]) -> None:
    chunks = timeline_text(SSE, pieces)
    assert all(0 <= one.piece < len(pieces) for one in chunks)
