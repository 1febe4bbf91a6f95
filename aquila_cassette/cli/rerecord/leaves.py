"""The strings of a JSON document, each with where it stands and who says it there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from aquila_cassette.storage.bodies import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Author",
    "Leaf",
    "Mark",
    "Path",
    "encoded_like",
    "is_id_name",
    "is_model",
    "is_opaque",
    "is_protocol_name",
    "is_protocol_word",
    "leaves",
    "marks",
    "replaced",
    "shown",
    "voids",
]

Author = Literal["model", "user", "other"]
"""Who says something in a conversation; ``other`` stands for tools, settings, all the rest."""

Path = tuple["str | int", ...]
"""Names and places from the document down; an empty name leads into a string that is JSON."""

Mark = str | int | float | bool
"""A number, a truth value, or the name of a field."""

_INSIDE = ""
_ID = re.compile(r"(?:^|[_-])ids?$|[a-z0-9]I[dD]s?$", re.ASCII)
_OPAQUE = re.compile(r"(?=\S*\d)(?=\S*[A-Za-z])\S{8,}|[\w-]{16,}", re.ASCII)
_PROTOCOL = frozenset({"type", "role", "object", "model", "status", "format", "event", "mode"})
_WORDS = frozenset({
    "any", "array", "assistant", "auto", "base64", "boolean", "chatbot", "completed", "content",
    "custom", "custom_tool_call", "custom_tool_call_output", "developer", "disabled", "document",
    "enabled", "ephemeral", "file", "function", "function_call", "function_call_output", "image",
    "image_url", "in_progress", "incomplete", "input_audio", "input_file", "input_image",
    "input_text", "integer", "item_reference", "json_object", "json_schema", "message", "model",
    "none", "null", "number", "object", "output_text", "reasoning", "redacted_thinking", "refusal",
    "required", "string", "summary_text", "system", "text", "thinking", "tool", "tool_call",
    "tool_result", "tool_use", "url", "user", "validated", "web_search_call",
})  # fmt: skip
_MODELS = frozenset({"assistant", "model", "chatbot"})
_DEEPEST = 100


class Leaf(NamedTuple):
    """A string, or the number under a name like ``id``, in a document.

    Args:
        path: Where it stands.
        name: The nearest name above it.
        author: Who says it.
        value: It.
    """

    path: Path
    name: str
    author: Author
    value: str | int

    @property
    def text(self) -> str:
        """The value as text."""
        return str(self.value)

    @property
    def is_container(self) -> bool:
        """Whether it is JSON, the leaves of which come after it."""
        return isinstance(self.value, str) and _container(self.value) is not None

    @property
    def shown(self) -> str:
        """Where it stands, as a person writes it: ``messages.1.content``."""
        return shown(self.path)


def shown(path: Path) -> str:
    """Write a path as a person does: ``messages.1.content``.

    Args:
        path: In a document.
    """
    return ".".join(str(step) for step in path if step != _INSIDE)


def is_id_name(name: str) -> bool:
    """Tell whether a field of that name holds an id.

    Args:
        name: In any style.

    Example:
        >>> [is_id_name(name) for name in ("id", "call_id", "responseId", "file_ids", "grid")]
        [True, True, True, True, False]
    """
    return _ID.search(name) is not None


def is_opaque(text: str) -> bool:
    """Tell whether a text looks like an id, which is in no other place by chance.

    Args:
        text: Any text.

    Example:
        >>> [is_opaque(text) for text in ("call_8Xq2", "call_1", "42")]
        [True, False, False]
    """
    return _OPAQUE.fullmatch(text) is not None


def is_protocol_name(name: str) -> bool:
    """Tell whether a field of that name holds a word of the protocol, never what somebody said.

    Args:
        name: As providers spell it.
    """
    return name in _PROTOCOL


def is_protocol_word(leaf: Leaf) -> bool:
    """Tell whether a leaf is a word of the protocol, which is from no answer.

    In JSON within a string a field of the same name holds what somebody said.

    Args:
        leaf: Of a request.

    Example:
        >>> request = {"role": "user", "content": '{"type": "text"}'}
        >>> [is_protocol_word(one) for one in leaves(request)]
        [True, False, False]
    """
    is_within = _INSIDE in leaf.path
    return is_protocol_name(leaf.name) and not is_within and leaf.text.lower() in _WORDS


def leaves(document: Any) -> Iterator[Leaf]:
    """Give the leaves of `document`, in its order; those of JSON inside a string as well.

    A string that is a JSON object or list is given itself, and then what is in it.

    Args:
        document: What came from JSON.

    Example:
        >>> for leaf in leaves({"messages": [{"role": "user", "content": "Hi"}], "n": 1}):
        ...     print(leaf.shown, leaf.author, leaf.value)
        messages.0.role user user
        messages.0.content user Hi
    """
    return _leaves(document, (), "", "other")


def _leaves(value: Any, path: Path, name: str, author: Author) -> Iterator[Leaf]:
    if len(path) > _DEEPEST:
        return
    if isinstance(value, str):
        yield Leaf(path, name, author, value)
        inside = _container(value)
        if inside is not None:
            yield from _leaves(inside, (*path, _INSIDE), name, author)
    elif isinstance(value, int) and not isinstance(value, bool) and is_id_name(name):
        yield Leaf(path, name, author, value)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, place), name, author)
    elif isinstance(value, dict):
        author = _author(value, author)
        for key, item in value.items():
            yield from _leaves(item, (*path, key), key, author)


def marks(document: Any, path: Path = ()) -> Iterator[tuple[Path, Mark]]:
    """Give what `leaves` does not: numbers, truth values and names of fields, with their paths.

    Args:
        document: What came from JSON.
        path: Where it stands.

    Example:
        >>> list(marks({"n": 1, "of": '{"stop": true}'}))
        ... # doctest: +NORMALIZE_WHITESPACE
        [(('n',), 'n'), (('n',), 1), (('of',), 'of'), (('of', '', 'stop'), 'stop'),
         (('of', '', 'stop'), True)]
    """
    if len(path) > _DEEPEST:
        return
    if isinstance(document, (int, float)):
        yield path, document
    elif isinstance(document, str):
        inside = _container(document)
        if inside is not None:
            yield from marks(inside, (*path, _INSIDE))
    elif isinstance(document, list):
        for place, item in enumerate(document):
            yield from marks(item, (*path, place))
    elif isinstance(document, dict):
        for key, item in document.items():
            yield (*path, key), key
            yield from marks(item, (*path, key))


def voids(
    document: Any, path: Path = (), author: Author = "other"
) -> Iterator[tuple[Path, str | None]]:
    """Give where a document has a null or an empty string, but not beside words of model or tool.

    Libraries send an answer back with nulls for all that it does not have; what a tool gives back,
    it has not from an answer.

    Args:
        document: What came from JSON.
        path: Where it stands.
        author: Who says it there.

    Example:
        >>> list(voids({"stop": None, "input": [{"role": "assistant", "audio": None}]}))
        [(('stop',), None)]
    """
    if len(path) > _DEEPEST or author == "model":
        return
    if document is None or document == "":
        yield path, document
    elif isinstance(document, str):
        inside = _container(document)
        if inside is not None:
            yield from voids(inside, (*path, _INSIDE), author)
    elif isinstance(document, list):
        for place, item in enumerate(document):
            yield from voids(item, (*path, place), author)
    elif isinstance(document, dict) and not _is_of_a_tool(document):
        author = _author(document, author)
        for key, item in document.items():
            yield from voids(item, (*path, key), author)


def _author(value: dict[str, Any], above: Author) -> Author:
    kind, role = value.get("type"), value.get("role")
    if _is_of_a_tool(value):
        return "other"
    if isinstance(kind, str) and (kind == "reasoning" or kind.endswith("_call")):
        return "model"
    if isinstance(role, str):
        return "model" if is_model(role) else "user" if role.lower() == "user" else "other"
    return above


def _is_of_a_tool(value: dict[str, Any]) -> bool:
    """Tell whether an object tells what a tool gave back."""
    kind = value.get("type")
    return (
        (isinstance(kind, str) and kind.endswith(("_output", "tool_result")))
        or "functionResponse" in value
        or "function_response" in value
        or value.get("role") in ("tool", "function")
    )


def is_model(role: object) -> bool:
    """Tell whether a role is that of the model.

    Args:
        role: As a provider spells it.
    """
    return isinstance(role, str) and role.lower() in _MODELS


def replaced(document: Any, values: Mapping[Path, str | int]) -> Any:
    """Give `document` with other values at some paths.

    Args:
        document: What came from JSON.
        values: Paths of leaves, and what shall stand there.

    Example:
        >>> replaced({"a": ["x", "y"]}, {("a", 1): "z"})
        {'a': ['x', 'z']}
        >>> replaced({"a": '{"b": "x"}'}, {("a", "", "b"): "z"})
        {'a': '{"b": "z"}'}
    """
    if not values:
        return document
    if () in values:
        return values[()]
    below: dict[str | int, dict[Path, str | int]] = {}
    for path, value in values.items():
        below.setdefault(path[0], {})[path[1:]] = value
    if isinstance(document, str):
        inside = replaced(_container(document), below[_INSIDE])
        return encoded_like(document, inside)
    if isinstance(document, list):
        return [replaced(item, below.get(place, {})) for place, item in enumerate(document)]
    return {key: replaced(item, below.get(key, {})) for key, item in document.items()}


def encoded_like(text: str, value: Any) -> str:
    """Write `value` as JSON in the style of another JSON text.

    Args:
        text: The other; where its style is not one of the usual, it is written compactly.
        value: What came from JSON.

    Example:
        >>> encoded_like('{"a": 1}', {"b": [2]})
        '{"b": [2]}'
    """
    was = json.loads(text)
    same = (style for style in STYLES.values() if style(was) == text)
    return next(same, STYLES["compact"])(value)


def _container(text: str) -> Any:
    """Read a string that is a JSON object or list; None for any other."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        value = json.loads(text)
        STYLES["compact"](value)  # what cannot be written again is no JSON to us
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None
