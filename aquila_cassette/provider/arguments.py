"""Arguments for a tool call, fitted to the tool's schema and taken from the prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .asking import record, records

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"\b[A-Z][a-z]\w*(?: [A-Z][a-z]\w*)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:])\s*")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d{1,15}")
_DEEPEST = 12


def fill(schema: dict[str, Any], prompt: str) -> dict[str, Any]:
    """Give arguments that fit `schema`, with the names, options and numbers of `prompt`.

    Args:
        schema: A JSON schema of type object, or Gemini's form of one.
        prompt: What the user said.

    Example:
        >>> fill({"properties": {"city": {"type": "string"}}}, "What is it like in New York?")
        {'city': 'New York'}
    """
    return _Filler(schema, prompt).object(schema, 0)


class _Filler:
    def __init__(self, schema: dict[str, Any], prompt: str) -> None:
        self._definitions = record(schema.get("$defs"))
        self._prompt = prompt
        self._names = _names(prompt)
        self._name = next(self._names)
        self._numbers = iter(_NUMBER.findall(prompt))

    def object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = record(schema.get("properties"))
        return {name: self._value(record(of), depth + 1) for name, of in properties.items()}

    def _value(self, schema: dict[str, Any], depth: int) -> Any:
        schema = self._resolved(schema)
        options = schema.get("enum")
        if isinstance(options, list) and options:
            mentioned = (one for one in options if str(one).lower() in self._prompt.lower())
            return next(mentioned, options[0])
        if "const" in schema:
            return schema["const"]
        match _kind(schema):
            case "object" if depth < _DEEPEST:
                return self.object(schema, depth)
            case "array" if depth < _DEEPEST:
                return [self._value(record(schema.get("items")), depth + 1)]
            case "object":
                return {}
            case "array":
                return []
            case "integer" | "number":
                return int(next(self._numbers, "1"))
            case "boolean":
                return True
            case "null":
                return None
            case _:
                name, self._name = self._name, next(self._names, self._name)
                return name

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        for _ in range(_DEEPEST):
            name = str(schema.get("$ref", "")).rpartition("/")[2]
            choices = records(schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"))
            if name:
                schema = record(self._definitions.get(name))
            elif choices:
                schema = choices[0]
        return schema


def _names(prompt: str) -> Iterator[str]:
    """Give what the prompt names by capitals within sentences; its longest word if nothing."""
    starts = {match.end() for match in _SENTENCE_START.finditer(prompt)}
    names = [match[0] for match in _NAME.finditer(prompt) if match.start() not in starts]
    return iter(names or [max(_WORD.findall(prompt), key=len, default="something")])


def _kind(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    return str(kind).lower()
