"""Turns of the model in which it says nothing: an answer that was empty, sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.cli.rerecord.leaves import is_id_name, is_model, is_protocol_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.rerecord.leaves import Path

__all__ = ["Hollow", "hollows"]

_TEXTS = ("content", "parts", "text")
_DEEPEST = 100


class Hollow(NamedTuple):
    """A turn of the model without words or calls.

    Args:
        path: Where it stands in the request's body.
        place: Where its text stands; None where there is no place for one.
        text: The text, nothing but white space; None where the place holds none.
    """

    path: Path
    place: Path | None
    text: str | None


def hollows(body: Any, path: Path = ()) -> list[Hollow]:
    """Find the turns of the model that are empty.

    Args:
        body: What came from JSON.
        path: Where it stands.

    Example:
        >>> [one.place for one in hollows({"messages": [{"role": "assistant", "content": ""}]})]
        [('messages', 0, 'content')]
    """
    return list(_hollows(body, path))


def _hollows(value: Any, path: Path) -> Iterator[Hollow]:
    if len(path) > _DEEPEST:
        return
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _hollows(item, (*path, place))
    elif isinstance(value, dict):
        if is_model(value.get("role")):
            if _is_hollow(value):
                yield _hollow(value, path)
            return
        for key, item in value.items():
            yield from _hollows(item, (*path, key))


def _is_hollow(message: dict[str, Any]) -> bool:
    return all(
        _says_nothing(value)
        for name, value in message.items()
        if not (is_id_name(name) or is_protocol_name(name) or name == "name")
    )


def _says_nothing(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_says_nothing, value))
    if isinstance(value, dict):
        return _is_hollow(value)
    return value is None or (isinstance(value, str) and not value.strip())


def _hollow(message: dict[str, Any], path: Path) -> Hollow:
    for name in _TEXTS:
        value = message.get(name)
        if name in message and (value is None or isinstance(value, str)):
            return Hollow(path, (*path, name), value)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            inner = _hollow(value[0], (*path, name, 0))
            return Hollow(path, inner.place, inner.text)
    return Hollow(path, None, None)
