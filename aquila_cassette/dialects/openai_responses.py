"""OpenAI's responses, and those of servers that speak them.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Message
    from aquila_cassette.dialects.said import Saying

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


def _type(message: Message) -> str:
    return words(table(message.json).get("type"))


def _recognises(message: Message) -> bool:
    return _type(message).startswith("response.") or message.event.startswith("response.")


def _ends(message: Message) -> bool:
    return _type(message) in _ENDS


def _answers(answer: Table) -> bool:
    return answer.get("object") == "response" and isinstance(answer.get("output"), list)


def _hear(message: Message, saying: Saying) -> None:
    event, type_ = table(message.json), _type(message)
    delta = words(event.get("delta"))
    key = whole(event.get("output_index"))
    if type_ == "response.output_text.delta":
        saying.text(delta)
    elif type_ in _REASONING:
        saying.reasoning(delta)
    elif type_ == "response.refusal.delta":
        saying.refusal(delta)
    elif type_ in _ARGUMENTS:
        saying.call(key, arguments=delta)
    elif type_ in ("response.output_item.added", "response.output_item.done"):
        _hear_call(table(event.get("item")), key, saying)
    elif "response" in event:
        response = table(event["response"])
        _hear_about(response, saying)
        if type_ in _ENDS and not saying.spoke:
            _hear_output(response, saying)


def _hear_answer(response: Table, saying: Saying) -> None:
    _hear_about(response, saying)
    _hear_output(response, saying)


def _hear_about(response: Table, saying: Saying) -> None:
    reason = words(table(response.get("incomplete_details")).get("reason"))
    saying.about(
        model=words(response.get("model")),
        usage=table(response.get("usage")),
        finish_reason=reason or words(response.get("status")),
    )
    saying.error(words(table(response.get("error")).get("message")))


def _hear_output(response: Table, saying: Saying) -> None:
    for key, item in enumerate(rows(response.get("output"))):
        _hear_call(item, key, saying)
        if item.get("type") == "reasoning":
            for thought in rows(item.get("summary")) + rows(item.get("content")):
                saying.reasoning(words(thought.get("text")))
        elif item.get("type") == "message":
            for part in rows(item.get("content")):
                saying.text(words(part.get("text")))
                saying.refusal(words(part.get("refusal")))


def _hear_call(item: Table, key: int, saying: Saying) -> None:
    if item.get("type") in _CALLS:
        arguments = words(item.get("arguments")) or words(item.get("input"))
        saying.settle(
            key,
            id_=words(item.get("call_id")),
            name=words(item.get("name")),
            arguments=arguments,
        )


OPENAI_RESPONSES = Dialect(
    name="openai-responses",
    title="OpenAI responses",
    expected="response.completed, response.incomplete or response.failed",
    recognises=_recognises,
    hear=_hear,
    ends=_ends,
    hints=tuple(type_.encode() for type_ in _ENDS),
    answers=_answers,
    hear_answer=_hear_answer,
)
