"""What a request has of an answer in another form: escaped, a plural, cut off; or of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from aquila_cassette.model import Request
from tests.cli.rerecord.asking import NOTHING, asks, chat, followed, refused, says


@pytest.mark.parametrize(
    ("answer", "now", "prompt", "quoted"),
    [
        ("a < b & c", "d > e & f", "<p>a &lt; b &amp; c</p>", "a < b & c"),
        ("So.\na < b", "So.\nd > e", "<p>a &lt; b</p>", "a < b"),
        ("as & \"so\" is", "no", "go as &amp; &#34;so&#34; is", "as & \"so\" is"),
        ("is \"as\" in", "no", 'go "is \\"as\\" in"', 'is "as" in'),
        ("is & as", "no", "see ?q=is+%26+as", "is & as"),
        ("is & as", "no", "see ?q=is%20%26%20as", "is & as"),
        ("I pick the whale", "I pick the shark", "tell of whales", "whales"),
        ("I pick the fox", "I pick the shark", "tell of foxes", "foxes"),
        ("I pick whales", "I pick sharks", "tell of a whale", "whale"),
        ("Internationalization matters", "Localisation matters", "head Internat", "Internat"),
    ],
)  # fmt: skip
def test_a_part_of_an_answer_in_another_form_is_refused(
    answer: str, now: str, prompt: str, quoted: str
) -> None:
    tape = [(chat("a"), says(answer)), (chat("a", answer, prompt), NOTHING)]
    assert refused(*tape, new=[says(now)]) == (
        "it quotes a part of answer 1, which now is another.\n"
        f"  quoted: {quoted!r} in body.messages.2.content"
    )
    assert followed(*tape, new=[says(answer)]) == chat("a", answer, prompt)
    # What was there before the answer is not from it.
    tape = [(chat(prompt), says(answer)), (chat(prompt, answer, prompt), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat(prompt, now, prompt)


def test_a_word_of_which_another_form_was_asked_for_stays() -> None:
    tape = [(chat("Of whales?"), says("I pick the whale"))]
    second = ("Of whales?", "I pick the whale", "And more whales!")
    got = followed(*tape, (chat(*second), NOTHING), new=[says("I pick the shark")])
    assert got == chat("Of whales?", "I pick the shark", "And more whales!")


def with_(**fields: Any) -> Request:
    return asks({"messages": [{"role": "user", "content": "a"}], **fields})


@pytest.mark.parametrize(
    ("answer", "now", "fields", "error"),
    [
        ('{"a":null}', '{"a":"x"}', {"stop": None}, ("null", "stop")),
        ('{"a":""}', '{"a":"x"}', {"stop": ""}, ('""', "stop")),
        ('{"a":""}', '{"b":"x"}', {"meta": [{"stop": ""}]}, ('""', "meta.0.stop")),
    ],
)
def test_nothing_that_a_field_has_of_an_answer_is_refused(
    answer: str, now: str, fields: dict[str, Any], error: tuple[str, str]
) -> None:
    tape = [(with_(), says(answer)), (with_(**fields), NOTHING)]
    assert refused(*tape, new=[says(now)]) == (
        f"it cannot be told whether it has {error[0]} from answer 1, which now is another.\n"
        f"  it stands in: body.{error[1]}"
    )
    assert followed(*tape, new=[says(answer)]) == with_(**fields)
    # A constant of the application was there before.
    tape = [(with_(**fields), says(answer)), (with_(**fields, x="y"), NOTHING)]
    assert followed(*tape, new=[says(now)]) == with_(**fields, x="y")


@pytest.mark.parametrize(
    ("answer", "now"), [('{"a":null}', '{"a":"x"}'), ('{"a":""}', '{"a":"x"}')]
)
def test_what_is_empty_beside_the_words_of_the_model_is_nobodys(answer: str, now: str) -> None:
    def said(text: str) -> dict[str, Any]:
        return {"role": "assistant", "content": text, "refusal": None, "name": "", "audio": None}

    tape = [(chat("a"), says(answer)), (chat("a", said(answer), "b"), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat("a", said(now), "b")


def test_nothing_in_what_a_tool_gives_back_is_from_the_tool() -> None:
    told = {"role": "tool", "content": '{"error": null, "note": ""}'}
    tape = [(chat("a"), says('{"a":null,"b":""}')), (chat("a", told), NOTHING)]
    assert followed(*tape, new=[says('{"a":"x","b":"y"}')]) == chat("a", told)


def test_a_field_that_is_empty_and_of_which_no_answer_told_stays() -> None:
    tape = [(with_(), says('{"a": 1}')), (with_(stop=None, user=""), NOTHING)]
    assert followed(*tape, new=[says('{"a": 2}')]) == with_(stop=None, user="")
