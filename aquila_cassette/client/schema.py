"""JSON schemas of functions, from their type hints and docstrings."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Union

from aquila_cassette.errors import UsageError

__all__ = ["described", "parameters_of"]

_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}
_ARGUMENT = re.compile(r"\s+(\w+)\s*(?:\([^)]*\))?:\s*(.*)")
_SECTION = re.compile(r"(?:Args|Arguments|Parameters|Returns|Yields|Raises|Examples?|Note):\s*")


def described(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    '''Read a docstring of Google's style: what the function does, and what its arguments are.

    Example:
        >>> def weather(city: str) -> str:
        ...     """Tell the weather.
        ...
        ...     Args:
        ...         city: A city's name.
        ...     """
        >>> described(weather)
        ('Tell the weather.', {'city': "A city's name."})
    '''
    about: list[str] = []
    arguments: dict[str, str] = {}
    section = name = ""
    for line in (inspect.getdoc(function) or "").splitlines():
        if _SECTION.fullmatch(line):
            section = line.strip()
        elif not section:
            about.append(line)
        elif section.startswith(("Arg", "Param")):
            if found := _ARGUMENT.fullmatch(line):
                name = found[1]
                arguments[name] = found[2]
            elif name and line.strip():
                arguments[name] += f" {line.strip()}"
    return "\n".join(about).strip(), arguments


def parameters_of(function: Callable[..., Any], *, without: str = "") -> dict[str, Any]:
    """Make the JSON schema of a function's parameters.

    Args:
        function: Every parameter has a type hint: str, int, float, bool, None, a Literal, an Enum,
            a list or dict of these, a TypedDict or a dataclass, or a union.
        without: The name of a parameter that the model does not give.

    Raises:
        UsageError: A parameter has no hint, or one that JSON has no type for.

    Example:
        >>> def weather(city: str, days: int = 1) -> str: ...
        >>> parameters_of(weather)["required"]
        ['city']
    """
    hints = typing.get_type_hints(function, include_extras=True)
    _, told = described(function)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name == without:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise _unfit(function, f"*{name}", "takes any number of arguments")
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise _unfit(function, name, "cannot be given by its name")
        if name not in hints:
            raise _unfit(function, name, "has no type hint")
        properties[name] = _schema(hints[name], function, name)
        if name in told:
            properties[name] = {**properties[name], "description": told[name]}
        if parameter.default is parameter.empty:
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _schema(hint: Any, function: Callable[..., Any], name: str) -> dict[str, Any]:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        said = [one for one in arguments[1:] if isinstance(one, str)]
        schema = _schema(arguments[0], function, name)
        return {**schema, "description": said[0]} if said else schema
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, function, name) for one in arguments]}
    kind = origin or hint
    if isinstance(kind, type):
        if issubclass(kind, Enum):
            return {"enum": [one.value for one in kind]}
        if typing.is_typeddict(kind) or hasattr(kind, "__dataclass_fields__"):
            return _record(kind, function, name)
        if issubclass(kind, Mapping):
            values = _schema(arguments[1], function, name) if len(arguments) == 2 else {}
            return {"type": "object", **({"additionalProperties": values} if values else {})}
        if issubclass(kind, Sequence | set | frozenset) and kind is not bytes:
            items = _schema(arguments[0], function, name) if arguments else {}
            return {"type": "array", "items": items}
    raise _unfit(function, name, f"has a type that JSON does not know: {hint}")


def _record(kind: type, function: Callable[..., Any], name: str) -> dict[str, Any]:
    hints = typing.get_type_hints(kind, include_extras=True)
    required = getattr(kind, "__required_keys__", None)
    return {
        "type": "object",
        "properties": {key: _schema(hint, function, name) for key, hint in hints.items()},
        "required": [key for key in hints if required is None or key in required],
    }


def _unfit(function: Callable[..., Any], name: str, why: str) -> UsageError:
    return UsageError(
        f"The parameter {name!r} of the tool {function.__name__!r} {why}.",
        fix="Give its hint or its schema: Tool(name, description, parameters, function)",
    )
