"""Read answers of Amazon Bedrock (converse stream; Nova, Titan and Llama by themselves).

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from collections.abc import Iterator

from aquila_cassette.dialects.dialect import EVENT_TYPE, Dialect, FieldDialect
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str
from aquila_cassette.dialects.message import MessageBuilder

_EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "messageStop")


class _Converse(Dialect):
    name = "bedrock"
    title = "Bedrock converse"
    expected = "event: metadata"
    # Nova's own events have their type as the name of their only field.
    events = ({EVENT_TYPE: _EVENTS}, *({name: dict} for name in _EVENTS))
    answers = ({"stopReason": object, "output": dict},)
    ends = ("metadata",)

    def is_terminal(self, event: ProviderEvent) -> bool:
        return "metadata" in (event.type, *event.fields)

    def is_complete_at_eof(self, events: Iterator[ProviderEvent]) -> bool:
        return any("messageStop" in (event.type, *event.fields) for event in events)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        for name in ("metadata", *_EVENTS):
            fields = as_dict(fields.get(name)) or fields
        key = as_int(fields.get("contentBlockIndex"))
        _read_call(as_dict(as_dict(fields.get("start")).get("toolUse")), key, builder)
        delta = as_dict(fields.get("delta"))
        builder.add_text(delta.get("text"))
        builder.add_reasoning(as_dict(delta.get("reasoningContent")).get("text"))
        if arguments := as_str(as_dict(delta.get("toolUse")).get("input")):
            builder.add_call(key, arguments=arguments)
        builder.set_meta(usage=fields.get("usage"), finish_reason=fields.get("stopReason"))

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        message = as_dict(as_dict(answer.get("output")).get("message"))
        for key, part in enumerate(as_dicts(message.get("content"))):
            thought = as_dict(part.get("reasoningContent")).get("reasoningText")
            builder.add_reasoning(as_dict(thought).get("text"))
            builder.add_text(part.get("text"))
            call = as_dict(part.get("toolUse"))
            _read_call(call, key, builder, arguments=call.get("input") or {})
        builder.set_meta(usage=answer.get("usage"), finish_reason=answer.get("stopReason"))


def _read_call(call: Table, key: int, builder: MessageBuilder, arguments: object = "") -> None:
    if call:
        id_, name = call.get("toolUseId"), call.get("name")
        builder.add_call(key, id_=id_, name=name, arguments=arguments)


BEDROCK = _Converse()
BEDROCK_TITAN = FieldDialect(
    *("bedrock-titan", "Amazon Titan", "outputText", "completionReason"),
    counts=("inputTextTokenCount", "totalOutputTextTokenCount"),
)
BEDROCK_LLAMA = FieldDialect(
    *("bedrock-llama", "Llama on Bedrock", "generation", "stop_reason"),
    counts=("prompt_token_count", "generation_token_count"),
)
