"""What of a request is followed, what stays, and what is refused: one case each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.rerecord.asking import HOST, NOTHING, answers, asks, chat, followed, refused, says


def test_ids_are_followed_in_paths_queries_headers_and_bodies() -> None:
    got = followed(
        (asks(url="/files"), answers({"id": "file-abc123", "n": 8, "owner_id": 42})),
        (
            asks(
                {"file": "file-abc123", "owner_id": 42, "n": 7},
                "/v1/files/file-abc123/by/42?file=file-abc123&n=7",
                (("last-event-id", "file-abc123"),),
            ),
            NOTHING,
        ),
        new=[answers({"id": "file-xyz/9", "n": 9, "owner_id": 43})],
    )
    assert got.url == HOST + "/v1/files/file-xyz%2F9/by/43?file=file-xyz%2F9&n=7"
    assert got.headers == (("last-event-id", "file-xyz/9"),)
    assert json.loads(got.body) == {"file": "file-xyz/9", "owner_id": 43, "n": 7}


def test_a_body_keeps_the_way_it_is_written() -> None:
    for body in (
        b'{"id":"file-abc123","a":[1, 2]}',
        b'{\n  "id": "file-abc123"\n}',
        b'["file-abc123"]',
    ):
        got = followed(
            (asks(url="/files"), answers({"id": "file-abc123"})),
            (asks(body), NOTHING),
            new=[answers({"id": "file-abc124"})],
        )
        if body.startswith(b'{"id":'):
            assert got.body == b'{"id":"file-abc124","a":[1,2]}'  # no style of its own
        else:
            assert got.body == body.replace(b"c123", b"c124")


def test_an_id_within_a_text_is_followed() -> None:
    got = followed(
        (asks(url="/files"), answers({"id": "file-abc123"})),
        (chat("Look into file-abc123, please."), NOTHING),
        new=[answers({"id": "file-abc124"})],
    )
    assert got == chat("Look into file-abc124, please.")


def test_an_id_that_the_answer_has_from_a_request_stays() -> None:
    body = {"previous_response_id": "resp_abcdef1"}
    got = followed(
        (asks(body), answers({"id": "resp_2222222", **body})),
        (asks(body), NOTHING),
        new=[answers({"id": "resp_3333333", "previous_response_id": "resp_other12"})],
    )
    assert json.loads(got.body) == body


def test_an_id_in_a_multipart_body_is_followed() -> None:
    got = followed(
        (asks(url="/uploads"), answers({"id": "upload_abc123"})),
        (asks(b"--x\r\n\r\nupload_abc123\xff\r\n--x--"), NOTHING),
        new=[answers({"id": "upload_abc9"})],
    )
    assert got.body == b"--x\r\n\r\nupload_abc9\xff\r\n--x--"


@pytest.mark.parametrize(
    ("location", "now", "expected"),
    [
        ("/v1/there/1?a=b", "/v1/there/2?a=b", HOST + "/v1/there/2?a=b"),
        (HOST + "/v1/there/1?a=b", "https://b.example/there", "https://b.example/there"),
    ],
)
def test_a_redirect_is_followed(location: str, now: str, expected: str) -> None:
    got = followed(
        (asks(), answers({}, (("location", location),))),
        (asks(url="/v1/there/1?a=b"), NOTHING),
        new=[answers({}, (("location", now),))],
    )
    assert got.url == expected


def test_what_a_field_of_the_same_name_gave_is_followed() -> None:
    got = followed(
        (asks(), answers({"uri": "files/one", "state": "auto", "next": "a b"})),
        (asks({"fileData": {"uri": "files/one"}, "mode": "auto"}), NOTHING),
        new=[answers({"uri": "files/two", "state": "busy", "next": "c d"})],
    )
    assert json.loads(got.body) == {"fileData": {"uri": "files/two"}, "mode": "auto"}


def test_an_answer_that_does_not_have_the_id_is_refused() -> None:
    assert refused(
        (asks(), answers({"id": "file-abc123"})),
        (asks({"id": "file-abc123"}), NOTHING),
        new=[answers({"error": "no"})],
    ) == (
        "it sends back part of answer 1, and the new answer has nothing there.\n"
        "  sent back: body.id, 'file-abc123'"
    )


def test_words_of_a_few_shot_prompt_are_nobodys() -> None:
    shots = ("Hi", "Hello!", "Bye")
    got = followed(
        (chat(*shots), says("Hello!")),
        (chat(*shots, "Hello!", "Again"), NOTHING),
        new=[says("Farewell!")],
    )
    assert got == chat(*shots, "Farewell!", "Again")


def test_equal_answers_are_told_apart_by_their_order() -> None:
    tape = [
        (chat("a"), says("Yes.")),
        (chat("a", "Yes.", "b"), says("Yes.")),
        (chat("a", "Yes.", "b", "Yes.", "c"), NOTHING),
    ]
    got = followed(*tape, new=[says("One."), says("Two.")])
    assert got == chat("a", "One.", "b", "Two.", "c")


def test_equal_answers_of_which_one_was_left_out_are_refused() -> None:
    assert refused(
        (chat("a"), says("Yes.")),
        (chat("b"), says("Yes.")),
        (chat("a", "Yes.", "c"), NOTHING),
        new=[says("One."), says("Two.")],
    ) == (
        "it cannot be told which of several answers body.messages.1.content repeats.\n"
        "  it is: 'Yes.'"
    )


def test_answers_to_other_tests_are_not_mixed_in() -> None:
    got = followed(
        (chat("a"), says("Yes.")),
        (chat("a"), says("Yes.")),
        (chat("a", "Yes.", "c"), NOTHING),
        new=[says("One."), says("Two.")],
        by=["test_a", "test_b", "test_a (teardown)"],
    )
    assert got == chat("a", "One.", "c")


LONG = "The capital of France is Paris, on the Seine."
SHORT = "Paris."
ELSE = "It is a large city, they say, and old."


def test_a_whole_answer_within_a_prompt_is_followed() -> None:
    got = followed(
        (chat("What is it?"), says(LONG)),
        (chat(f"Translate:\n{LONG}\nPlease."), NOTHING),
        new=[says(ELSE)],
    )
    assert got == chat(f"Translate:\n{ELSE}\nPlease.")


QUOTES = "it quotes a part of answer 1, which now is another.\n  quoted: {!r}"
CHANCE = "it cannot be told whether it has {!r} from answer 1.\n  it stands"


@pytest.mark.parametrize(
    ("prompt", "answer", "why"),
    [
        ("And what of Paris?", LONG, QUOTES.format("Paris")),
        ("So, capital of France?", LONG, QUOTES.format("capital of france")),
        ("Go to Paris. Now.", SHORT, CHANCE.format(SHORT)),
        (SHORT, SHORT, CHANCE.format(SHORT)),
        ("It is 2100 m.", '{"height": 2100, "unit": "m"}', QUOTES.format("2100")),
        ("tell me of lakes", '{"topic": "lakes"}', QUOTES.format("lakes")),
    ],
)
def test_a_part_of_an_answer_is_refused(prompt: str, answer: str, why: str) -> None:
    tape = [(chat("What is it?"), says(answer)), (chat(prompt), NOTHING)]
    where = " in: body" if "whether" in why else " in body"
    assert refused(*tape, new=[says(ELSE)]) == f"{why}{where}.messages.0.content"
    # If the answer is the same again, there is nothing to follow.
    assert followed(*tape, new=[says(answer)]) == chat(prompt)


def test_words_that_the_user_had_said_before_quote_nothing() -> None:
    tape = [(chat("What is the capital of France, Paris?"), says(LONG))]
    second = chat("So, the capital of France, Paris?")
    assert followed(*tape, (second, NOTHING), new=[says(ELSE)]) == second


@pytest.mark.parametrize("told", ["The capital of Fra", "THE CAPITAL", "- is Paris", "Sure thing"])
def test_an_answer_told_in_other_words_is_refused(told: str) -> None:
    why = refused(
        (chat("What is it?"), says(LONG)),
        (chat("What is it?", told, "Go on"), NOTHING),
        new=[says(ELSE)],
    )
    assert why.startswith(("it tells answer 1, which now is another", "it quotes a part of answer"))


def test_what_an_application_says_for_the_model_from_the_beginning_stays() -> None:
    first = chat("What is it?", "Let me think.")
    second = chat("What is it?", "Let me think.", "And now?", "Let me think.")
    assert followed((first, says(LONG)), (second, NOTHING), new=[says(ELSE)]) == second


def test_an_answer_of_other_parts_is_refused() -> None:
    old = {"type": "message", "content": [{"type": "text", "text": "Let me see."}]}
    new = {"type": "message", "content": [
        {"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "I see."},
    ]}  # fmt: skip
    echo = {"role": "assistant", "content": old["content"]}
    assert refused((chat("a"), answers(old)), (chat("a", echo), NOTHING), new=[answers(new)]) == (
        "answer 1 now has other parts than the ones it sends back.\n"
        "  sent back: body.messages.1.content.0.text\n"
        "  recorded:  text, text\n"
        "  now:       reasoning, text, thinking, text"
    )


def test_an_answer_that_was_not_read_to_its_end_is_refused_if_it_is_sent_back() -> None:
    tape = [(chat("a"), says("One two", ended="closed")), (chat("a", "One two", "b"), NOTHING)]
    assert refused(*tape, new=[says("One two three")]) == (
        "it sends back answer 1, of which only a part is on the cassette.\n"
        "  sent back: body.messages.1.content"
    )


def call(id_: str, arguments: str, name: str = "weather") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": id_, "function": function}]}


def result(id_: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def gemini(role: str, part: Any) -> Any:
    return {"contents": [{"role": role, "parts": [part]}]}


OSLO = '{"city": "Oslo", "days": 3}'


@pytest.mark.parametrize(
    ("sent", "now", "expected"),
    [
        (OSLO, '{"city":"Oslo","days":3}', '{"city":"Oslo","days":3}'),
        ('{"city":"Oslo","days":3}', '{"days": 3, "city": "Oslo"}', '{"days":3,"city":"Oslo"}'),
        ('{"city" :"Oslo","days":3}', '{"city":"Oslo","days":3}', '{"city" :"Oslo","days":3}'),
    ],
)
def test_the_arguments_of_a_call_are_spelt_as_the_application_spells_them(
    sent: str, now: str, expected: str
) -> None:
    got = followed(
        (chat("a"), says("", ("call_old1", "weather", OSLO))),
        (chat("a", call("call_old1", sent), result("call_old1", "rain")), NOTHING),
        new=[says("", ("call_new1", "weather", now))],
    )
    assert got == chat("a", call("call_new1", expected), result("call_new1", "rain"))


def test_arguments_spelt_in_a_way_that_is_not_clear_are_refused() -> None:
    sent = '{"city" :"Oslo","days":3}'
    assert refused(
        (chat("a"), says("", ("call_old1", "weather", OSLO))),
        (chat("a", call("call_old1", sent)), NOTHING),
        new=[says("", ("call_new1", "weather", '{"days": 3, "city": "Oslo"}'))],
    ) == (
        "it spells the arguments of a call of answer 1 anew.\n"
        "  sent back: body.messages.1.tool_calls.0.function.arguments"
    )


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (
            ("call_new1", "weather", '{"city": "Rome", "days": 3}'),
            'weather {"city": "Rome", "days": 3}',
        ),
        (("call_new1", "climate", OSLO), f"climate {OSLO}"),
        (None, "no tool"),
    ],
)
def test_the_result_of_another_call_is_refused(now: tuple[str, str, str] | None, told: str) -> None:
    new = says("", now) if now else says("I do not know.")
    for later in (
        chat("a", call("call_old1", OSLO), result("call_old1", "rain")),
        asks({"input": [{"type": "function_call_output", "call_id": "call_old1", "output": "r"}]}),
        asks(gemini("user", {"functionResponse": {"name": "weather"}})),
        asks(gemini("model", {"functionCall": {"name": "weather", "args": json.loads(OSLO)}})),
    ):
        assert refused(
            (chat("a"), says("", ("call_old1", "weather", OSLO))), (later, NOTHING), new=[new]
        ) == (
            "answer 1 now calls other tools, or with other arguments.\n"
            f"  recorded: weather {OSLO}\n"
            f"  now:      {told}\n"
            "  What the tools gave back on the cassette would be the result of another call."
        )


def test_a_call_that_came_where_none_was_is_refused_if_the_answer_is_sent_back() -> None:
    why = refused(
        (chat("a"), says("Yes.")),
        (chat("a", "Yes.", "b"), NOTHING),
        new=[says("", ("call_new1", "weather", OSLO))],
    )
    assert why.startswith("answer 1 now calls other tools, or with other arguments.\n")


def test_a_request_that_sends_nothing_back_goes_out_as_it_is() -> None:
    tape = [(chat("a"), says("", ("call_old1", "weather", OSLO))), (chat("b"), NOTHING)]
    assert followed(*tape, new=[says("Yes.")]) == chat("b")


def test_ids_within_a_tools_result_that_is_json_are_followed() -> None:
    told = '{"call": "call_old1", "rain": true}'
    got = followed(
        (chat("a"), says("", ("call_old1", "weather", OSLO))),
        (chat("a", call("call_old1", OSLO), result("call_old1", told)), NOTHING),
        new=[says("", ("call_new1", "weather", OSLO))],
    )
    assert got == chat(
        "a", call("call_new1", OSLO), result("call_new1", told.replace("old1", "new1"))
    )


def test_what_the_answer_had_from_the_user_is_nobodys_alone() -> None:
    said = "The sky is blue today."
    assert refused(
        (chat(f"Repeat: {said}"), says(said)),
        (chat(f"I had said: {said} - why?"), NOTHING),
        new=[says(ELSE)],
    ) == (
        "it cannot be told whether it has 'The sky is blue today.' from answer 1.\n"
        "  it stands in: body.messages.0.content"
    )


def test_a_field_that_was_asked_for_with_that_value_stays() -> None:
    body = {"uri": "files/one"}
    tape = [(asks(body), answers({"uri": "files/one"})), (asks([body]), NOTHING)]
    assert followed(*tape, new=[answers({"uri": "files/two"})]) == asks([body])
