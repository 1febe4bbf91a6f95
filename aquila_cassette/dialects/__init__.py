r"""What providers' streams mean: whose they are, whether they are over, what the model said.

A dialect is known by what its messages hold, never by a URL: compatible servers live anywhere.
All here are pure functions of bytes, and none raises, whatever the bytes.

Example:
    >>> from aquila_cassette.dialects import ending, read_message
    >>> body = b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\ndata: [DONE]\n\n'
    >>> ending("text/event-stream", body).terminal
    True
    >>> read_message("text/event-stream", body).text
    'Hi'
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from aquila_cassette.dialects.anthropic import ANTHROPIC, ANTHROPIC_COMPLETE
from aquila_cassette.dialects.bedrock import BEDROCK
from aquila_cassette.dialects.cohere import COHERE
from aquila_cassette.dialects.dialect import Dialect, error_in, provider_error
from aquila_cassette.dialects.framing import (
    Framing,
    ProviderEvent,
    frames_backwards,
    framing,
    ndjson_lines,
    read_event,
    read_events,
)
from aquila_cassette.dialects.gemini import GEMINI
from aquila_cassette.dialects.gemini_interactions import GEMINI_INTERACTIONS
from aquila_cassette.dialects.lenient import as_dict, as_str, load_json
from aquila_cassette.dialects.message import MessageBuilder, ModelMessage, ModelToolCall
from aquila_cassette.dialects.ollama import OLLAMA
from aquila_cassette.dialects.openai_chat import OPENAI_CHAT
from aquila_cassette.dialects.openai_responses import OPENAI_RESPONSES
from aquila_cassette.dialects.openai_runs import OPENAI_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "DIALECTS",
    "Dialect",
    "Ending",
    "ModelMessage",
    "ModelToolCall",
    "ending",
    "hear",
    "ndjson_lines",
    "read_message",
    "recognise",
    "speaks_a_dialect",
]

DIALECTS = (
    ANTHROPIC,
    ANTHROPIC_COMPLETE,
    BEDROCK,
    COHERE,
    GEMINI,
    GEMINI_INTERACTIONS,
    OLLAMA,
    OPENAI_CHAT,
    OPENAI_RESPONSES,
    OPENAI_RUNS,
)
"""All dialects known. No message is recognised by two of them."""

# A stream shows its dialect at once but for fillers: pings, keep-alives.
_MESSAGES_LOOKED_AT = 20
_HEADS_LOOKED_AT = (2 * 1024, 64 * 1024)


@dataclass(frozen=True, slots=True)
class Ending:
    """What the bytes of a body say about whether its stream is over.

    Args:
        terminal: A terminal event was seen, or an error by the provider, whatever follows it.
        complete_at_eof: The stream is whole if EOF follows now.
        expected: The terminal events of the dialect, for a message that says what is missing.
        dialect: The dialect's name; None where it is not known or the body is no stream.
    """

    terminal: bool
    complete_at_eof: bool
    expected: str
    dialect: str | None


def recognise(content_type: str | None, body: bytes) -> Dialect | None:
    r"""Tell the dialect of a stream by its first messages.

    Args:
        content_type: The response's content type; None if there was none. It counts for little.
        body: The body, whole or cut off.

    Returns:
        The dialect, or None for JSON, an unknown stream, or one that has not said anything yet.

    Example:
        >>> recognise("text/event-stream", b'data: {"type": "message_start"}\n\n').name
        'anthropic'
    """
    return _recognise(framing(content_type, body), body)


def ending(content_type: str | None, body: bytes) -> Ending:
    r"""Tell whether a stream is over, from its bytes so far.

    An unfinished last frame counts when its data is whole: providers leave out the last blank
    line. Where the dialect is unknown, EOF is all there is.

    Args:
        content_type: The response's content type; None if there was none.
        body: The body, whole or cut off.

    Example:
        >>> ending("text/event-stream", b'event: message_stop\ndata: {"type": "message_stop"}\n\n')
        Ending(terminal=True, complete_at_eof=True, expected='event: message_stop', dialect='anthropic')
    """
    how = framing(content_type, body)
    dialect = _recognise(how, body)
    if dialect is None:
        over = how != "json" and _last_is_terminal(how, body)
        return Ending(over, complete_at_eof=True, expected="the end of the body", dialect=None)
    over = _has_terminal(dialect, how, body)
    whole = over or dialect.is_complete_at_eof(how, body)
    return Ending(over, whole, dialect.expected, dialect.name)


def read_message(content_type: str | None, body: bytes) -> ModelMessage:
    """Tell what the model said, in a stream or in an unstreamed JSON answer.

    Args:
        content_type: The response's content type; None if there was none.
        body: The body, whole or cut off.

    Example:
        >>> answer = b'{"model": "m", "choices": [{"message": {"content": "Hi"}}]}'
        >>> read_message("application/json", answer).text
        'Hi'
    """
    builder = MessageBuilder()
    return builder.build(read_into(content_type, body, builder))


def read_into(content_type: str | None, body: bytes, builder: MessageBuilder) -> str | None:
    """Let `builder` gather what the model said, as `read_message` does.

    Args:
        content_type: The response's content type; None if there was none.
        body: The body, whole or cut off.
        builder: Gathers it.

    Returns:
        The name of the dialect that was spoken; None where it is not known.

    Example:
        >>> builder = MessageBuilder()
        >>> read_into("application/json", b'{"choices": [{"message": {"content": "Hi"}}]}', builder)
        'openai-chat'
    """
    how = framing(content_type, body)
    if how == "json":
        return _read_answer(body, builder)
    dialect = _recognise(how, body)
    for message in read_events(how, body):
        builder.set_error(provider_error(message) or "")
        if dialect is not None:
            dialect.read_event(message, builder)
    return dialect.name if dialect else None


def speaks_a_dialect(content_type: str | None, body: bytes) -> bool:
    """Return True if `body` is a model's answer, streamed or not, in a dialect that is known."""
    how = framing(content_type, body)
    if how != "json":
        return _recognise(how, body) is not None
    answer = load_json(body)
    parts = answer if isinstance(answer, list) else [answer]
    return any(dialect.is_answer(as_dict(part)) for part in parts for dialect in DIALECTS)


def _recognise(how: Framing, body: bytes) -> Dialect | None:
    if how == "json":
        return None
    for size in _HEADS_LOOKED_AT:
        if len(body) > size and (dialect := _dialect_of(read_events(how, body[:size]))):
            return dialect
    return _dialect_of(read_events(how, body))


def _dialect_of(first: Iterator[ProviderEvent]) -> Dialect | None:
    return next(
        (
            dialect
            for message in islice(first, _MESSAGES_LOOKED_AT)
            for dialect in DIALECTS
            if dialect.recognises(message)
        ),
        None,
    )


def _has_terminal(dialect: Dialect, how: Framing, body: bytes) -> bool:
    # What a binary frame wraps is not to be seen in its bytes.
    hints = (b"",) if how == "eventstream" else (*dialect.hints, b"[DONE]", b"error")
    if not any(hint in body for hint in hints):
        return False
    return any(
        _is_terminal(message) or dialect.is_terminal(message)
        for raw in frames_backwards(how, body)
        if any(hint in raw for hint in hints) and (message := read_event(how, raw)) is not None
    )


def _last_is_terminal(how: Framing, body: bytes) -> bool:
    found = (read_event(how, raw) for raw in frames_backwards(how, body))
    last = next((message for message in found if message is not None), None)
    return last is not None and _is_terminal(last)


def _is_terminal(message: ProviderEvent) -> bool:
    return message.data.startswith("[DONE]") or provider_error(message) is not None


def _read_answer(body: bytes, builder: MessageBuilder) -> str | None:
    answer = load_json(body)
    name = None
    # Gemini streams a JSON list of answers where SSE is not asked for.
    for part in answer if isinstance(answer, list) else [answer]:
        fields = as_dict(part)
        builder.set_error(error_in(fields) or "")
        dialect = next((dialect for dialect in DIALECTS if dialect.is_answer(fields)), None)
        if dialect is not None:
            name = dialect.name
            dialect.read_answer(fields, builder)
        else:
            builder.set_meta(model=as_str(fields.get("model")), usage=as_dict(fields.get("usage")))
    return name
