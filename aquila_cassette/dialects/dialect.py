"""What a dialect is: how one provider's messages are told from others, read, and known to end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila_cassette.dialects.framing import frames_backwards, read_event
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str, dump_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila_cassette.dialects.framing import Framing, ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["Dialect", "error_in", "every_choice_finished", "provider_error"]

_SEVERAL = re.compile(rb'"index"\s*:\s*[1-9]')


def never_terminal(_message: ProviderEvent) -> bool:
    """Say that no message is a terminal event of this dialect's own."""
    return False


def no_answer(_answer: Table) -> bool:
    """Say that no unstreamed answer is this dialect's."""
    return False


def read_nothing(_answer: Table, _builder: MessageBuilder) -> None:
    """Hear nothing."""


def not_finished(_how: Framing, _body: bytes) -> bool:
    """Say that EOF alone never makes a stream of this dialect whole."""
    return False


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's way to stream an answer, as functions of its messages that never raise.

    Args:
        name: As a program writes it: ``openai-chat``.
        title: As a person reads it: ``OpenAI chat completions``.
        expected: The terminal events, for a message that says what is missing.
        recognises: Whether a message can only be this dialect's.
        read_event: Takes what a message says.
        is_terminal: Whether a message is a terminal event, errors and ``[DONE]`` aside.
        hints: Each frame that holds such an event has one of these bytes, so that the others need
            no reading.
        is_complete_at_eof: Whether a body without a terminal event is whole all the same if EOF follows.
        is_answer: Whether a JSON body is this provider's unstreamed answer.
        read_answer: Takes what such an answer says.
    """

    name: str
    title: str
    expected: str
    recognises: Callable[[ProviderEvent], bool]
    read_event: Callable[[ProviderEvent, MessageBuilder], None]
    is_terminal: Callable[[ProviderEvent], bool] = never_terminal
    hints: tuple[bytes, ...] = ()
    is_complete_at_eof: Callable[[Framing, bytes], bool] = not_finished
    is_answer: Callable[[Table], bool] = no_answer
    read_answer: Callable[[Table, MessageBuilder], None] = read_nothing


def every_choice_finished(
    how: Framing, body: bytes, *, choices: str, reason: str, mark: re.Pattern[bytes]
) -> bool:
    """Whether a body has choices, and each that began has given its reason to stop.

    Args:
        how: The framing of the body.
        body: The body.
        choices: The name of the field that lists a message's choices, told apart by ``index``.
        reason: The name of a choice's field that says why it stopped.
        mark: What only a frame matches that gives such a reason, so that the others need no
            reading where there is but one choice.
    """
    if not mark.search(body):
        return False
    several = _SEVERAL.search(body) is not None
    begun: set[int] = set()
    ended: set[int] = set()
    for raw in frames_backwards(how, body):
        if (several or mark.search(raw)) and (message := read_event(how, raw)) is not None:
            for choice in as_dicts(as_dict(message.json).get(choices)):
                begun.add(as_int(choice.get("index")))
                if choice.get(reason):
                    ended.add(as_int(choice.get("index")))
            if ended and not several:
                return True
    return bool(begun) and begun == ended


def provider_error(message: ProviderEvent) -> str | None:
    """Give the provider's words if `message` is an error event, else None.

    Args:
        message: A message of a stream; one cut off within its JSON is no error yet.

    Example:
        >>> from aquila_cassette.dialects.framing import ProviderEvent
        >>> provider_error(ProviderEvent("message", "...", {"error": {"message": "Overloaded"}}))
        'Overloaded'
    """
    found = error_in(message.json)
    if found is None and message.type == "error":
        if message.json is not None:
            return _error_text(message.json)
        if not message.data.lstrip().startswith(("{", "[")):
            return message.data or "error"
    return found


def error_in(answer: object) -> str | None:
    """Give the provider's words if the JSON `answer` is an error, else None.

    Args:
        answer: Any JSON value. One of JSON-RPC is never taken for an error, for it answers one
            request of several and ends no stream.

    Example:
        >>> error_in({"type": "error", "message": "No."})
        'No.'
    """
    fields = as_dict(answer)
    if not fields or "jsonrpc" in fields:
        return None
    if fields.get("error"):
        return _error_text(fields["error"])
    if "error" in (fields.get("type"), fields.get("object")):
        return _error_text(fields)
    return None


def _error_text(error: object) -> str:
    while isinstance(error, dict) and isinstance(error.get("error"), str | dict) and error["error"]:
        error = error["error"]
    return as_str(error) or as_str(as_dict(error).get("message")) or dump_json(error)
