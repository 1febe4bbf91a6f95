"""Errors that a provider sends: as an event in a stream, as a line, or as a JSON body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.lenient import compact, table, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Message

__all__ = ["problem", "problem_in"]


def problem(message: Message) -> str | None:
    """Give the provider's words if `message` is an error event, else None.

    Args:
        message: A message of a stream; one cut off within its JSON is no error yet.

    Example:
        >>> from aquila_cassette.dialects.framing import Message
        >>> problem(Message("message", "...", {"error": {"message": "Overloaded"}}))
        'Overloaded'
    """
    found = problem_in(message.json)
    if found is None and message.event == "error":
        if message.json is not None:
            return _words_of(message.json)
        if not message.data.lstrip().startswith(("{", "[")):
            return message.data or "error"
    return found


def problem_in(answer: object) -> str | None:
    """Give the provider's words if the JSON `answer` is an error, else None.

    Args:
        answer: Any JSON value. One of JSON-RPC is never taken for an error, for it answers one
            request of several and ends no stream.

    Example:
        >>> problem_in({"type": "error", "message": "No."})
        'No.'
    """
    fields = table(answer)
    if not fields or "jsonrpc" in fields:
        return None
    if fields.get("error"):
        return _words_of(fields["error"])
    if "error" in (fields.get("type"), fields.get("object")):
        return _words_of(fields)
    return None


def _words_of(error: object) -> str:
    while isinstance(error, dict) and isinstance(error.get("error"), str | dict) and error["error"]:
        error = error["error"]
    return words(error) or words(table(error).get("message")) or compact(error)
