"""Two cassettes compared: what counts is told, and what differs each time is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.model import CassetteData, Failure, Interaction, Piece, Request, Response
from aquila_cassette.transcript.comparison import Change, Comparison, compare
from aquila_cassette.transcript.comparison.lines import lines, plain
from tests.dialects.streams import typed
from tests.storage.draws import tapes
from tests.transcript.comparison.takes import DIALECTS, Noise, Scene, noises, take, tape

relaxed = settings(max_examples=40, deadline=None)
each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def told(comparison: Comparison) -> dict[str, list[str]]:
    """Give what is told of the only interaction: the lines of each aspect."""
    (one,) = comparison.interactions
    assert len({change.aspect for change in one.changes}) == len(one.changes)
    return {change.aspect: plain(lines(change)) for change in one.changes}


def changed(old: Interaction, new: Interaction, *, everything: bool = False) -> dict[str, Any]:
    comparison = compare(tape(old), tape(new), everything=everything)
    assert comparison.same == (not any(one.changes for one in comparison.interactions))
    return told(comparison)


def answered(body: bytes, kind: str = "application/json", **more: Any) -> Interaction:
    headers = (("content-type", kind),)
    pieces = (Piece(5, body),) if body else ()
    return Interaction(
        Request("POST", "https://example.com/v1", body=b'{"n": 1}'),
        replace(Response(200, headers, pieces), **more),
    )


# Properties.


@given(tapes)
@relaxed
def test_a_tape_compared_with_itself_is_the_same(one: CassetteData) -> None:
    for everything in (False, True):
        comparison = compare(one, one, everything=everything)
        assert comparison.same
        assert comparison.summary() == "the same"


@given(tapes, tapes)
@settings(max_examples=30, deadline=None)
def test_where_everything_counts_only_equal_tapes_are_the_same(
    one: CassetteData, other: CassetteData
) -> None:
    assert compare(one, other, everything=True).same == (one == other)
    mixed = CassetteData(
        tuple(
            replace(ours, response=theirs.response)
            for ours, theirs in zip(one.interactions, other.interactions, strict=False)
        ),
        one.recorded_with,
    )
    assert compare(one, mixed, everything=True).same == (one == mixed)


@given(st.sampled_from(sorted(DIALECTS)), noises, noises)
@settings(max_examples=100, deadline=None)
def test_with_only_noise_changed_a_tape_is_the_same(dialect: str, one: Noise, other: Noise) -> None:
    old, new = tape(take(dialect, noise=one)), tape(take(dialect, noise=other))
    comparison = compare(old, new)
    assert comparison.interactions[0].changes == ()
    assert comparison.same
    assert compare(old, new, everything=True).same == (old == new)


@given(st.sampled_from(sorted(DIALECTS)), noises, noises, st.text(min_size=1, max_size=20))
@relaxed
def test_no_noise_hides_another_word(dialect: str, one: Noise, other: Noise, text: str) -> None:
    old, new = take(dialect, noise=one), take(dialect, Scene(text=text), other)
    aspects = [change.aspect for change in compare(tape(old), tape(new)).interactions[0].changes]
    assert aspects == ([] if text == Scene().text else ["text"])


# What is told.


@each_dialect
def test_what_was_asked_said_called_and_counted_is_told(dialect: str) -> None:
    old = take(dialect)
    scene = Scene("Is it cold?", "I will look.", "One second, please.", "Rome", "length", 99)
    found = changed(old, take(dialect, scene, Noise("b2", 77, "abcdef", (3,), (50,), 20, True)))
    usage = found.pop("usage")
    assert found == {
        "request": ["@@ messages.0.content @@", "-Is it warm?", "+Is it cold?"],
        "reasoning": ["I [-must-]{+will+} look."],
        "text": ["One [-moment-]{+second+}, please."],
        "calls": ["@@ get_weather.city @@", "-Paris", "+Rome"],
        "stop": ["tool → length"],
    }
    names = {"chat": "completion_tokens", "gemini": "totalTokenCount"}
    assert usage == [f"{names.get(dialect, 'output_tokens')} 12 → 99"]


def test_all_tells_ids_dates_and_padding_too() -> None:
    old, new = take("chat"), take("chat", noise=Noise("b2", 2, "abcd", late=9))
    assert changed(old, new, everything=True) == {
        "headers": ["x-ratelimit-remaining 1 → 2"],
        "usage": ["total_time 0.14285714285714285 → 0.2857142857142857"],
        "fields": [
            "@@ id @@",
            "-chatcmpl-a1",
            "+chatcmpl-b2",
            "@@ created @@",
            "-1",
            "+2",
            "@@ system_fingerprint @@",
            "-fp_a1",
            "+fp_b2",
            "@@ obfuscation @@",
            "-abc",
            "+abcd",
            "@@ p @@",
            "-abc",
            "+abcd",
            "@@ choices.0.delta.tool_calls.0.id @@",
            "-call_a1",
            "+call_b2",
            "@@ x_groq.id @@",
            "-req_a1",
            "+req_b2",
        ],
        "arrival": [
            "bytes 1839 → 1848, headers 0 ms → 9 ms, first 700 ms → 709 ms, last 700 ms → 709 ms"
        ],
        "kept": ["recorded_at 2026-11-02T10:30:00Z → 2026-11-03T10:30:00Z"],
    }


def test_an_answer_that_became_another_kind_is_told_once() -> None:
    old = answered(b'{"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}')
    call = b'[{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}]'
    new = answered(
        b'{"choices": [{"message": {"role": "assistant", "tool_calls": ' + call + b"}}]}"
    )
    assert changed(old, new) == {"text": ["-Hi"], "calls": ["@@ look @@", "+{}"]}


def test_what_the_events_hold_beside_is_told() -> None:
    body = b'data: {"choices":[{"delta":{"content":"a"}}],"citations":["https://a.b/%b"]}\n\n'
    old, new = (answered(body % one, "text/event-stream") for one in (b"1", b"2"))
    assert changed(old, new) == {
        "fields": ["@@ citations.0 @@", "-https://a.b/1", "+https://a.b/2"]
    }


def test_another_model_status_and_header_are_told() -> None:
    old = answered(b'{"model": "m-1", "choices": [{"message": {"content": "a"}}]}')
    new = answered(b'{"model": "m-2", "choices": [{"message": {"content": "a"}}]}', "text/json")
    new = replace(new, response=replace(new.response, status=201))
    assert changed(old, new) == {
        "status": ["200 → 201"],
        "headers": ["content-type application/json → text/json"],
        "model": ["m-1 → m-2"],
    }


def test_an_error_in_place_of_an_answer_is_told() -> None:
    old = answered(b'{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}')
    body = b'{"error": {"message": "Slow down.", "code": "rate_limit"}, "request_id": "r1"}'
    new = answered(body, status=429)
    assert changed(old, new) == {
        "status": ["200 → 429"],
        "dialect": ["-openai-chat"],
        "text": ["-Hi"],
        "error": ["+Slow down."],
        "stop": ["-stop"],
        "fields": ["@@ error.code @@", '+"rate_limit"'],
    }


def test_another_end_is_told_and_a_port_in_its_message_is_not() -> None:
    cut = Failure("ReadError", "reset by 127.0.0.1:4711 after 12 bytes")
    again = Failure("ReadError", "reset by 127.0.0.1:5822 after 9 bytes")
    whole = answered(b"x", "text/plain")
    one, other = (
        answered(b"x", "text/plain", ended="failed", error=error) for error in (cut, again)
    )
    assert changed(one, other) == {}
    assert changed(whole, one) == {
        "ended": ["complete → failed: ReadError: reset by 127.0.0.1:4711 after 12 bytes"]
    }
    assert changed(one, other, everything=True) == {
        "ended": [f"failed: ReadError: {cut.message} → failed: ReadError: {again.message}"]
    }


def test_answers_of_no_model_are_compared_as_json_text_or_bytes() -> None:
    listed = [answered(b'{"data": [{"id": "gpt-%d", "created": %d}]}' % (n, n)) for n in (4, 5)]
    assert changed(*listed) == {"fields": ["@@ data.0.id @@", "-gpt-4", "+gpt-5"]}
    drawn = [answered(b'{"id": "8f14e45fceea167a5a36dedd4bea254%d"}' % n) for n in (3, 4)]
    assert changed(*drawn) == {}
    texts = [answered(text, "text/plain") for text in (b"one\ntwo\n", b"one\n2\n")]
    assert changed(*texts) == {"fields": ["@@ body, line 2 @@", " one", "-two", "+2", " "]}
    images = [answered(text, "image/png") for text in (b"\xff", b"\xfe\x00")]
    assert changed(*images) == {
        "fields": [
            "@@ body @@",
            "-<1 bytes, sha256 a8100ae6aa19>",
            "+<2 bytes, sha256 59316c1a765f>",
        ]
    }


def test_events_that_no_dialect_knows_are_compared_one_by_one() -> None:
    body = b'event: tick\ndata: {"n": 1, "event_id": "%s"}\n\nevent: tick\ndata: %s\n\n'
    drawn = b"8f14e45fceea167a5a36dedd4bea2543", b"c9f0f895fb98ab9159f51fd0297e236d"
    old, new = answered(body % (drawn[0], b"two")), answered(body % (drawn[1], b"three"))
    assert changed(old, new) == {"fields": ["@@ 1 @@", "-two", "+three"]}


def test_a_body_that_differs_only_in_white_space_is_told_where_everything_counts() -> None:
    old, new = answered(b'{"choices": []}'), answered(b'{"choices":[]}')
    assert changed(old, new) == {}
    assert changed(old, new, everything=True) == {
        "fields": ["@@ body @@", '-{"choices": []}', '+{"choices":[]}'],
        "arrival": ["bytes 15 → 14"],
    }


def test_an_api_version_counts_and_how_an_sdk_says_json_does_not() -> None:
    one = answered(b"")
    old, new = (
        replace(one, request=replace(one.request, headers=headers))
        for headers in (
            (("accept", "*/*"), ("anthropic-version", "2023-06-01")),
            (("accept", "application/json"), ("anthropic-version", "2027-01-01")),
        )
    )
    assert changed(old, new) == {"request": ["anthropic-version 2023-06-01 → 2027-01-01"]}
    assert changed(old, new, everything=True) == {
        "request": ["accept */* → application/json, anthropic-version 2023-06-01 → 2027-01-01"]
    }


def test_a_header_that_came_in_two_lines_is_the_same_but_for_its_look() -> None:
    one = answered(b"")
    old, new = (
        replace(one, response=replace(one.response, headers=headers))
        for headers in ((("link", "<a>"), ("link", "<b>")), (("link", "<a>, <b>"),))
    )
    assert changed(old, new) == {}
    assert changed(old, new, everything=True) == {
        "headers": ["order link: <a>, link: <b> → link: <a>, <b>"]
    }


def test_json_nested_deeper_than_can_be_read_is_compared_as_it_is() -> None:
    # Somewhere between is a depth at which it can be parsed and no more than that.
    for depth in (*range(840, 1000, 5), 3_000, 100_000):
        bodies = [
            b'{"model": "m", "choices": [], "x": ' + b"[" * depth + end + b"]" * depth + b"}"
            for end in (b"1", b"2")
        ]
        answers = (answered(body) for body in bodies)
        assert list(changed(*answers)) == ["fields"]
        asked = (Request("POST", "https://example.com", body=body) for body in bodies)
        assert list(changed(*(Interaction(one, Response(204)) for one in asked))) == ["request"]


def test_what_an_answer_repeats_of_its_request_is_told_once() -> None:
    def told_to(how: str) -> Interaction:
        response = {"model": "m", "instructions": how, "status": "completed", "output": []}
        body = typed(
            {"type": "response.created", "response": response},
            {"type": "response.completed", "response": response},
        )
        asked = json.dumps({"instructions": how}).encode()
        request = Request("POST", "https://example.com/v1/responses", body=asked)
        return replace(answered(body, "text/event-stream"), request=request)

    assert changed(told_to("Be brief."), told_to("Be kind.")) == {
        "request": ["@@ instructions @@", "-Be brief.", "+Be kind."]
    }


def test_what_several_events_repeat_is_told_once() -> None:
    def citing(url: str) -> Interaction:
        note = {"type": "url_citation", "url": url}
        body = typed(
            {"type": "response.output_text.annotation.added", "annotation": note},
            {"type": "response.content_part.done", "part": {"text": "a", "annotations": [note]}},
        )
        return answered(body, "text/event-stream")

    assert changed(citing("https://a.example"), citing("https://b.example")) == {
        "fields": [
            "@@ response.output_text.annotation.added.annotation.url @@",
            "-https://a.example",
            "+https://b.example",
        ]
    }


def test_fillers_and_counts_of_nothing_are_no_difference() -> None:
    def waiting(pings: int, **usage: int) -> Interaction:
        start: dict[str, Any] = {"type": "message_start", "message": {"model": "m"}}
        fillers: list[dict[str, Any]] = [{"type": "ping"}] * pings
        end = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 3, **usage}}
        return answered(typed(start, *fillers, end, {"type": "message_stop"}), "text/event-stream")

    assert changed(waiting(0), waiting(40, cache_read_input_tokens=0)) == {}


def test_an_event_that_was_not_sent_before_is_told() -> None:
    ends: list[dict[str, Any]] = [
        {"type": "response.completed", "response": {"status": "completed"}}
    ]
    old, new = (
        answered(
            typed(*({"type": f"response.{name}"} for name in names), *ends), "text/event-stream"
        )
        for names in (["queued"], ["queued", "looked"])
    )
    assert changed(old, new) == {
        "fields": ["@@ response.looked.type @@", '+"response.looked"'],
    }


# Multi-turn: ids of one answer in the next request.


def second_turn(call: str, result: str = "18") -> Interaction:
    body = b'{"messages": [{"role": "tool", "tool_call_id": "%s", "content": "%s"}]}'
    request = Request(
        "POST", "https://example.com/v1", body=body % (call.encode(), result.encode())
    )
    return replace(take("chat"), request=request)


def test_an_id_that_a_request_repeats_of_an_answer_is_noise() -> None:
    old = tape(take("chat", noise=Noise("a1")), second_turn("call_a1"))
    new = tape(take("chat", noise=Noise("b2")), second_turn("call_b2"))
    assert compare(old, new).same
    assert not compare(old, new, everything=True).same


def test_an_id_that_no_answer_gave_is_none() -> None:
    old = tape(take("chat", noise=Noise("a1")), second_turn("call_a1"))
    new = tape(take("chat", noise=Noise("b2")), second_turn("call_xx"))
    (_, second) = compare(old, new).interactions
    (change,) = second.changes
    assert plain(lines(change)) == ["@@ messages.0.tool_call_id @@", "-[id]", "+call_xx"]


def test_an_id_in_a_url_is_noise_too() -> None:
    def polled(mark: str) -> CassetteData:
        made = take("responses", noise=Noise(mark))
        request = Request("GET", f"https://example.com/v1/responses/resp_{mark}")
        return tape(made, Interaction(request, Response(204)))

    assert compare(polled("abcd1234"), polled("efgh5678")).same


def test_the_uuid_that_a_library_draws_for_a_tool_call_is_noise() -> None:
    old, new = (
        tape(second_turn(f"pyd_ai_{drawn}"))
        for drawn in ("8f14e45fceea467a9a36dedd4bea2543", "c9f0f895fb984b9189f51fd0297e236d")
    )
    assert compare(old, new).same


# Interactions that came, went and moved.


def asked(text: str, answer: str = "a", status: int = 200) -> Interaction:
    body = b'{"choices": [{"message": {"content": "%s"}}]}' % answer.encode()
    request = Request("POST", "https://example.com/v1", body=b'{"ask": "%s"}' % text.encode())
    return replace(answered(body, status=status), request=request)


def states(old: CassetteData, new: CassetteData) -> list[tuple[str, int | None, int | None]]:
    found = compare(old, new).interactions
    return [(one.state, one.old_number, one.new_number) for one in found]


A, B, C, D = (asked(text) for text in ("how warm is it", "who are you", "count to ten", "sing"))


def test_interactions_that_came_and_went_are_told_where_they_stood() -> None:
    other = replace(D, request=Request("GET", "https://example.com/other"))
    assert states(tape(A, B, C), tape(A, other, C)) == [
        ("same", 1, 1),
        ("removed", 2, None),
        ("added", None, 2),
        ("same", 3, 3),
    ]
    assert compare(tape(A, B, C), tape(A, other, C)).summary() == "1 added, 1 removed"
    assert states(tape(), tape(A)) == [("added", None, 1)]
    assert states(tape(A), tape()) == [("removed", 1, None)]


def test_what_has_too_little_in_common_is_not_the_same_call() -> None:
    def posted(body: str, path: str) -> Interaction:
        return Interaction(
            Request("POST", f"https://a.example{path}", body=body.encode()), Response(204)
        )

    apart = [("removed", 1, None), ("added", None, 1)]
    one = posted("one two three four", "/a")
    assert states(tape(one), tape(posted("five six seven eight", "/a"))) == apart
    assert states(tape(one), tape(posted("one five six seven", "/a"))) == [("changed", 1, 1)]
    # At another path more must be the same.
    assert states(tape(one), tape(posted("one five six seven", "/b"))) == apart
    assert states(tape(one), tape(posted("one two three five", "/b"))) == [("changed", 1, 1)]


def test_an_interaction_that_moved_is_told() -> None:
    assert states(tape(A, B, C, D), tape(D, A, B, C)) == [
        ("moved", 4, 1),
        ("same", 1, 2),
        ("same", 2, 3),
        ("same", 3, 4),
    ]
    comparison = compare(tape(A, B), tape(B, replace(A, response=B.response)))
    assert comparison.summary() == "1 moved"
    assert not comparison.same


def test_one_that_was_changed_and_moved_is_changed() -> None:
    new = tape(asked("sing", "la"), A, B, C)
    comparison = compare(tape(A, B, C, D), new)
    assert (comparison.interactions[0].state, comparison.interactions[0].moved) == ("changed", True)
    assert comparison.summary() == "1 of 4 changed"


def test_a_changed_question_stays_with_its_answer() -> None:
    new = tape(asked("how warm is it today"), asked("who are you then"), C)
    assert states(tape(A, B, C), new) == [("changed", 1, 1), ("changed", 2, 2), ("same", 3, 3)]


def test_of_equal_requests_the_first_belongs_to_the_first() -> None:
    assert states(tape(A, asked("how warm is it", "b")), tape(A, asked("how warm is it", "c"))) == [
        ("same", 1, 1),
        ("changed", 2, 2),
    ]


def test_a_try_that_was_not_needed_again_is_the_one_removed() -> None:
    busy = asked("how warm is it", "", 429)
    assert states(tape(busy, A), tape(A)) == [("removed", 1, None), ("same", 2, 1)]
    assert states(tape(A), tape(busy, busy, A)) == [
        ("added", None, 1),
        ("added", None, 2),
        ("same", 1, 3),
    ]


def test_many_that_are_alike_are_paired_without_delay() -> None:
    old = tape(*(asked(f"question {n}") for n in range(150)))
    new = tape(*(asked(f"question {n}!") for n in range(150)))
    assert [one.state for one in compare(old, new).interactions].count("changed") >= 100


def test_the_program_that_wrote_the_file_counts_only_where_everything_does() -> None:
    old, new = (
        CassetteData((A,), "aquila-cassette 0.1.0"),
        CassetteData((A,), "aquila-cassette 0.2.0"),
    )
    assert compare(old, new).same
    comparison = compare(old, new, everything=True)
    assert comparison.summary() == "the file changed"
    (change,) = comparison.changes
    assert isinstance(change, Change)
    assert plain(lines(change)) == ["recorded_with aquila-cassette 0.1.0 → aquila-cassette 0.2.0"]
