"""Tools: call Python functions for a model, and make their JSON schemas."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import json
import re
import types
import typing
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, Union

import anyio

from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.event_loops import call

CONTEXT = "context"

_PLAIN_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Examples?|Note):\s*$", re.MULTILINE)
# A name, maybe its type in brackets, and what it is, on lines that are indented more than the first.
_ARGUMENT = re.compile(r"^( +)(\w+)[^:\n]*:(.*(?:\n\1 +.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Tool:
    """A function, and its description for the model.

    Args:
        name: What the model calls it.
        description: When to call it, and what it does.
        parameters: The JSON schema of its arguments, of type object.
        function: What is called, sync or async, with the arguments by their names; a parameter
            ``context`` gets the stream's tool context.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)


@dataclass(frozen=True)
class Patched:
    """Returned by a tool to change the tool context for the rounds that follow.

    Args:
        result: What the model gets.
        patch: What the context is updated with.

    Example:
        >>> Patched("It is done.", {"attempts": 2}).patch["attempts"]
        2
    """

    result: Any
    patch: Mapping[str, Any] = field(default_factory=dict)


def tool(function: Callable[..., Any]) -> Tool:
    '''Make a tool of a function, from its name, its type hints and its docstring.

    Every parameter has a type hint: str, int, float, bool, None, a Literal, a list or dict of these,
    a TypedDict, or a union.

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
    description, _ = _read_docstring(function)
    return Tool(function.__name__, description, _parameters(function), function)


def tools_by_name(given: Iterable[Tool | Callable[..., Any]]) -> dict[str, Tool]:
    tools = [one if isinstance(one, Tool) else tool(one) for one in given]
    return {one.name: one for one in tools}


@dataclass
class ToolRun:
    """One call of a tool; once it ran, `result` is what the model gets."""

    id: str
    name: str
    arguments: str
    tools: Mapping[str, Tool]
    context: Mapping[str, Any]
    result: str = ""
    failed: bool = False
    patch: Mapping[str, Any] = field(default_factory=dict)

    async def run(self) -> None:
        with self._told():
            self._take(await call(self._bind()))

    def run_now(self) -> None:
        with self._told():
            value = self._bind()()
            self._take(anyio.run(_wait_for, value) if inspect.isawaitable(value) else value)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Tell the model of an error."""
        try:
            yield
        except Exception as error:
            self.result = f"Error: {type(error).__name__}: {error}".removesuffix(": ")
            self.failed = True

    def _bind(self) -> Callable[[], Any]:
        tool = self.tools.get(self.name)
        if tool is None:
            names = ", ".join(self.tools)
            raise LookupError(f"there is no tool {self.name!r}, only: {names}")
        arguments = {**json.loads(self.arguments or "{}")}
        if CONTEXT in inspect.signature(tool.function).parameters:
            arguments[CONTEXT] = self.context
        return functools.partial(tool.function, **arguments)

    def _take(self, value: Any) -> None:
        if isinstance(value, Patched):
            self.patch = value.patch
            value = value.result
        as_json = json.dumps(value, ensure_ascii=False, default=str)
        self.result = value if isinstance(value, str) else as_json


async def _wait_for(value: Awaitable[Any]) -> Any:
    return await value


async def run_tools(runs: list[ToolRun]) -> None:
    async with anyio.create_task_group() as group:
        for one in runs:
            group.start_soon(one.run)


def run_tools_now(runs: list[ToolRun]) -> None:
    """Run these tools, all at once in threads; a single one in this thread."""
    if len(runs) == 1:
        runs[0].run_now()
        return
    with ThreadPoolExecutor(len(runs), "tool") as pool:
        for one in runs:
            pool.submit(contextvars.copy_context().run, one.run_now)


def _read_docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return what a docstring of Google's style says of a function, and of its arguments."""
    about, *sections = _SECTION.split(inspect.getdoc(function) or "")
    listed = dict(zip(sections[::2], sections[1::2], strict=True)).get("Args", "")
    arguments = {name: " ".join(text.split()) for _, name, text in _ARGUMENT.findall(listed)}
    return about.strip(), arguments


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    _, descriptions = _read_docstring(function)
    parameters = inspect.signature(function).parameters
    properties: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name == CONTEXT:
            continue
        schema = _schema(hints[name]) if name in hints else None
        if schema is None or parameter.kind not in _NAMED:
            raise UsageError(
                f"The parameter {name!r} of the tool {function.__name__!r} has no type for JSON.",
                facts=["expected: one that is given by its name, with a type hint"],
                fix="Fix: give its type hint, or Tool(name, description, parameters, function)",
            )
        properties[name] = schema
        if name in descriptions:
            schema["description"] = descriptions[name]
    return {
        "type": "object",
        "properties": properties,
        "required": [
            name for name in properties if parameters[name].default is inspect.Parameter.empty
        ],
        "additionalProperties": False,
    }


def _schema(hint: Any) -> dict[str, Any] | None:
    """Return the JSON schema of a type; None where JSON has no such type."""
    if hint in _PLAIN_TYPES:
        return dict(_PLAIN_TYPES[hint])
    kind, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if kind is Literal:
        return {"enum": list(arguments)}
    if typing.is_typeddict(kind):
        hints = typing.get_type_hints(kind)
        parts: dict[Any, Any] = {name: _schema(one) for name, one in hints.items()}
        required = [name for name in hints if name in kind.__required_keys__]
        made: dict[str, Any] = {"type": "object", "properties": parts, "required": required}
    else:
        parts = dict(enumerate(map(_schema, arguments)))
        if kind in (Union, types.UnionType):
            made = {"anyOf": [*parts.values()]}
        elif kind in (dict, Mapping):
            made = {"type": "object", **({"additionalProperties": parts[1]} if parts else {})}
        elif kind in (list, Sequence):
            made = {"type": "array", "items": parts.get(0, {})}
        else:
            return None
    return None if None in parts.values() else made
