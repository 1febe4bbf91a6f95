"""Bedrock's converse, streamed as Amazon's binary event stream.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import messages
from aquila_cassette.dialects.lenient import Table, compact, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, Message
    from aquila_cassette.dialects.said import Saying

__all__ = ["BEDROCK"]

_EVENTS = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
)


def _recognises(message: Message) -> bool:
    return message.event in _EVENTS


def _ends(message: Message) -> bool:
    return message.event == "metadata"


def _finished(how: Framing, body: bytes) -> bool:
    return any(message.event == "messageStop" for message in messages(how, body))


def _answers(answer: Table) -> bool:
    return "stopReason" in answer and isinstance(answer.get("output"), dict)


def _hear(message: Message, saying: Saying) -> None:
    event = table(message.json)
    key = whole(event.get("contentBlockIndex"))
    if call := table(table(event.get("start")).get("toolUse")):
        saying.call(key, id_=words(call.get("toolUseId")), name=words(call.get("name")))
    delta = table(event.get("delta"))
    saying.text(words(delta.get("text")))
    saying.reasoning(words(table(delta.get("reasoningContent")).get("text")))
    if arguments := words(table(delta.get("toolUse")).get("input")):
        saying.call(key, arguments=arguments)
    _hear_about(event, saying)


def _hear_answer(answer: Table, saying: Saying) -> None:
    spoken = table(table(answer.get("output")).get("message"))
    for key, part in enumerate(rows(spoken.get("content"))):
        thought = table(table(part.get("reasoningContent")).get("reasoningText"))
        saying.reasoning(words(thought.get("text")))
        saying.text(words(part.get("text")))
        if call := table(part.get("toolUse")):
            saying.call(
                key,
                id_=words(call.get("toolUseId")),
                name=words(call.get("name")),
                arguments=compact(call.get("input") or {}),
            )
    _hear_about(answer, saying)


def _hear_about(event: Table, saying: Saying) -> None:
    saying.about(usage=table(event.get("usage")), finish_reason=words(event.get("stopReason")))


BEDROCK = Dialect(
    name="bedrock",
    title="Bedrock converse",
    expected="event: metadata",
    recognises=_recognises,
    hear=_hear,
    ends=_ends,
    hints=(b"metadata",),
    finished=_finished,
    answers=_answers,
    hear_answer=_hear_answer,
)
