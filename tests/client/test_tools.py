"""Tools: what the model is told of them, how they run, and what it hears when they fail."""

from __future__ import annotations

import enum
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import anyio
import httpx
import pytest

from aquila_cassette.client import AsyncClient, Client, Done, Patched, Tool, ToolCall, tool
from aquila_cassette.errors import UsageError
from tests.client.talk import answering, sse
from tests.servers import CHAT_FRAMES


def calling(*calls: tuple[str, str]) -> bytes:
    """Make a stream that calls tools, with their arguments as they are given."""
    rows = [
        {"index": at, "id": f"call_{at}", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(calls)
    ]
    choice = {"index": 0, "delta": {"tool_calls": rows}, "finish_reason": "tool_calls"}
    return sse(json.dumps({"choices": [choice]}), "[DONE]")


def results(
    *calls: tuple[str, str], tools: list[Any], **options: Any
) -> tuple[list[ToolCall], list[dict[str, Any]]]:
    """Give the results as events, and the tool messages that the model got."""
    asked: list[httpx.Request] = []
    http = answering(calling(*calls), b"".join(CHAT_FRAMES), asked=asked)
    *events, done = Client(http, model="gpt-4o-mini").stream("Hi", tools=tools, **options)
    assert isinstance(done, Done)
    told = json.loads(asked[1].content)["messages"]
    return (
        [one for one in events if isinstance(one, ToolCall) and one.phase == "result"],
        [one for one in told if one["role"] == "tool"],
    )


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Place(TypedDict):
    city: str
    street: str | None


@dataclass
class Size:
    width: int


def test_a_tool_is_told_of_by_its_type_hints_and_its_docstring() -> None:
    @tool
    def paint(
        place: Place,
        sizes: list[Size],
        colour: Colour = Colour.RED,
        gloss: Annotated[float, "From 0 to 1."] = 0.5,
        kind: Literal["oil", "lime"] | None = None,
        notes: dict[str, str] | None = None,
        more: Any = None,
    ) -> None:
        """Paint a house.

        It takes a while.

        Args:
            place: Where it is,
                as exactly as may be.
            colour (Colour): Of the walls.
        """

    assert (paint.name, paint.description) == ("paint", "Paint a house.\n\nIt takes a while.")
    assert paint.parameters == {
        "type": "object",
        "properties": {
            "place": {
                "type": "object",
                "properties": {
                    "city": {"type": "string"},
                    "street": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["city", "street"],
                "description": "Where it is, as exactly as may be.",
            },
            "sizes": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"width": {"type": "integer"}},
                    "required": ["width"],
                },
            },
            "colour": {"enum": ["red", "blue"], "description": "Of the walls."},
            "gloss": {"type": "number", "description": "From 0 to 1."},
            "kind": {"anyOf": [{"enum": ["oil", "lime"]}, {"type": "null"}]},
            "notes": {
                "anyOf": [
                    {"type": "object", "additionalProperties": {"type": "string"}},
                    {"type": "null"},
                ]
            },
            "more": {},
        },
        "required": ["place", "sizes"],
        "additionalProperties": False,
    }


def no_hint(city) -> None:  # type: ignore[no-untyped-def]
    pass


def no_json(city: bytes) -> None:
    pass


def any_number(*cities: str) -> None:
    pass


def by_place(city: str, /) -> None:
    pass


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (no_hint, "'city' of the tool 'no_hint' has no type hint"),
        (no_json, "'city' of the tool 'no_json' has a type without a JSON type: "),
        (any_number, "'*cities' of the tool 'any_number' takes any number of arguments"),
        (by_place, "'city' of the tool 'by_place' cannot be given by its name"),
    ],
)
def test_a_function_that_cannot_be_told_of_is_refused(
    function: Callable[..., Any], what: str
) -> None:
    with pytest.raises(UsageError) as raised:
        tool(function)
    assert raised.value.what.startswith(f"The parameter {what}")
    assert raised.value.fix == (
        "Fix: give its type hint, or Tool(name, description, parameters, function)"
    )


def test_two_tools_of_one_name_are_refused() -> None:
    one = Tool("same", "", {"type": "object"}, print)
    with pytest.raises(UsageError, match="Two tools are named 'same'"):
        Client(model="m").stream("Hi", tools=[one, one])


def test_a_tool_may_be_given_by_name_schema_and_function() -> None:
    made = Tool("shout", "Shouts.", {"type": "object"}, lambda **given: str(given).upper())
    (result,), (told,) = results(("shout", '{"a": 1}'), tools=[made])
    assert result.result == told["content"] == "{'A': 1}"


def test_what_a_tool_returns_is_told_as_json_unless_it_is_text() -> None:
    def two() -> dict[str, Any]:
        return {"city": "Malmö", "odd": {1}}

    (result,), _ = results(("two", ""), tools=[two])
    assert result.result == '{"city": "Malmö", "odd": "{1}"}'


def test_a_tool_that_raises_is_a_result_that_the_model_sees() -> None:
    def fails() -> None:
        raise LookupError("no such city")

    (result,), (told,) = results(("fails", "{}"), tools=[fails])
    assert told["content"] == "Error: LookupError: no such city"
    assert (result.result, result.failed) == (told["content"], True)


def test_an_unknown_tool_is_a_result_that_the_model_sees() -> None:
    def known() -> str:
        return "fine"

    results_, told = results(("unknown", "{}"), ("known", "{}"), tools=[known])
    assert [one["content"] for one in told] == [
        "Error: There is no tool 'unknown'. There are: known.",
        "fine",
    ]
    assert [one.failed for one in results_] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ('{"city": "Lun', "Error: The arguments are not JSON (Unterminated string starting at"),
        ("[1]", "Error: The arguments are not a JSON object: [1]"),
        ('{"town": 1}', "Error: TypeError: "),
    ],
)
def test_arguments_that_do_not_fit_are_an_error_with_their_text(arguments: str, error: str) -> None:
    def weather(city: str) -> str:
        raise AssertionError("it must not run")

    (result,), (told,) = results(("weather", arguments), tools=[weather])
    assert told["content"].startswith(error)
    assert result.failed
    assert result.arguments == arguments
    if error.startswith("Error: The"):
        assert told["content"].endswith(arguments)


def test_parallel_calls_run_at_once_and_their_results_stand_in_the_order_of_the_calls() -> None:
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

    found, told = results(("first", "{}"), ("second", "{}"), tools=[first, second])
    assert [one.result for one in found] == ["first", "second"]
    assert [one["tool_call_id"] for one in told] == ["call_0", "call_1"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_parallel_calls_of_the_async_client_run_at_once_too(backend: str) -> None:
    second_is_over = threading.Event()

    def first() -> str:
        assert second_is_over.wait(5)
        return "first"

    async def second() -> str:
        second_is_over.set()
        return "second"

    bodies = iter([calling(("first", "{}"), ("second", "{}")), b"".join(CHAT_FRAMES)])

    async def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=next(bodies))

    async def talk() -> list[str | None]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
        stream = AsyncClient(http, model="m").stream("Hi", tools=[first, second])
        return [one.result async for one in stream if isinstance(one, ToolCall)]

    assert anyio.run(talk, backend=backend) == [None, None, "first", "second"]


def test_patches_of_one_round_are_merged_in_the_order_of_the_calls() -> None:
    def one(context: dict[str, Any]) -> Patched:
        return Patched("ok", {"last": "one", "one": context["n"]})

    def two(context: dict[str, Any]) -> Patched:
        return Patched("ok", {"last": "two"})

    http = answering(
        calling(("one", "{}"), ("two", "{}")), calling(("one", "{}")), b"".join(CHAT_FRAMES)
    )
    given = {"n": 1}
    stream = Client(http, model="m").stream("Hi", tools=[one, two], tool_context=given)
    stream.result()
    assert stream.tool_context == {"n": 1, "last": "one", "one": 1}
    assert given == {"n": 1}


def test_a_tool_whose_schema_has_a_context_of_its_own_gets_that() -> None:
    schema = {"type": "object", "properties": {"context": {"type": "string"}}}
    made = Tool("look", "", schema, lambda context: context)
    (result,), _ = results(("look", '{"context": "mine"}'), tools=[made], tool_context={"a": 1})
    assert result.result == "mine"


def test_a_tool_is_still_a_function() -> None:
    @tool
    def double(number: int) -> int:
        return 2 * number

    assert double(21) == 42
