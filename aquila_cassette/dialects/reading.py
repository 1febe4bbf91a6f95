"""The list of dialects: recognise one, decide whether a stream is complete, read the message.

A dialect is known by what its events hold, never by a URL: compatible servers are anywhere. All
here are pure functions of bytes (whole or cut off) and a content type that counts for little, and
none raises, whatever the bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from aquila_cassette.dialects.anthropic import ANTHROPIC, ANTHROPIC_COMPLETE
from aquila_cassette.dialects.bedrock import BEDROCK, BEDROCK_LLAMA, BEDROCK_TITAN
from aquila_cassette.dialects.cohere import COHERE
from aquila_cassette.dialects.dialect import Dialect, error_in, provider_error
from aquila_cassette.dialects.framing import (
    Framing,
    ProviderEvent,
    framing,
    read_event,
    read_events,
    split_frames,
)
from aquila_cassette.dialects.gemini import GEMINI, GEMINI_INTERACTIONS
from aquila_cassette.dialects.json_access import Table, as_dict, load_json, may_be_json
from aquila_cassette.dialects.message import MessageBuilder, ModelMessage, TimedText
from aquila_cassette.dialects.ollama import OLLAMA
from aquila_cassette.dialects.openai import OPENAI_CHAT, OPENAI_RESPONSES, OPENAI_RUNS

DIALECTS: tuple[Dialect, ...] = (
    OPENAI_CHAT,
    ANTHROPIC,
    GEMINI,
    OPENAI_RESPONSES,
    OLLAMA,
    COHERE,
    BEDROCK,
    ANTHROPIC_COMPLETE,
    GEMINI_INTERACTIONS,
    OPENAI_RUNS,
    BEDROCK_TITAN,
    BEDROCK_LLAMA,
)
"""All dialects known, the frequent ones first. No event is recognised by two of them."""

# A stream shows its dialect at once but for fillers: pings, keep-alives.
_EVENTS_LOOKED_AT = 20
_BYTES_LOOKED_AT = 4 * 1024  # at its beginning and its end, before all of it


class Ending(NamedTuple):
    """What the bytes of a body say about whether its stream is over."""

    terminal: bool  # a terminal event was seen, or an error by the provider, whatever follows it
    complete_at_eof: bool  # the stream is complete if EOF follows now
    expected: str  # the terminal events of the dialect, for a message that says what is missing
    dialect: str | None  # the dialect's name; None where it is not known or the body is no stream


def recognise(content_type: str | None, body: bytes) -> Dialect | None:
    """Return the dialect of a stream; None for JSON, an unknown stream, or too little of one."""
    return _recognise(framing(content_type, body), body)


def speaks_a_dialect(content_type: str | None, body: bytes) -> bool:
    """Return True if `body` is a model's answer, streamed or not, in a dialect that is known."""
    how = framing(content_type, body)
    if how != "json":
        return _recognise(how, body) is not None
    return any(dialect.is_answer(part) for part in _answers(body) for dialect in DIALECTS)


def ending(content_type: str | None, body: bytes) -> Ending:
    """Return what the bytes so far say about whether a stream is over.

    An unfinished last frame counts when its data is whole: providers leave out the last blank
    line. Where the dialect is unknown, EOF is all there is.
    """
    how = framing(content_type, body)
    dialect = _recognise(how, body)
    if dialect is None:
        last = None
        for last in () if how == "json" else read_events(how, body):  # noqa: B007 - the last one
            pass
        over = last is not None and _is_terminal(last)
        return Ending(over, True, "the end of the body", None)
    over = _has_terminal(dialect, how, body)
    complete = over or dialect.is_complete_at_eof(read_events(how, body))
    return Ending(over, complete, dialect.expected, dialect.name)


def read_message(content_type: str | None, body: bytes) -> ModelMessage:
    """Return what the model wrote, in a stream or in an unstreamed JSON answer."""
    builder, name, _ = read_body(content_type, body)
    return builder.build(name)


def timeline_text(content_type: str | None, pieces: Sequence[bytes]) -> list[TimedText]:
    """Return what each piece of a body added to what the model wrote.

    Joined, it is what `read_message` returns of the whole body. Of an answer that is one JSON text,
    all comes with the last piece.
    """
    ends = list(accumulate(map(len, pieces)))
    return read_body(content_type, b"".join(pieces), ends)[0].timeline()


def read_body(
    content_type: str | None, body: bytes, ends: Sequence[int] = ()
) -> tuple[MessageBuilder, str | None, int | None]:
    """Return what was read, the dialect's name, and the number of events (None: it is no stream).

    `ends` says where its pieces end; without them, it came in one.
    """
    builder = MessageBuilder()
    how = framing(content_type, body)
    if how == "json":
        builder.piece = max(len(ends) - 1, 0)
        return builder, _read_answers(body, builder), None
    dialect = _recognise(how, body)
    end = events = 0
    for raw in split_frames(how, body):
        end += len(raw)
        if (event := read_event(how, raw)) is not None:
            events += 1
            builder.piece = bisect_left(ends, end)
            builder.set_error(provider_error(event))
            if dialect is not None:
                dialect.read_event(event, builder)
    return builder, dialect.name if dialect else None, events


def _read_answers(body: bytes, builder: MessageBuilder) -> str | None:
    name = None
    for answer in _answers(body):
        builder.set_error(error_in(answer))
        dialect = next((dialect for dialect in DIALECTS if dialect.is_answer(answer)), None)
        if dialect is not None:
            name = dialect.name
            dialect.read_answer(answer, builder)
        else:
            builder.set_meta(model=answer.get("model"), usage=answer.get("usage"))
    return name


def _answers(body: bytes) -> list[Table]:
    """Read a JSON answer; Gemini streams a JSON list of them where SSE is not asked for."""
    answer = load_json(body) if may_be_json(body) else None
    return [as_dict(part) for part in (answer if isinstance(answer, list) else [answer])]


def _recognise(how: Framing, body: bytes) -> Dialect | None:
    if how == "json":
        return None
    head = body[:_BYTES_LOOKED_AT]
    return _dialect_of(read_events(how, head)) or _dialect_of(read_events(how, body))


def _dialect_of(events: Iterator[ProviderEvent]) -> Dialect | None:
    first = islice(events, _EVENTS_LOOKED_AT)
    found = (dialect for event in first for dialect in DIALECTS if dialect.recognises(event))
    return next(found, None)


def _has_terminal(dialect: Dialect, how: Framing, body: bytes) -> bool:
    # Only the frames with one of these words are read; what a binary frame wraps cannot be seen.
    words = [b""] if how == "eventstream" else [b"[DONE]", b"error"]
    words += [word.encode() for word in dialect.ends]

    def is_in(frames: Sequence[bytes]) -> bool:
        return any(
            _is_terminal(event) or dialect.is_terminal(event)
            for raw in reversed(frames)
            if any(word in raw for word in words) and (event := read_event(how, raw)) is not None
        )

    # The first frame of the last bytes may be cut; where binary frames begin, they do not show.
    last = () if how == "eventstream" else [*split_frames(how, body[-_BYTES_LOOKED_AT:])][1:]
    return is_in(last) or is_in([*split_frames(how, body)])


def _is_terminal(event: ProviderEvent) -> bool:
    return event.data.startswith("[DONE]") or provider_error(event) is not None
