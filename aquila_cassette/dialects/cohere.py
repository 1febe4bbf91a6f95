"""Read answers of Cohere (chat, version 2).

Source: https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str
from aquila_cassette.dialects.message import MessageBuilder

_TYPES = ("message-start", "message-end", "content-", "tool-plan-", "tool-call-", "citation-")


class _CohereChat(Dialect):
    name = "cohere"
    title = "Cohere chat"
    expected = "event: message-end"
    events = ({"type": _TYPES},)
    answers = ({"message": dict, "finish_reason": object},)
    ends = ({"type": ("message-end",)},)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        delta = as_dict(event.fields.get("delta"))
        message = as_dict(delta.get("message"))
        _read_part(as_dict(message.get("content")), builder)
        builder.add_reasoning(as_str(message.get("tool_plan")))
        if call := as_dict(message.get("tool_calls")):
            _read_call(call, as_int(event.fields.get("index")), builder)
        if self.is_terminal(event):
            _read_end(delta, builder)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        message = as_dict(answer.get("message"))
        builder.add_reasoning(as_str(message.get("tool_plan")))
        for part in as_dicts(message.get("content")):
            _read_part(part, builder)
        for key, call in enumerate(as_dicts(message.get("tool_calls"))):
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
    reason = as_str(end.get("finish_reason"))
    builder.set_meta(usage=as_dict(end.get("usage")), finish_reason=reason)


COHERE = _CohereChat()
