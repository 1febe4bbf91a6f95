"""Read answers of Anthropic (messages, older text completions).

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import Framing, ProviderEvent, read_events
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str, dump_json
from aquila_cassette.dialects.message import MessageBuilder

_STOP = re.compile(rb'"stop_reason"\s*:\s*"[^"]')
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")


class _Messages(Dialect):
    name = "anthropic"
    title = "Anthropic messages"
    expected = "event: message_stop"
    events = ({"type": ("message_start", "message_delta", "message_stop", "content_block_")},)
    answers = ({"type": ("message",), "content": list},)
    ends = ({"type": ("message_stop",)},)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        type_ = fields.get("type")
        key = as_int(fields.get("index"))
        if type_ == "message_start":
            self.read_answer(as_dict(fields.get("message")), builder)
        elif type_ == "content_block_start":
            _read_block(as_dict(fields.get("content_block")), key, builder)
        elif type_ == "content_block_delta":
            delta = as_dict(fields.get("delta"))
            builder.add_text(as_str(delta.get("text")))
            builder.add_reasoning(as_str(delta.get("thinking")))
            if chunk := as_str(delta.get("partial_json")):
                builder.add_call(key, arguments=chunk)
        elif type_ == "message_delta":
            reason = as_str(as_dict(fields.get("delta")).get("stop_reason"))
            builder.set_meta(usage=as_dict(fields.get("usage")), finish_reason=reason)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        builder.set_meta(
            model=as_str(answer.get("model")),
            usage=as_dict(answer.get("usage")),
            finish_reason=as_str(answer.get("stop_reason")),
        )
        for key, block in enumerate(as_dicts(answer.get("content"))):
            _read_block(block, key, builder)


def _read_block(block: Table, key: int, builder: MessageBuilder) -> None:
    if block.get("type") in _CALLS:
        # A stream begins with an empty input; its JSON text follows in deltas.
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


class _Completions(Dialect):
    name = "anthropic-complete"
    title = "Anthropic text completions"
    expected = "a stop_reason"
    answers = ({"completion": str, "stop_reason": object},)

    def is_complete_at_eof(self, how: Framing, body: bytes) -> bool:
        return bool(_STOP.search(body)) and any(
            as_str(event.fields.get("stop_reason")) for event in read_events(how, body)
        )

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        builder.add_text(as_str(answer.get("completion")))
        reason = as_str(answer.get("stop_reason"))
        builder.set_meta(model=as_str(answer.get("model")), finish_reason=reason)


ANTHROPIC = _Messages()
ANTHROPIC_COMPLETE = _Completions()
