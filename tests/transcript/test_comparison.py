"""Two recordings compared: what counts is shown, and what differs each time is not."""

import json
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.dialects.reading import read_message
from aquila_cassette.model import Failure, Headers, Interaction, Piece, Request, Response
from aquila_cassette.transcript.comparison import compare
from tests.corpus import Recorded, every_recorded, sliced
from tests.dialects.streams import SSE, data


@dataclass(frozen=True)
class Noise:
    """What differs each time."""

    mark: str = "a1"  # of ids, fingerprints and signatures
    number: int = 1  # of dates, latencies and counters
    padding: str = "abc"
    cuts: tuple[int, ...] = ()  # of texts into chunks
    pieces: tuple[int, ...] = ()  # of bodies
    late: int = 0  # ms
    pings: bool = False  # events that only keep the connection open


noises = st.builds(
    Noise,
    st.text("abc0123456789", min_size=2, max_size=8),
    st.integers(1, 10**9),
    st.integers(1, 36).map(lambda size: "abcdefghijklmnopqrstuvwxyz0123456789"[:size]),
    st.lists(st.integers(1, 12), max_size=3).map(lambda some: tuple(sorted(set(some)))),
    st.lists(st.integers(1, 400), max_size=4).map(lambda some: tuple(sorted(set(some)))),
    st.integers(0, 499),
    st.booleans(),
)


@dataclass(frozen=True)
class Scene:
    """What is the same each time, unless a test changes it."""

    ask: str = "Is it warm?"
    thought: str = "I must look."
    text: str = "One moment, please."
    city: str = "Paris"
    stop: str = "tool"
    tokens: int = 12


def record(scene: Scene = Scene(), noise: Noise = Noise()) -> Interaction:
    """Return the scene as a provider that speaks OpenAI's chat completions streams it."""
    body = _stream(scene, noise)
    asked = {"model": "m", "messages": [{"role": "user", "content": scene.ask}]}
    headers: Headers = (("content-type", SSE), ("x-ratelimit-remaining", str(noise.number)))
    bounds = [0, *(cut for cut in noise.pieces if cut < len(body)), len(body)]
    pieces = tuple(Piece(700 + noise.late, body[a:b]) for a, b in pairwise(bounds))
    return Interaction(
        Request("POST", "https://example.com/v1/chat/completions", body=json.dumps(asked).encode()),
        Response(200, headers, pieces, headers_after=noise.late),
        recorded_at=f"2026-11-{noise.number % 28 + 1:02d}T10:30:00Z",
    )


def _chunks(text: str, noise: Noise) -> list[str]:
    bounds = [0, *(cut for cut in noise.cuts if cut < len(text)), len(text)]
    return [text[a:b] for a, b in pairwise(bounds)]


def _call(scene: Scene) -> str:
    return json.dumps({"city": scene.city})


def _stream(scene: Scene, noise: Noise) -> bytes:
    call = {"name": "get_weather", "arguments": ""}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "content": ""},
        *({"reasoning_content": chunk} for chunk in _chunks(scene.thought, noise)),
        *({"content": chunk} for chunk in _chunks(scene.text, noise)),
        {"tool_calls": [{"index": 0, "id": f"call_{noise.mark}", "type": "function",
                         "function": call}]},
        *({"tool_calls": [{"index": 0, "function": {"arguments": chunk}}]}
          for chunk in _chunks(_call(scene), noise)),
    ]  # fmt: skip
    head = {"id": f"chatcmpl-{noise.mark}", "object": "chat.completion.chunk", "model": "m",
            "created": noise.number, "system_fingerprint": f"fp_{noise.mark}"}  # fmt: skip
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
         "obfuscation": noise.padding, "p": noise.padding}
        for delta in deltas
    ]  # fmt: skip
    usage = {"completion_tokens": scene.tokens, "total_time": noise.number / 7}
    chunks += [
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": scene.stop}]},
        {**head, "choices": [], "usage": usage, "x_groq": {"id": f"req_{noise.mark}"}},
    ]
    comment = b": OPENROUTER PROCESSING\n\n" if noise.pings else b""
    return comment + data(*chunks, "[DONE]")


def changed(old: Interaction, new: Interaction) -> list[str]:
    """Return the lines that differ; those that only surround them are left out."""
    (one,) = compare([old], [new]).interactions
    assert (one.state == "same") == (one.lines == ())
    return [line for line in one.lines if line[0] in "-+"]


def answered(body: bytes, kind: str = "application/json", **more: Any) -> Interaction:
    pieces = (Piece(5, body),) if body else ()
    response = replace(Response(200, (("content-type", kind),), pieces), **more)
    return Interaction(Request("POST", "https://example.com/v1", body=b'{"n": 1}'), response)


def asked(text: str, answer: str = "a", status: int = 200) -> Interaction:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})
    said = json.dumps({"choices": [{"message": {"content": answer}}]})
    request = Request("POST", "https://example.com/v1", body=body.encode())
    return replace(answered(said.encode(), status=status), request=request)


@given(noises, noises)
def test_with_only_noise_changed_a_recording_is_the_same(one: Noise, other: Noise) -> None:
    old, new = record(noise=one), record(noise=other)
    assert compare([old], [new]).same


@given(noises, noises, st.text("abc .\n", min_size=1, max_size=20))
def test_no_noise_hides_another_word(one: Noise, other: Noise, text: str) -> None:
    old, new = record(noise=one), record(Scene(text=f"x{text}"), other)
    assert all(line[1:].startswith("said") for line in changed(old, new))


def test_what_was_asked_said_called_and_counted_is_shown() -> None:
    scene = Scene("Is it cold?", "I will look.", "One second, please.", "Rome", "length", 99)
    new = record(scene, Noise("b2", 77, "abcdef", (3,), (50,), 20, True))
    (one,) = compare([record()], [new]).interactions
    assert one.heading.startswith("interaction 1: request and answer changed (POST https://")
    lines = [line for line in one.lines if line[0] in "-+" and "usage" not in line]
    assert lines == [
        "-user       Is it warm?",
        "+user       Is it cold?",
        "-thought    I must look.",
        "-said       One moment, please.",
        '-called     get_weather {"city": "Paris"}',
        "-ended      complete (tool)",
        "+thought    I will look.",
        "+said       One second, please.",
        '+called     get_weather {"city": "Rome"}',
        "+ended      complete (length)",
    ]
    assert "+usage      completion_tokens 99" in one.lines


def test_a_long_answer_is_compared_by_the_sentence() -> None:
    old, new = (asked("x", f"First. {word} comes. Last!") for word in ("Next", "Third"))
    (one,) = compare([old], [new]).interactions
    lines = [" said       First.", "-said       Next comes.", "+said       Third comes."]
    assert one.lines == (*lines, " said       Last!")


FAILED: dict[str, Any] = {"kind": "text/plain", "ended": "failed"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (  # an error in place of an answer
            answered(b'{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}'),
            answered(b'{"error": {"message": "Slow down."}, "request_id": "r1"}', status=429),
            ["-answer     200, OpenAI chat completions", "-said       Hi",
             "-ended      complete (stop)", "+answer     429 Too Many Requests, application/json",
             "+error      Slow down.", "+ended      complete"],
        ),
        (  # a name in an id
            answered(b'{"data": [{"id": "gpt-4", "created": 4}]}'),
            answered(b'{"data": [{"id": "gpt-5", "created": 5}]}'),
            ["-body       - {id: gpt-4}", "+body       - {id: gpt-5}"],
        ),
        (  # a random id
            answered(b'{"id": "8f14e45fceea467a9a36dedd4bea2543"}'),
            answered(b'{"id": "c9f0f895fb984b9189f51fd0297e236d"}'),
            [],
        ),
        (  # another field of a model's answer in JSON
            answered(b'{"choices": [{"message": {"content": "a"}}], "citations": ["x.org/1"]}'),
            answered(b'{"choices": [{"message": {"content": "a"}}], "citations": ["x.org/2"]}'),
            ["-body       citations: [x.org/1]", "+body       citations: [x.org/2]"],
        ),
        (  # text
            answered(b"one\ntwo\n", "text/plain"),
            answered(b"one\n2\n", "text/plain"),
            ["-body       two", "+body       2"],
        ),
        (  # events that no dialect knows
            answered(b'event: tick\ndata: {"n": 1, "created": 1}\n\ndata: two\n\n'),
            answered(b'event: tick\ndata: {"n": 1, "created": 9}\n\n: ping\n\ndata: 2\n\n'),
            ["-body       two", "+body       2"],
        ),
        (  # a port in an error
            answered(b"x", **FAILED, error=Failure("E", "port 4711, 12 bytes")),
            answered(b"x", **FAILED, error=Failure("E", "port 5822, 9 bytes")),
            [],
        ),
        (  # another ending
            answered(b"x", "text/plain"),
            answered(b"x", **FAILED, error=Failure("ReadError", "reset")),
            ["-ended      complete", "+ended      failed: ReadError: reset"],
        ),
    ],
)  # fmt: skip
def test_an_answer_shows_what_counts(
    old: Interaction, new: Interaction, expected: list[str]
) -> None:
    assert changed(old, new) == expected


def test_json_nested_deeper_than_can_be_read_is_compared_as_it_is() -> None:
    for depth in (*range(840, 1000, 40), 3_000, 100_000):
        old, new = (
            answered(b'{"choices": [], "x": ' + b"[" * depth + end + b"]" * depth + b"}")
            for end in (b"1", b"2")
        )
        assert not compare([old], [new]).same


def turn_with_result(call: str, result: str = "18") -> Interaction:
    message = {"role": "tool", "tool_call_id": call, "content": result}
    body = {"messages": [message], "previous_response_id": f"resp_{call}"}
    request = Request("POST", "https://example.com/v1", body=json.dumps(body).encode())
    return replace(record(), request=request)


def test_an_id_that_a_request_repeats_of_an_answer_is_noise() -> None:
    ids = "call_8f14e45fceea467a9a36dedd4bea2543", "call_c9f0f895fb984b9189f51fd0297e236d"
    old, new = ([record(noise=Noise(id_)), turn_with_result(id_)] for id_ in ids)
    assert compare(old, new).same
    assert not compare(old, [new[0], turn_with_result(ids[1], "19")]).same
    get = [Request("GET", f"https://example.com/v1/responses/{id_}") for id_ in ids]
    assert compare(*([Interaction(one, Response(204))] for one in get)).same


def states(old: list[Interaction], new: list[Interaction]) -> list[tuple[str, int]]:
    return [(one.state, one.number) for one in compare(old, new).interactions]


A, B, C, D = (asked(text) for text in ("How warm is it?", "Who are you?", "Count!", "Sing!"))
OTHER = Interaction(Request("GET", "https://example.com/other"), Response(204))


def test_interactions_are_paired_by_their_requests_in_their_order() -> None:
    assert compare([A, B, C], [A, OTHER, C]).summary() == "1 added, 1 removed"
    expected = [("same", 1), ("added", 2), ("same", 3), ("removed", 2)]
    assert states([A, B, C], [A, OTHER, C]) == expected
    assert states([A, B, C, D], [D, A, B, C]) == [("same", n) for n in (1, 2, 3, 4)]
    assert states([], [A]) == [("added", 1)]
    assert states([A], []) == [("removed", 1)]
    again = [asked("How warm is it?", answer) for answer in "bc"]
    assert states([A, again[0]], [A, again[1]]) == [("same", 1), ("changed", 2)]


def test_of_a_request_that_was_tried_again_the_attempts_are_paired_by_their_status() -> None:
    busy = asked("How warm is it?", "", 429)
    assert states([busy, A], [A]) == [("same", 1), ("removed", 1)]
    assert states([A], [busy, A]) == [("added", 1), ("same", 2)]


def test_a_changed_question_stays_with_its_answer() -> None:
    new = [asked("How warm is it today?"), C]
    comparison = compare([A, C], new)
    assert [one.what for one in comparison.interactions] == ["request", ""]
    assert comparison.summary() == "1 of 2 changed"


def test_of_several_questions_that_changed_each_is_paired_with_the_closest() -> None:
    old = [asked(text) for text in ("1", "2", "3")]
    assert states(old, [asked("2"), asked("3, please")]) == [
        ("same", 1), ("changed", 2), ("removed", 1),
    ]  # fmt: skip
    new = [asked(f"{text}, please") for text in ("2", "3", "1")]
    for one, text in zip(compare(old, new).interactions, ("2", "3", "1"), strict=True):
        assert {f"-user       {text}", f"+user       {text}, please"} <= set(one.lines)


def test_the_lines_of_a_long_difference_can_be_limited() -> None:
    new = asked("x", "\n".join(map(str, range(50))))
    assert list(compare([], [new]).lines(3)) == [
        "interaction 1: added (POST https://example.com/v1)",
        "+POST       https://example.com/v1",
        "+model      m",
        "+user       x",
        " ... and 52 more lines",
    ]


letters = st.lists(st.sampled_from("abcdefg"), max_size=8)


@given(letters, letters)
def test_each_interaction_of_either_recording_is_there_once(old: list[str], new: list[str]) -> None:
    ours, theirs = (
        [Interaction(Request(name, f"https://example.com/{name}"), Response(204)) for name in names]
        for names in (old, new)
    )
    found = compare(ours, theirs).interactions
    assert [one.number for one in found if one.state != "removed"] == list(range(1, len(new) + 1))
    assert [one.state for one in found].count("removed") == len(old) - sum(
        min(old.count(name), new.count(name)) for name in "abcdefg"
    )


_VALUE = re.compile(
    rb'("(?:obfuscation|system_fingerprint|created|created_at|sequence_number|id|item_id|responseId'
    rb'|total_time|queue_time|signature|thoughtSignature)" *: *)("[^"\\]*"|[0-9.]+)'
)


def recording(body: bytes, kind: str, seed: str) -> Interaction:
    pieces = tuple(Piece(at, data) for at, data in enumerate(sliced(body, seed)))
    response = Response(200, (("content-type", kind),), pieces)
    return Interaction(Request("POST", "https://example.com/v1", body=b"{}"), response)


def other_value(found: re.Match[bytes]) -> bytes:
    value = found[2]
    return found[1] + (b'"9' + value[1:] if value.startswith(b'"') else b"9" + value)


@every_recorded
def test_a_stream_with_other_ids_dates_and_pieces_is_the_same(recorded: Recorded) -> None:
    body, kind = recorded.body, recorded.content_type
    other = _VALUE.sub(other_value, body) if read_message(kind, body).dialect else body
    old, new = recording(body, kind, "one"), recording(other, kind, "other")
    assert compare([old], [new]).same
