"""OpenAI's responses, and those of servers that speak them.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["OPENAI_RESPONSES"]

# The last is in no list of a stream's events, but of a response's states, and some servers send it.
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_REASONING = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_ARGUMENTS = (
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.mcp_call_arguments.delta",
)
_CALLS = ("function_call", "custom_tool_call", "mcp_call")


def _type(message: ProviderEvent) -> str:
    return as_str(as_dict(message.json).get("type"))


def _recognises(message: ProviderEvent) -> bool:
    return _type(message).startswith("response.") or message.type.startswith("response.")


def _is_terminal(message: ProviderEvent) -> bool:
    return _type(message) in _ENDS


def _is_answer(answer: Table) -> bool:
    return answer.get("object") == "response" and isinstance(answer.get("output"), list)


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    event, type_ = as_dict(message.json), _type(message)
    delta = as_str(event.get("delta"))
    key = as_int(event.get("output_index"))
    if type_ == "response.output_text.delta":
        builder.add_text(delta)
    elif type_ in _REASONING:
        builder.add_reasoning(delta)
    elif type_ == "response.refusal.delta":
        builder.add_refusal(delta)
    elif type_ in _ARGUMENTS:
        builder.add_call(key, arguments=delta)
    elif type_ in ("response.output_item.added", "response.output_item.done"):
        _read_call(as_dict(event.get("item")), key, builder)
    elif "response" in event:
        response = as_dict(event["response"])
        _read_about(response, builder)
        if type_ in _ENDS and not builder.has_content:
            _read_output(response, builder)


def _read_answer(response: Table, builder: MessageBuilder) -> None:
    _read_about(response, builder)
    _read_output(response, builder)


def _read_about(response: Table, builder: MessageBuilder) -> None:
    reason = as_str(as_dict(response.get("incomplete_details")).get("reason"))
    builder.set_meta(
        model=as_str(response.get("model")),
        usage=as_dict(response.get("usage")),
        finish_reason=reason or as_str(response.get("status")),
    )
    builder.set_error(as_str(as_dict(response.get("error")).get("message")))


def _read_output(response: Table, builder: MessageBuilder) -> None:
    for key, item in enumerate(as_dicts(response.get("output"))):
        _read_call(item, key, builder)
        if item.get("type") == "reasoning":
            for thought in as_dicts(item.get("summary")) + as_dicts(item.get("content")):
                builder.add_reasoning(as_str(thought.get("text")))
        elif item.get("type") == "message":
            for part in as_dicts(item.get("content")):
                builder.add_text(as_str(part.get("text")))
                builder.add_refusal(as_str(part.get("refusal")))


def _read_call(item: Table, key: int, builder: MessageBuilder) -> None:
    if item.get("type") in _CALLS:
        arguments = as_str(item.get("arguments")) or as_str(item.get("input"))
        builder.set_call(
            key,
            id_=as_str(item.get("call_id")),
            name=as_str(item.get("name")),
            arguments=arguments,
        )


OPENAI_RESPONSES = Dialect(
    name="openai-responses",
    title="OpenAI responses",
    expected="response.completed, response.incomplete or response.failed",
    recognises=_recognises,
    read_event=_read_event,
    is_terminal=_is_terminal,
    hints=tuple(type_.encode() for type_ in _ENDS),
    is_answer=_is_answer,
    read_answer=_read_answer,
)
