"""What an application may do to an answer, or take of it, that shows nowhere on the cassette."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aquila_cassette.model import Request
from tests.cli.rerecord.asking import HOST, NOTHING, answers, asks, chat, followed, refused, says

OLD = "it is sunny and warm"


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ("it rains and is cold\n", "white space around it"),
        ("<think>well</think>it rains and is cold", "a thought in it"),
    ],
)
def test_a_turn_of_the_model_with_what_applications_take_off_is_refused(
    now: str, what: str
) -> None:
    assert refused((chat("a"), says(OLD)), (chat("a", OLD, "b"), NOTHING), new=[says(now)]) == (
        f"answer 1 now has {what}, and the recorded one does not show what is done to that.\n"
        f"  sent back: body.messages.1.content, {now!r}"
    )
    # Where the recorded answer had it too, it shows what is done to it.
    for sent, expected in ((OLD, now.strip()), (OLD + "\n", now)):
        if now != now.strip():
            tape = [(chat("a"), says(OLD + "\n")), (chat("a", sent, "b"), NOTHING)]
            assert followed(*tape, new=[says(now)]) == chat("a", expected, "b")


@pytest.mark.parametrize(
    ("now", "what"),
    [
        ("\nit rains and is cold", "white space around it"),
        ("it rains\nand is cold", "several lines"),
        ("It rains and is cold", "capital letters"),
        ('"it rains and is cold"', "quotes around it"),
        ("it **rains** and is cold", "marks of Markdown"),
        ("```it rains and is cold```", "marks of Markdown"),
    ],
)
@pytest.mark.parametrize("prompt", ["{}", "Judge that: {}"])
def test_a_prompt_that_holds_an_answer_is_refused_where_applications_take_off_what_it_now_has(
    now: str, what: str, prompt: str
) -> None:
    tape = [(chat("a"), says(OLD)), (chat(prompt.format(OLD)), NOTHING)]
    assert refused(*tape, new=[says(now)]).startswith(f"answer 1 now has {what}, and ")
    assert followed(*tape, new=[says("it rains and is cold")]) == chat(
        prompt.format("it rains and is cold")
    )


def test_signs_that_html_escapes_are_refused_only_among_tags() -> None:
    now = "it rains & is cold"
    tape = [(chat("a"), says(OLD)), (chat(f"<p>{OLD}</p>"), NOTHING)]
    assert refused(*tape, new=[says(now)]).startswith("answer 1 now has signs that HTML escapes")
    tape = [(chat("a"), says(OLD)), (chat(f"Judge: {OLD}"), NOTHING)]
    assert followed(*tape, new=[says(now)]) == chat(f"Judge: {now}")


LONG, OTHER = "the food was cold and bland", "the service was slow and rude"


@pytest.mark.parametrize("now", [[LONG, OTHER], [OTHER, LONG], []])
def test_an_item_of_a_list_that_now_has_more_or_fewer_is_refused(now: list[str]) -> None:
    tape = [
        (chat("a"), says(json.dumps({"tags": [LONG]}))),
        (chat(f"Answer to: {LONG}"), NOTHING),
    ]
    assert refused(*tape, new=[says(json.dumps({"tags": now}))]).startswith("it ")
    got = followed(*tape, new=[says(json.dumps({"tags": [OTHER]}))])
    assert got == chat(f"Answer to: {OTHER}")


def ticket(**fields: Any) -> Request:
    return chat(json.dumps({"text": "x", **fields}))


@pytest.mark.parametrize("name", ["type", "role", "object", "status", "format", "event", "mode"])
def test_a_field_with_a_name_of_the_protocol_is_looked_at_where_it_is_none(name: str) -> None:
    tape = [
        (chat("Classify: it does not work"), says(json.dumps({name: "bug"}))),
        (ticket(**{name: "bug"}), NOTHING),
    ]
    new = says(json.dumps({name: "feature"}))
    assert refused(*tape, new=[new]) == (
        "it quotes a part of answer 1, which now is another.\n"
        f"  quoted: 'bug' in body.messages.0.content.{name}"
    )
    setting = asks({"messages": [], name: "mp3"})
    tape = [(chat("a"), says(json.dumps({"as": "mp3"}))), (setting, NOTHING)]
    assert refused(*tape, new=[says(json.dumps({"as": "wav"}))]) == (
        f"it quotes a part of answer 1, which now is another.\n  quoted: 'mp3' in body.{name}"
    )


def test_a_word_of_the_protocol_is_from_no_answer() -> None:
    told = {"role": "system", "content": "b"}
    tape = [(chat("a"), says("System")), (chat("a", "System", told), NOTHING)]
    assert followed(*tape, new=[says("User")]) == chat("a", "User", told)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        (f"{HOST}/cities/paris.json", "path.2.id"),
        (f"{HOST}/cities/paris:now", "path.2.id"),
        ("https://paris.example.com/now", "host"),
    ],
)
def test_an_address_that_is_made_of_an_answer_is_refused(url: str, where: str) -> None:
    tape = [(chat("a"), says("Paris")), (Request("GET", url), NOTHING)]
    assert refused(*tape, new=[says("Rome")]) == (
        f"it quotes a part of answer 1, which now is another.\n  quoted: 'Paris' in {where}"
    )
    assert followed(*tape, new=[says("Paris")]).url == url


def test_a_host_that_an_answer_names_whole_is_followed() -> None:
    location = (("location", "https://b.example/there"),)
    now = (("location", "https://c.example/there"),)
    tape = [(asks(), answers({}, location)), (Request("GET", "https://b.example/there"), NOTHING)]
    assert followed(*tape, new=[answers({}, now)]).url == "https://c.example/there"
