"""Bedrock's converse, streamed as Amazon's binary event stream.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import read_events
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str, dump_json

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["BEDROCK"]

_EVENTS = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
)


def _recognises(message: ProviderEvent) -> bool:
    return message.type in _EVENTS


def _is_terminal(message: ProviderEvent) -> bool:
    return message.type == "metadata"


def _is_complete(how: Framing, body: bytes) -> bool:
    return any(message.type == "messageStop" for message in read_events(how, body))


def _is_answer(answer: Table) -> bool:
    return "stopReason" in answer and isinstance(answer.get("output"), dict)


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    event = as_dict(message.json)
    key = as_int(event.get("contentBlockIndex"))
    if call := as_dict(as_dict(event.get("start")).get("toolUse")):
        builder.add_call(key, id_=as_str(call.get("toolUseId")), name=as_str(call.get("name")))
    delta = as_dict(event.get("delta"))
    builder.add_text(as_str(delta.get("text")))
    builder.add_reasoning(as_str(as_dict(delta.get("reasoningContent")).get("text")))
    if arguments := as_str(as_dict(delta.get("toolUse")).get("input")):
        builder.add_call(key, arguments=arguments)
    _read_about(event, builder)


def _read_answer(answer: Table, builder: MessageBuilder) -> None:
    spoken = as_dict(as_dict(answer.get("output")).get("message"))
    for key, part in enumerate(as_dicts(spoken.get("content"))):
        thought = as_dict(as_dict(part.get("reasoningContent")).get("reasoningText"))
        builder.add_reasoning(as_str(thought.get("text")))
        builder.add_text(as_str(part.get("text")))
        if call := as_dict(part.get("toolUse")):
            builder.add_call(
                key,
                id_=as_str(call.get("toolUseId")),
                name=as_str(call.get("name")),
                arguments=dump_json(call.get("input") or {}),
            )
    _read_about(answer, builder)


def _read_about(event: Table, builder: MessageBuilder) -> None:
    builder.set_meta(
        usage=as_dict(event.get("usage")), finish_reason=as_str(event.get("stopReason"))
    )


BEDROCK = Dialect(
    name="bedrock",
    title="Bedrock converse",
    expected="event: metadata",
    recognises=_recognises,
    read_event=_read_event,
    is_terminal=_is_terminal,
    hints=(b"metadata",),
    is_complete_at_eof=_is_complete,
    is_answer=_is_answer,
    read_answer=_read_answer,
)
