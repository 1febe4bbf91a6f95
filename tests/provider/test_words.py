from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.provider.arguments import fill
from aquila_cassette.provider.asking import Ask, Tool
from aquila_cassette.provider.chance import Seed
from aquila_cassette.provider.words import respond, tokens, weigh

from .asking import json_values

SCHEMA = ("type", "properties", "items", "enum", "anyOf", "allOf", "$ref", "$defs", "const")


def ask(prompt: str, *tools: str) -> Ask:
    return Ask(
        body={},
        model="m",
        prompt=prompt,
        results=(),
        tools=tuple(Tool(name, {}) for name in tools),
        forced=False,
        stream=False,
        max_tokens=None,
        input_tokens=0,
        seed=Seed(prompt),
    )


@settings(deadline=None)
@given(st.text())
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


@settings(deadline=None)
@given(st.text())
def test_every_prompt_is_answered_in_more_than_five_tokens(prompt: str) -> None:
    reply = respond(ask(prompt))
    assert reply.output_tokens > 5
    assert respond(ask(prompt)) == reply


@pytest.mark.parametrize("prompt", ["Hello", "Say hello", "hi!", "HEY there"])
def test_a_greeting_is_greeted(prompt: str) -> None:
    assert respond(ask(prompt)).text.startswith("Hello! ")


def test_words_of_the_prompt_are_quoted_but_not_the_plain_ones() -> None:
    text = respond(ask("Please explain what entropy means for compression")).text
    assert "“entropy”" in text
    assert "“compression”" in text
    assert "explain" not in text


def test_other_scripts_stand_in_the_answer() -> None:
    assert any(not token.isascii() for token in respond(ask("Describe a cassette")).tokens)


@pytest.mark.parametrize(
    ("prompt", "called"),
    [
        ("use get_weather now", True),
        ("GET_WEATHER", True),
        ("get weather, please", True),
        ("forget_weather", False),
        ("get_weathered", False),
        ("what is it like outside", False),
    ],
)
def test_a_tool_is_called_when_its_name_stands_in_the_prompt(prompt: str, called: bool) -> None:
    assert bool(respond(ask(prompt, "get_weather")).calls) is called


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "New York"),
        ({"type": "STRING"}, "New York"),
        ({"type": ["null", "string"]}, "New York"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "New York"),
        ({}, "New York"),
        ({"enum": ["hot", "cold"]}, "cold"),
        ({"enum": ["warm", "hot"]}, "warm"),
        ({"const": 5}, 5),
        ({"type": "integer"}, 12),
        ({"type": "number"}, 12),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": "array", "items": {"type": "integer"}}, [12]),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 12}),
        ({"$ref": "#/$defs/City"}, {"name": "New York"}),
    ],
)
def test_arguments_fit_the_schema_and_come_from_the_prompt(schema: Any, value: Any) -> None:
    definitions = {"City": {"type": "object", "properties": {"name": {"type": "string"}}}}
    whole = {"type": "object", "properties": {"x": schema}, "$defs": definitions}
    assert fill(whole, "Is it cold in New York or in Rome at 12?") == {"x": value}


def test_names_are_used_one_after_the_other() -> None:
    schema = {"properties": {"start": {"type": "string"}, "end": {"type": "string"}}}
    assert fill(schema, "Go from Rome to Oslo") == {"start": "Rome", "end": "Oslo"}


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert fill({**node, "$defs": {"Node": node}}, "go")["next"]["next"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["properties", "$defs"]), json_values(*SCHEMA)), st.text())
def test_no_schema_is_too_odd_to_be_filled(schema: dict[str, Any], prompt: str) -> None:
    json.dumps(fill(schema, prompt))


@settings(max_examples=60, deadline=None)
@given(json_values())
def test_anything_can_be_weighed(value: Any) -> None:
    assert weigh(value) >= 0


def test_a_draw_is_fixed_by_its_source_and_label_alone() -> None:
    seed = Seed({"a": 1, "b": [2]})
    assert seed.name("id", 24) == "801Q4hdOcw9P7SxxGMJkeEdo"
    assert seed.name("id", 24) != seed.name("other", 24)
    assert seed.name("id", 24) != Seed({"a": 2}).name("id", 24)
    assert 0 <= seed.unit("gap") < 1
    assert seed.pick("one", "abc") in "abc"
