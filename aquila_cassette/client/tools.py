"""Tools: functions that a model may call while it answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aquila_cassette.client.dialects.ask import Outcome
from aquila_cassette.client.schema import described, parameters_of
from aquila_cassette.dialects.message import IdentifiedToolCall
from aquila_cassette.errors import UsageError

__all__ = ["Invocation", "Patched", "Tool", "tool", "tools_of"]

CONTEXT = "context"


@dataclass(frozen=True)
class Tool:
    """A function, and what the model is told of it.

    Args:
        name: What the model calls it.
        description: When to call it, and what it does.
        parameters: The JSON schema of its arguments, of type object.
        function: What is called, sync or async, with the arguments by their names; where it has a
            parameter ``context`` that the schema has not, it gets the stream's tool context there.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, as if it were no tool."""
        return self.function(*args, **kwargs)

    @property
    def wants_context(self) -> bool:
        """Whether the function is to get the tool context."""
        if CONTEXT in self.parameters.get("properties", {}):
            return False
        return CONTEXT in inspect.signature(self.function).parameters


@dataclass(frozen=True)
class Patched:
    """What a tool returns that also changes the tool context for the rounds that follow.

    Args:
        result: What the model is told.
        patch: What goes over the context.

    Example:
        >>> Patched("It is done.", {"attempts": 2}).patch["attempts"]
        2
    """

    result: Any
    patch: Mapping[str, Any] = field(default_factory=dict)


def tool(function: Callable[..., Any]) -> Tool:
    '''Make a tool of a function, from its name, its type hints and its docstring.

    Raises:
        UsageError: A parameter has no hint, or one that JSON has no type for.

    Example:
        >>> @tool
        ... def weather(city: str) -> str:
        ...     """Tell the weather of a city."""
        ...     return f"It rains in {city}."
        >>> weather.name, weather.description, weather("Lund")
        ('weather', 'Tell the weather of a city.', 'It rains in Lund.')
    '''
    about, _ = described(function)
    return Tool(function.__name__, about, parameters_of(function, without=CONTEXT), function)


def tools_of(given: Iterable[Tool | Callable[..., Any]]) -> dict[str, Tool]:
    """Give tools by their names; plain functions are made tools.

    Raises:
        UsageError: Two have the same name.
    """
    found: dict[str, Tool] = {}
    for one in given:
        made = one if isinstance(one, Tool) else tool(one)
        if made.name in found:
            raise UsageError(
                f"Two tools are named {made.name!r}.",
                fix="Give one another name: Tool(name, description, parameters, function)",
            )
        found[made.name] = made
    return found


class Invocation:
    """One call of a tool: what to run, and what came of it.

    Args:
        call: What the model wants.
        tool: The tool; None where there is none of that name.
        known: The names of the tools there are.
        context: The tool context of this round.
    """

    def __init__(
        self,
        call: IdentifiedToolCall,
        tool: Tool | None,
        known: Iterable[str],
        context: Mapping[str, Any],
    ) -> None:
        self.call = call
        self.patch: Mapping[str, Any] = {}
        self.outcome: Outcome | None = None
        self.run: Callable[[], Any] | None = None
        """Runs the tool; may give an awaitable. None where there is nothing to run."""
        if tool is None:
            self._fail(f"There is no tool {call.name!r}. There are: {', '.join(known) or 'none'}.")
            return
        try:
            arguments = json.loads(call.arguments or "{}")
        except ValueError as error:
            self._fail(f"The arguments are not JSON ({error}): {call.arguments}")
            return
        if not isinstance(arguments, dict):
            self._fail(f"The arguments are not a JSON object: {call.arguments}")
            return
        if tool.wants_context:
            arguments[CONTEXT] = context
        self.run = lambda: tool.function(**arguments)

    def returned(self, value: Any) -> None:
        """Take what the tool returned."""
        if isinstance(value, Patched):
            self.patch = value.patch
            value = value.result
        try:
            self._settle(value if isinstance(value, str) else _json(value))
        except (TypeError, ValueError) as error:
            self.raised(error)

    def raised(self, error: BaseException) -> None:
        """Take what the tool raised: the model is told of it."""
        self._fail(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)

    def _fail(self, why: str) -> None:
        self._settle(f"Error: {why}", failed=True)

    def _settle(self, result: str, *, failed: bool = False) -> None:
        self.outcome = Outcome(self.call.id, self.call.name, self.call.arguments, result, failed)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
