"""Read answers of Cohere (chat, version 2).

Source: https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from aquila_cassette.dialects.dialect import Dialect, read_function
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int
from aquila_cassette.dialects.message import MessageBuilder

_TYPES = ("message-start", "message-end", "content-", "tool-plan-", "tool-call-", "citation-")


class _CohereChat(Dialect):
    name = "cohere"
    title = "Cohere chat"
    expected = "event: message-end"
    events = ({"type": _TYPES},)
    answers = ({"message": dict, "finish_reason": object},)
    ends = ("message-end",)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        delta = as_dict(event.fields.get("delta"))
        message = as_dict(delta.get("message"))
        content, call = as_dict(message.get("content")), as_dict(message.get("tool_calls"))
        key = as_int(event.fields.get("index"))
        _read(delta, [content], {key: call} if call else {}, builder)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        message = as_dict(answer.get("message"))
        calls = dict(enumerate(as_dicts(message.get("tool_calls"))))
        _read(answer, as_dicts(message.get("content")), calls, builder)


def _read(
    fields: Table, content: list[Table], calls: dict[int, Table], builder: MessageBuilder
) -> None:
    builder.add_reasoning(as_dict(fields.get("message")).get("tool_plan"))
    for part in content:
        builder.add_reasoning(part.get("thinking"))
        builder.add_text(part.get("text"))
    for key, call in calls.items():
        read_function(call, key, builder)
    builder.set_meta(usage=fields.get("usage"), finish_reason=fields.get("finish_reason"))


COHERE = _CohereChat()
