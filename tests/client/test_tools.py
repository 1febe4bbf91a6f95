"""Tools: how the model knows them, how they run, and what it gets when they fail."""

# As in many modules of users: the hints of tools are strings.
from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, Literal, TypedDict

import anyio
import httpx
import pytest

from aquila_cassette.client import Client, Done, Patched, Tool, ToolCall, tool
from tests.client.talk import answering, calling, each_backend, events_of, mocked
from tests.live.loops import refused
from tests.servers import CHAT_FRAMES

CHAT = b"".join(CHAT_FRAMES)


def results(*calls: tuple[str, str], tools: list[Any], **options: Any) -> list[ToolCall]:
    """Return the results of calls as events; the model got the same."""
    asked: list[httpx.Request] = []
    http = answering(calling(*calls), CHAT, asked=asked)
    *events, done = Client(http, model="gpt-4o-mini").stream("Hi", tools=tools, **options)
    assert isinstance(done, Done)
    found = [one for one in events if isinstance(one, ToolCall) and one.phase == "result"]
    assert json.loads(asked[1].content)["messages"][2:] == [
        {"role": "tool", "tool_call_id": f"call_{at}", "content": one.result}
        for at, one in enumerate(found)
    ]
    return found


class Place(TypedDict):
    city: str
    street: str | None


def test_a_tool_is_described_by_its_type_hints_and_its_docstring() -> None:
    @tool
    def paint(
        place: Place,
        sizes: list[int],
        gloss: float = 0.5,
        kind: Literal["oil", "lime"] | None = None,
        notes: dict[str, str] | None = None,
        more: Any = None,
    ) -> None:
        """Paint a house.

        It takes a while.

        Args:
            place: Where it is,
                as exactly as may be.
            gloss (float): From 0 to 1.
        """

    string, null = {"type": "string"}, {"type": "null"}
    assert (paint.name, paint.description) == ("paint", "Paint a house.\n\nIt takes a while.")
    assert paint.parameters == {
        "type": "object",
        "properties": {
            "place": {
                "type": "object",
                "properties": {"city": string, "street": {"anyOf": [string, null]}},
                "required": ["city", "street"],
                "description": "Where it is, as exactly as may be.",
            },
            "sizes": {"type": "array", "items": {"type": "integer"}},
            "gloss": {"type": "number", "description": "From 0 to 1."},
            "kind": {"anyOf": [{"enum": ["oil", "lime"]}, null]},
            "notes": {"anyOf": [{"type": "object", "additionalProperties": string}, null]},
            "more": {},
        },
        "required": ["place", "sizes"],
        "additionalProperties": False,
    }


def no_hint(city) -> None: ...  # type: ignore[no-untyped-def]
def no_json(city: bytes) -> None: ...
def any_number(*city: str) -> None: ...
def by_place(city: str, /) -> None: ...


@pytest.mark.parametrize("function", [no_hint, no_json, any_number, by_place])
def test_a_function_without_a_schema_is_refused(function: Callable[..., Any]) -> None:
    with refused(
        f"The parameter 'city' of the tool {function.__name__!r} has no type for JSON.",
        "  expected: one that is given by its name, with a type hint",
        "Fix: give its type hint, or Tool(name, description, parameters, function)",
    ):
        tool(function)


def test_a_tool_may_have_a_schema_of_its_own() -> None:
    shout = Tool("shout", "Shouts.", {"type": "object"}, lambda **given: str(given).upper())
    assert results(("shout", '{"a": 1}'), tools=[shout])[0].result == "{'A': 1}"
    assert shout(a="called") == "{'A': 'CALLED'}"


def returns_json() -> dict[str, Any]:
    return {"city": "Malmö", "odd": {1}}


def raises() -> None:
    raise LookupError("no such city")


def weather(city: str) -> str:
    return city


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("weather", '{"city": "Lund"}', "Lund"),
        ("returns_json", "", '{"city": "Malmö", "odd": "{1}"}'),
        ("raises", "{}", "Error: LookupError: no such city"),
        (
            "unknown",
            "{}",
            "Error: LookupError: there is no tool 'unknown', only: returns_json, raises, weather",
        ),
        ("weather", "[", "Error: JSONDecodeError: Expecting value: line 1 column 2 (char 1)"),
        ("weather", "[1]", "Error: TypeError: 'list' object is not a mapping"),
    ],
)
def test_the_model_gets_what_a_tool_returns_or_what_went_wrong(
    name: str, arguments: str, result: str
) -> None:
    tools = [returns_json, raises, weather]
    first, second = results((name, arguments), ("weather", '{"city": "Oslo"}'), tools=tools)
    assert (first.arguments, first.result) == (arguments, result)
    assert (first.failed, second.failed) == (result.startswith("Error"), False)


@each_backend
def test_calls_of_one_round_run_at_once_and_their_results_keep_the_order_of_the_calls(
    backend: str,
) -> None:
    together = threading.Barrier(2, timeout=5)
    second_is_over = threading.Event()

    def first() -> str:
        together.wait()
        assert second_is_over.wait(5)
        return "first"

    async def second() -> str:
        await anyio.to_thread.run_sync(together.wait)
        second_is_over.set()
        return "second"

    made = {"transport": mocked(calling(("first", "{}"), ("second", "{}")), CHAT), "model": "m"}
    events = events_of(backend, "Hi", made=made, tools=[first, second])
    found = [event.result for event in events if isinstance(event, ToolCall)]
    assert found == [None, None, "first", "second"]


@each_backend
def test_patches_change_the_context_of_the_next_round_in_the_order_of_the_calls(
    backend: str,
) -> None:
    seen: list[dict[str, Any]] = []

    def one(context: dict[str, Any], city: str = "") -> Patched:
        seen.append(dict(context))
        return Patched("ok", {"last": "one", "one": 1})

    def two(context: dict[str, Any]) -> Patched:
        seen.append(dict(context))
        return Patched("ok", {"last": "two"})

    asked: list[httpx.Request] = []
    rounds = [calling(("one", "{}"), ("two", "{}")), calling(("one", "{}")), CHAT]
    made = {"transport": mocked(*rounds, asked=asked), "model": "m"}
    given = {"n": 1}
    events_of(backend, "Hi", made=made, tools=[one, two], tool_context=given)
    assert seen == [{"n": 1}, {"n": 1}, {"n": 1, "last": "two", "one": 1}]
    assert given == {"n": 1}
    offered = json.loads(asked[0].content)["tools"][0]["function"]["parameters"]
    assert list(offered["properties"]) == ["city"]
