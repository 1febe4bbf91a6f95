"""Anthropic's messages, and its older text completions.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import read_events
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str, dump_json

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["ANTHROPIC", "ANTHROPIC_COMPLETE"]

_STOP = re.compile(rb'"stop_reason"\s*:\s*"[^"]')
_TYPES = (
    "message_start",
    "message_delta",
    "message_stop",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
)
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")


def _recognises(message: ProviderEvent) -> bool:
    return as_dict(message.json).get("type") in _TYPES


def _is_terminal(message: ProviderEvent) -> bool:
    return as_dict(message.json).get("type") == "message_stop"


def _is_answer(answer: Table) -> bool:
    return answer.get("type") == "message" and isinstance(answer.get("content"), list)


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    event = as_dict(message.json)
    type_ = event.get("type")
    key = as_int(event.get("index"))
    if type_ == "message_start":
        _read_answer(as_dict(event.get("message")), builder)
    elif type_ == "content_block_start":
        _read_block(as_dict(event.get("content_block")), key, builder)
    elif type_ == "content_block_delta":
        delta = as_dict(event.get("delta"))
        builder.add_text(as_str(delta.get("text")))
        builder.add_reasoning(as_str(delta.get("thinking")))
        if chunk := as_str(delta.get("partial_json")):
            builder.add_call(key, arguments=chunk)
    elif type_ == "message_delta":
        reason = as_str(as_dict(event.get("delta")).get("stop_reason"))
        builder.set_meta(usage=as_dict(event.get("usage")), finish_reason=reason)


def _read_answer(answer: Table, builder: MessageBuilder) -> None:
    builder.set_meta(
        model=as_str(answer.get("model")),
        usage=as_dict(answer.get("usage")),
        finish_reason=as_str(answer.get("stop_reason")),
    )
    for key, block in enumerate(as_dicts(answer.get("content"))):
        _read_block(block, key, builder)


def _read_block(block: Table, key: int, builder: MessageBuilder) -> None:
    if block.get("type") in _CALLS:
        # A stream begins with an empty input, whose JSON text then follows in deltas.
        given = block.get("input")
        builder.add_call(
            key,
            id_=as_str(block.get("id")),
            name=as_str(block.get("name")),
            arguments=dump_json(given) if given else "",
        )
    elif block.get("type") == "text":
        builder.add_text(as_str(block.get("text")))
    elif block.get("type") == "thinking":
        builder.add_reasoning(as_str(block.get("thinking")))


def _completes(answer: Table) -> bool:
    return isinstance(answer.get("completion"), str) and "stop_reason" in answer


def _recognises_completion(message: ProviderEvent) -> bool:
    return _completes(as_dict(message.json))


def _is_completion_complete(how: Framing, body: bytes) -> bool:
    return bool(_STOP.search(body)) and any(
        as_str(as_dict(message.json).get("stop_reason")) for message in read_events(how, body)
    )


def _read_completion_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    _read_completion(as_dict(message.json), builder)


def _read_completion(answer: Table, builder: MessageBuilder) -> None:
    builder.add_text(as_str(answer.get("completion")))
    builder.set_meta(
        model=as_str(answer.get("model")), finish_reason=as_str(answer.get("stop_reason"))
    )


ANTHROPIC = Dialect(
    name="anthropic",
    title="Anthropic messages",
    expected="event: message_stop",
    recognises=_recognises,
    read_event=_read_event,
    is_terminal=_is_terminal,
    hints=(b"message_stop",),
    is_answer=_is_answer,
    read_answer=_read_answer,
)

ANTHROPIC_COMPLETE = Dialect(
    name="anthropic-complete",
    title="Anthropic text completions",
    expected="a stop_reason",
    recognises=_recognises_completion,
    read_event=_read_completion_event,
    is_complete_at_eof=_is_completion_complete,
    is_answer=_completes,
    read_answer=_read_completion,
)
