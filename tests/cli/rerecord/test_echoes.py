"""What a later request has of an earlier answer without sending all of it back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aquila_cassette.model import Piece, Request, Response
from tests.cli.rerecord.asking import NOTHING, answers, asks, chat, followed, refused, says

TOKYO, OSAKA = "東京は晴れですが風が強い", "大阪は雨でしたが今は止んだ"
THAI, NORTH = "กรุงเทพเป็นเมืองใหญ่", "เชียงใหม่อยู่ทางเหนือ"
WHALE = (
    "It is easy to say what I like best of all the animals in the sea: the blue whale, of course."
)
SHARK = (
    "It is easy to say what I like best of all the animals in the sea: the grey shark, of course."
)


@pytest.mark.parametrize(
    ("first", "answer", "now", "prompt", "quoted"),
    [
        ("a", TOKYO, OSAKA, f"翻訳: {TOKYO[:10]}", "東京は晴"),
        ("a", TOKYO, OSAKA, f"翻訳: {TOKYO[:3]}", "東京"),
        ("a", THAI, NORTH, f"แปล: {THAI[:10]}", THAI[:8]),
        ("a", "我选择北京。", "我选择上海。", "请介绍北京", "北京"),
        ("a", "파리를 선택합니다.", "리옹을 선택합니다.", "파리의 날씨는?", "파리"),
        ("a", "So.\nBlue whale", "So.\nGrey shark", "Explain: Blue whale", "Blue whale"),
        ("a", "So.\nAnswer A", "So.\nAnswer B", "Explain: Answer A", "Answer A"),
        ("a", "So.\nAnswer A", "So.\nAnswer B", "Explain answer a!", "Answer A"),
        ("a", "Well.\nAnswer: A", "Well.\nAnswer: B", "Explain A", "A"),
        ("a", "Yes <a>B</a>", "Yes <a>C</a>", "Explain B", "B"),
        ("a", "I take **B** here", "I take **C** here", "Explain B", "B"),
        ("a", WHALE, SHARK, "Where does the blue whale live?", "blue whale"),
        ("a", "I choose the whale.", "I choose the shark.", "Draw the whale", "whale"),
        ("a", "I choose 7.", "I choose 9.", "Double 7", "7"),
        ("Red or blue?", "It is red.", "It is blue.", "Why red?", "red"),
        ("Lyon or Paris?", "I like Paris.", "I like Lyon.", "Tell me of Paris", "Paris"),
        ("7 or 9?", "Take 7, not 9.", "Take 9, not 7.", "Double 7", "7"),
        ("a", '{"n": 3}', '{"n": 4}', "Add 1 to 3", "3"),
        ("a", '{"n": 3, "m": 4}', '{"n": 4, "m": 3}', "Add 1 to 3", "3"),
        ("a", '{"n": 2750}', '{"n": 3810}', "Climb 2,750 m", "2750"),
        ("a", '{"n": 0.5}', '{"n": 0.7}', "Take 0.50 l", "0.5"),
        ("a", '{"n": 3}', '{"n": 3.0}', "Add 1 to 3", "3"),
        ("a", '{"n": -3}', '{"n": 3}', "Add 1 to -3", "-3"),
        ("a", '{"v": "1.2.3"}', '{"v": "1.2.4"}', "What is new in 1.2.3?", "1.2.3"),
        ("a", '{"v": "007"}', '{"v": "7"}', "Who is 007?", "007"),
        ("a", '{"pick": "A"}', '{"pick": "B"}', "Explain option A.", "A"),
        ("A or B?", '{"pick": "A"}', '{"pick": "B"}', "Explain option A.", "A"),
        ("a", '{"n": null}', '{"n": 3}', "It is None", "null"),
        ("a", '{"ok": true}', '{"ok": false}', "It is True?", "true"),
        ("a", 'Here:\n```json\n{"n": 3}\n```', "No.", "Add 1 to 3", "3"),
        ("a", 'Here: {"n": [3]} - so', 'Here: {"n": [4]} - so', "Add 1 to 3", "3"),
        ("a", "The total is $1,250.", "The total is $3,700.", "why 1250?", "1250"),
        ("a", "About 12,500 people", "About 13,900 people", "why 12500?", "12500"),
        ("a", "价格是45元", "价格是99元", "付45块", "45"),
        ("a", "It is 18C today.", "It is 27C today.", "is 18 warm?", "18"),
        ("a", "apple,pear", "plum,fig", "describe apple", "apple"),
        ("a", "alpha,beta,gamma", "delta,omega", "list gamma / beta / alpha", "gamma"),
        ("a", "color:crimson", "color:teal", "paint it crimson", "crimson"),
        ("a", "north/south", "east/west", "go north", "north"),
        ("a", "Result: top-secret", "Result: low-risk", "explain secret", "secret"),
        ("a", "Hello World Foo", "Goodbye Moon Bar", "file hello-world-foo", "world"),
        ("a", "Mail bob@x.org now", "Mail amy@y.org now", "who is bob", "bob"),
    ],
)  # fmt: skip
def test_a_part_of_an_answer_that_is_another_now_is_refused(
    first: str, answer: str, now: str, prompt: str, quoted: str
) -> None:
    tape = [(chat(first), says(answer)), (chat(first, answer, prompt), NOTHING)]
    assert refused(*tape, new=[says(now)]) == (
        "it quotes a part of answer 1, which now is another.\n"
        f"  quoted: {quoted!r} in body.messages.2.content"
    )
    assert followed(*tape, new=[says(answer)]) == chat(first, answer, prompt)
    # What was there before the answer is not from it.
    tape = [(chat(prompt), says(answer)), (chat(prompt, answer, prompt), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat(prompt, now, prompt)


@pytest.mark.parametrize(
    ("first", "answer", "now", "prompt"),
    [
        ("a", "I think.\nBlue whale", "Let me see.\nBlue whale", "Explain: Blue whale"),
        ("a", '{"n": 3, "m": 4}', '{"m": 5, "n": 3}', "Add 1 to 3"),
        ("a", f"{TOKYO}。", f"昨日と違って{TOKYO}。", f"翻訳: {TOKYO[:10]}"),
        ("a", "It is Paris, I think.", "Paris.", "What of Paris?"),
        ("Give 3 names.", '{"n": 3}', '{"n": 4}', "Now give 3 names."),
        ("Say positive or negative: I win.", "positive", "negative",
         "Say positive or negative: I lose."),
        ("What is the capital of France?", "The capital of France is Paris.", "Paris it is.",
         "And how big is France?"),
        ("Write a haiku.", "Soft rain on the roof\na frog clears its throat", "Grey clouds.",
         "Now make it shorter, please, and tell me more about it."),
        ("法国的首都是哪里?", "法国的首都是巴黎,一座历史悠久的城市。", "巴黎。",
         "请再介绍一下它的历史。"),
        ("a", "Steps:\n1. Wash.\n2. Cook.", "Steps:\n1. Peel it all.", "Give me 2 other recipes."),
    ],
)  # fmt: skip
def test_what_is_not_from_the_answer_or_is_still_in_it_stays(
    first: str, answer: str, now: str, prompt: str
) -> None:
    tape = [(chat(first), says(answer)), (chat(first, answer, prompt), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat(first, now, prompt)


def test_a_whole_answer_in_a_script_without_spaces_is_followed() -> None:
    tape = [(chat("a"), says(TOKYO)), (chat(f"次の{TOKYO}を訳して"), NOTHING)]
    assert followed(*tape, new=[says(OSAKA)]) == chat(f"次の{OSAKA}を訳して")


def test_a_long_text_of_a_json_answer_is_followed() -> None:
    answer = json.dumps({"title": "The quick brown fox", "n": 1})
    now = json.dumps({"title": "A lazy dog asleep", "n": 2})
    tape = [(chat("a"), says(answer)), (chat('Praise "The quick brown fox".'), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat('Praise "A lazy dog asleep".')


def with_(**fields: Any) -> Request:
    return asks({"messages": [{"role": "user", "content": "a"}], **fields})


MARK = (
    "it cannot be told whether it has {} from answer 1, which now is another.\n  it stands in: {}"
)


@pytest.mark.parametrize(
    ("answer", "now", "fields", "error"),
    [
        ("2750", "3810", {"max_tokens": 2750}, ("2750", "body.max_tokens")),
        ("7", "8", {"max_tokens": 7}, ("7", "body.max_tokens")),
        ("Use 256 tokens, please, and not more.", "Use 64.", {"max_tokens": 256},
         ("256", "body.max_tokens")),
        ('{"t": 0.3}', '{"t": 0.7}', {"temperature": 0.3}, ("0.3", "body.temperature")),
        ('{"t": 1}', '{"t": 0.7}', {"temperature": 1.0}, ("1", "body.temperature")),
        ('{"s": true}', '{"s": false}', {"store": True}, ("true", "body.store")),
        ('{"n": 3}', '{"n": 4}', {"tool": '{"sum": 3}'}, ("3", "body.tool.sum")),
        ("Paris", "Lyon", {"metadata": {"Paris": "x"}}, ("Paris", "body.metadata.Paris")),
    ],
)  # fmt: skip
def test_a_value_of_an_answer_that_a_field_has_is_refused(
    answer: str, now: str, fields: dict[str, Any], error: tuple[str, str]
) -> None:
    tape = [(with_(), says(answer)), (with_(**fields), NOTHING)]
    assert refused(*tape, new=[says(now)]) == MARK.format(*error)
    assert followed(*tape, new=[says(answer)]) == with_(**fields)
    # A constant of the application was there before.
    tape = [(with_(**fields), says(answer)), (with_(**fields, x="y"), NOTHING)]
    assert followed(*tape, new=[says(now)]) == with_(**fields, x="y")


def test_a_value_of_a_call_is_refused_where_the_call_itself_is_not_sent_back() -> None:
    old, new = (says("", ("call_abc123", "pick", f'{{"n": {n}}}')) for n in (3, 4))
    assert refused((with_(), old), (with_(n=3), NOTHING), new=[new]) == MARK.format("3", "body.n")


def test_the_model_that_an_answer_named_is_refused() -> None:
    tape = [(with_(model="router"), says("small-1")), (with_(model="small-1"), NOTHING)]
    assert refused(*tape, new=[says("large-2")]) == (
        "it cannot be told whether it has 'small-1' from answer 1.\n  it stands in: body.model"
    )


def test_an_answer_of_no_model_is_quoted_as_well() -> None:
    heard = answers({"text": "Meet me at the old mill", "n": 12})
    tape = [
        (asks(url="/transcriptions"), heard),
        (chat("Sum up: Meet me at the old mill"), NOTHING),
    ]
    got = followed(*tape, new=[answers({"text": "Meet you at the old pub", "n": 12})])
    assert got == chat("Sum up: Meet you at the old pub")
    plain = [Response(200, (("content-type", "text/plain"),), (Piece(0, text),))
             for text in (b"Call Ada now", b"Call Bob now")]  # fmt: skip
    tape = [(asks(url="/transcriptions"), plain[0]), (chat("Who is Ada?"), NOTHING)]
    assert refused(*tape, new=[plain[1]]) == (
        "it quotes a part of answer 1, which now is another.\n"
        "  quoted: 'Ada' in body.messages.0.content"
    )


def test_a_short_id_in_a_text_is_refused() -> None:
    tape = [(asks(), answers({"id": "u_7"})), (chat("Who is u_7?"), NOTHING)]
    assert refused(*tape, new=[answers({"id": "u_8"})]) == (
        "it quotes a part of answer 1, which now is another.\n"
        "  quoted: 'u_7' in body.messages.0.content"
    )


def test_a_value_in_a_form_is_refused() -> None:
    tape = [(chat("a"), says('{"n": 3}')), (asks(b"count=3&to=me"), NOTHING)]
    assert refused(*tape, new=[says('{"n": 4}')]) == (
        "it quotes a part of answer 1, which now is another.\n  quoted: '3' in body"
    )
    tape = [(asks(b"count=3"), says('{"n": 3}')), (asks(b"count=3"), NOTHING)]
    assert followed(*tape, new=[says('{"n": 4}')]) == asks(b"count=3")


def test_numbers_of_another_field_that_stay_are_nobodys() -> None:
    tape = [(with_(seed=3), says('{"n": 5}')), (with_(seed=3, top_k=4, x=1), NOTHING)]
    assert followed(*tape, new=[says('{"n": 6}')]) == with_(seed=3, top_k=4, x=1)
