"""Cohere's chat, version 2.

Source: https://docs.cohere.com/reference/chat-stream
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Message
    from aquila_cassette.dialects.said import Saying

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


def _recognises(message: Message) -> bool:
    return table(message.json).get("type") in _TYPES


def _ends(message: Message) -> bool:
    return table(message.json).get("type") == "message-end"


def _answers(answer: Table) -> bool:
    return isinstance(answer.get("message"), dict) and "finish_reason" in answer


def _hear(message: Message, saying: Saying) -> None:
    event = table(message.json)
    delta = table(event.get("delta"))
    spoken = table(delta.get("message"))
    _hear_part(table(spoken.get("content")), saying)
    saying.reasoning(words(spoken.get("tool_plan")))
    if call := table(spoken.get("tool_calls")):
        _hear_call(call, whole(event.get("index")), saying)
    if event.get("type") == "message-end":
        _hear_end(delta, saying)


def _hear_answer(answer: Table, saying: Saying) -> None:
    spoken = table(answer.get("message"))
    saying.reasoning(words(spoken.get("tool_plan")))
    for part in rows(spoken.get("content")):
        _hear_part(part, saying)
    for key, call in enumerate(rows(spoken.get("tool_calls"))):
        _hear_call(call, key, saying)
    _hear_end(answer, saying)


def _hear_part(part: Table, saying: Saying) -> None:
    saying.reasoning(words(part.get("thinking")))
    saying.text(words(part.get("text")))


def _hear_call(call: Table, key: int, saying: Saying) -> None:
    function = table(call.get("function"))
    saying.call(
        key,
        id_=words(call.get("id")),
        name=words(function.get("name")),
        arguments=words(function.get("arguments")),
    )


def _hear_end(end: Table, saying: Saying) -> None:
    saying.about(usage=table(end.get("usage")), finish_reason=words(end.get("finish_reason")))


COHERE = Dialect(
    name="cohere",
    title="Cohere chat",
    expected="event: message-end",
    recognises=_recognises,
    hear=_hear,
    ends=_ends,
    hints=(b"message-end",),
    answers=_answers,
    hear_answer=_hear_answer,
)
