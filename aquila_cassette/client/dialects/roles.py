"""Instructions among the messages, for providers that take them in a field of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.dialects.lenient import as_dicts, as_str

if TYPE_CHECKING:
    from aquila_cassette.client.dialects.ask import Ask

__all__ = ["instructions_of", "text_of", "without_instructions"]

_ROLES = ("system", "developer")


def instructions_of(ask: Ask) -> str:
    """Join the instructions and what the messages have of them."""
    told = (text_of(one.get("content")) for one in ask.messages if one.get("role") in _ROLES)
    return "\n\n".join(text for text in (ask.instructions or "", *told) if text)


def without_instructions(ask: Ask) -> list[dict[str, Any]]:
    """Give the other messages."""
    return [one for one in ask.messages if one.get("role") not in _ROLES]


def text_of(content: Any) -> str:
    """Give the text of a message's content: a string, or parts of which some have a ``text``.

    Example:
        >>> text_of([{"type": "text", "text": "Say "}, {"type": "text", "text": "hello"}])
        'Say hello'
    """
    return as_str(content) or "".join(as_str(part.get("text")) for part in as_dicts(content))
