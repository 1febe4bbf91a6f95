"""Cohere's chat, version 2.

Source: https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["COHERE"]

_TYPES = (
    "message-start",
    "content-start",
    "content-delta",
    "content-end",
    "tool-plan-delta",
    "tool-call-start",
    "tool-call-delta",
    "tool-call-end",
    "citation-start",
    "citation-end",
    "message-end",
)


def _recognises(message: ProviderEvent) -> bool:
    return as_dict(message.json).get("type") in _TYPES


def _is_terminal(message: ProviderEvent) -> bool:
    return as_dict(message.json).get("type") == "message-end"


def _is_answer(answer: Table) -> bool:
    return isinstance(answer.get("message"), dict) and "finish_reason" in answer


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    event = as_dict(message.json)
    delta = as_dict(event.get("delta"))
    spoken = as_dict(delta.get("message"))
    _read_part(as_dict(spoken.get("content")), builder)
    builder.add_reasoning(as_str(spoken.get("tool_plan")))
    if call := as_dict(spoken.get("tool_calls")):
        _read_call(call, as_int(event.get("index")), builder)
    if event.get("type") == "message-end":
        _read_end(delta, builder)


def _read_answer(answer: Table, builder: MessageBuilder) -> None:
    spoken = as_dict(answer.get("message"))
    builder.add_reasoning(as_str(spoken.get("tool_plan")))
    for part in as_dicts(spoken.get("content")):
        _read_part(part, builder)
    for key, call in enumerate(as_dicts(spoken.get("tool_calls"))):
        _read_call(call, key, builder)
    _read_end(answer, builder)


def _read_part(part: Table, builder: MessageBuilder) -> None:
    builder.add_reasoning(as_str(part.get("thinking")))
    builder.add_text(as_str(part.get("text")))


def _read_call(call: Table, key: int, builder: MessageBuilder) -> None:
    function = as_dict(call.get("function"))
    builder.add_call(
        key,
        id_=as_str(call.get("id")),
        name=as_str(function.get("name")),
        arguments=as_str(function.get("arguments")),
    )


def _read_end(end: Table, builder: MessageBuilder) -> None:
    builder.set_meta(
        usage=as_dict(end.get("usage")), finish_reason=as_str(end.get("finish_reason"))
    )


COHERE = Dialect(
    name="cohere",
    title="Cohere chat",
    expected="event: message-end",
    recognises=_recognises,
    read_event=_read_event,
    is_terminal=_is_terminal,
    hints=(b"message-end",),
    is_answer=_is_answer,
    read_answer=_read_answer,
)
