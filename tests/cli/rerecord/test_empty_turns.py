"""Answers that said nothing: the turn that stands for one gets what the answer is now."""

from __future__ import annotations

from typing import Any

import pytest

from aquila_cassette.model import Request
from tests.cli.rerecord.asking import NOTHING, answers, asks, chat, followed, refused, says


def turn(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def text(said: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": said}]


@pytest.mark.parametrize(
    ("old", "sent", "now", "expected"),
    [
        ("", turn(""), "Lyon.", turn("Lyon.")),
        ("", turn(None), "Lyon.", turn("Lyon.")),
        ("", turn(None, refusal=None), "Lyon.", turn("Lyon.", refusal=None)),
        ("", turn(text("")), "Lyon.", turn(text("Lyon."))),
        (" \n", turn(" \n"), "Lyon.\n", turn("Lyon.\n")),
        (" \n", turn(""), "Lyon.", turn("Lyon.")),
        ("", turn(""), "", turn("")),
        ("", turn([]), "", turn([])),
    ],
)
def test_an_empty_turn_gets_the_text_that_the_answer_has_now(
    old: str, sent: dict[str, Any], now: str, expected: dict[str, Any]
) -> None:
    tape = [(chat("a"), says(old)), (chat("a", sent, "b"), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat("a", expected, "b")


def test_an_empty_turn_of_gemini_gets_the_text_that_the_answer_has_now() -> None:
    def contents(said: str) -> Request:
        return asks({"contents": [{"role": "model", "parts": [{"text": said}]}]})

    def answer(said: str) -> Any:
        return answers({"candidates": [{"content": {"role": "model", "parts": [{"text": said}]}}]})

    tape = [(asks({"contents": []}), answer("")), (contents(""), NOTHING)]
    assert followed(*tape, new=[answer("Lyon.")]) == contents("Lyon.")


def test_empty_turns_are_told_apart_by_their_order() -> None:
    tape = [
        (chat("a", "", "b"), says("")),
        (chat("a", "", "b", "", "c"), says("Two.")),
        (chat("a", "", "b", "", "c", "Two.", "d"), says("")),
        (chat("a", "", "b", "", "c", "Two.", "d", "", "e"), NOTHING),
    ]
    got = followed(*tape, new=[says("1"), says("2"), says("3")])
    assert got == chat("a", "", "b", "1", "c", "2", "d", "3", "e")


OTHER = "answer 1 now has other parts than the ones it sends back.\n  sent back: body.messages.1{}"


def test_an_empty_turn_with_no_place_for_a_text_is_refused() -> None:
    tape = [(chat("a"), says("")), (chat("a", turn([]), "b"), NOTHING)]
    assert refused(*tape, new=[says("Lyon.")]) == (
        OTHER.format("") + "\n  recorded:  nothing\n  now:       text"
    )


def test_an_empty_turn_whose_answer_now_calls_a_tool_is_refused() -> None:
    tape = [(chat("a"), says("")), (chat("a", "", "b"), NOTHING)]
    assert refused(*tape, new=[says("", ("call_1", "weather", "{}"))]).startswith(
        "answer 1 now calls other tools, or with other arguments.\n"
    )


def test_white_space_that_may_have_been_cut_off_is_refused() -> None:
    tape = [(chat("a"), says("")), (chat("a", "", "b"), NOTHING)]
    assert refused(*tape, new=[says("Lyon.\n")]) == (
        "it sends back answer 1, and what it does to white space shows nowhere.\n"
        "  sent back: body.messages.1"
    )


def test_an_empty_answer_that_was_left_out_is_refused_if_it_has_a_text_now() -> None:
    tape = [(chat("a"), says("")), (chat("a", {"role": "user", "content": "b"}), NOTHING)]
    assert refused(*tape, new=[says("Lyon.")]) == (
        "it leaves out answer 1, which was empty and now is not."
    )
    assert followed(*tape, new=[says("")]) == tape[1][0]
    fresh = [(chat("a"), says("")), (chat("b"), NOTHING)]
    assert followed(*fresh, new=[says("Lyon.")]) == chat("b")


def test_an_empty_turn_of_which_of_several_answers_is_refused() -> None:
    tape = [(chat("a"), says("")), (chat("b"), says("")), (chat("a", "", "c"), NOTHING)]
    assert refused(*tape, new=[says("1"), says("2")]) == (
        "it cannot be told for which of several empty answers a turn of it stands.\n"
        "  it is: body.messages.1"
    )


CALL = ("call_old1", "weather", "{}")


@pytest.mark.parametrize("content", ["", None])
@pytest.mark.parametrize("before", ["", "\n"])
def test_a_call_that_now_comes_with_words_is_refused(content: str | None, before: str) -> None:
    function = {"name": "weather", "arguments": "{}"}
    sent = turn(content, tool_calls=[{"id": "call_old1", "function": function}])
    tape = [(chat("a"), says(before, CALL)), (chat("a", sent), NOTHING)]
    why = refused(*tape, new=[says("Let me see.", ("call_new1", "weather", "{}"))])
    assert why.startswith(OTHER.format(".tool_calls.0.id"))


def test_white_space_before_a_call_is_that_of_the_answer_now() -> None:
    def sent(content: str, id_: str) -> Request:
        call = {"id": id_, "function": {"name": "weather", "arguments": "{}"}}
        return chat("a", turn(content, tool_calls=[call]))

    tape = [(chat("a"), says("\n", CALL)), (sent("\n", "call_old1"), NOTHING)]
    got = followed(*tape, new=[says("\n\n", ("call_new1", "weather", "{}"))])
    assert got == sent("\n\n", "call_new1")
