"""Read answers of Anthropic (messages, older text completions).

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from aquila_cassette.dialects.dialect import Dialect, FieldDialect
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str
from aquila_cassette.dialects.message import MessageBuilder

_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")


class _Messages(Dialect):
    name = "anthropic"
    title = "Anthropic messages"
    expected = "event: message_stop"
    events = ({"type": ("message_start", "message_delta", "message_stop", "content_block_")},)
    answers = ({"type": ("message",), "content": list},)
    ends = ("message_stop",)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        type_ = fields.get("type")
        key = as_int(fields.get("index"))
        delta = as_dict(fields.get("delta"))
        if type_ == "message_start":
            self.read_answer(as_dict(fields.get("message")), builder)
        elif type_ == "content_block_start":
            _read_block(as_dict(fields.get("content_block")), key, builder)
        elif type_ == "content_block_delta":
            builder.add_text(delta.get("text"))
            builder.add_reasoning(delta.get("thinking"))
            if chunk := as_str(delta.get("partial_json")):
                builder.add_call(key, arguments=chunk)
        elif type_ == "message_delta":
            builder.set_meta(usage=fields.get("usage"), finish_reason=delta.get("stop_reason"))

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        builder.set_meta(
            model=answer.get("model"),
            usage=answer.get("usage"),
            finish_reason=answer.get("stop_reason"),
        )
        for key, block in enumerate(as_dicts(answer.get("content"))):
            _read_block(block, key, builder)


def _read_block(block: Table, key: int, builder: MessageBuilder) -> None:
    if block.get("type") in _CALLS:
        # A stream begins with an empty input; its JSON text follows in deltas.
        given = block.get("input") or ""
        builder.add_call(key, id_=block.get("id"), name=block.get("name"), arguments=given)
    elif block.get("type") == "text":
        builder.add_text(block.get("text"))
    elif block.get("type") == "thinking":
        builder.add_reasoning(block.get("thinking"))


ANTHROPIC = _Messages()
ANTHROPIC_COMPLETE = FieldDialect(
    "anthropic-complete", "Anthropic text completions", "completion", "stop_reason"
)
