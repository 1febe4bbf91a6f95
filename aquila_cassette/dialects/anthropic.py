"""Anthropic's messages, and its older text completions.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import messages
from aquila_cassette.dialects.lenient import Table, compact, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, Message
    from aquila_cassette.dialects.said import Saying

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


def _recognises(message: Message) -> bool:
    return table(message.json).get("type") in _TYPES


def _ends(message: Message) -> bool:
    return table(message.json).get("type") == "message_stop"


def _answers(answer: Table) -> bool:
    return answer.get("type") == "message" and isinstance(answer.get("content"), list)


def _hear(message: Message, saying: Saying) -> None:
    event = table(message.json)
    type_ = event.get("type")
    key = whole(event.get("index"))
    if type_ == "message_start":
        _hear_answer(table(event.get("message")), saying)
    elif type_ == "content_block_start":
        _hear_block(table(event.get("content_block")), key, saying)
    elif type_ == "content_block_delta":
        delta = table(event.get("delta"))
        saying.text(words(delta.get("text")))
        saying.reasoning(words(delta.get("thinking")))
        if chunk := words(delta.get("partial_json")):
            saying.call(key, arguments=chunk)
    elif type_ == "message_delta":
        reason = words(table(event.get("delta")).get("stop_reason"))
        saying.about(usage=table(event.get("usage")), finish_reason=reason)


def _hear_answer(answer: Table, saying: Saying) -> None:
    saying.about(
        model=words(answer.get("model")),
        usage=table(answer.get("usage")),
        finish_reason=words(answer.get("stop_reason")),
    )
    for key, block in enumerate(rows(answer.get("content"))):
        _hear_block(block, key, saying)


def _hear_block(block: Table, key: int, saying: Saying) -> None:
    if block.get("type") in _CALLS:
        # A stream begins with an empty input, whose JSON text then follows in deltas.
        given = block.get("input")
        saying.call(
            key,
            id_=words(block.get("id")),
            name=words(block.get("name")),
            arguments=compact(given) if given else "",
        )
    elif block.get("type") == "text":
        saying.text(words(block.get("text")))
    elif block.get("type") == "thinking":
        saying.reasoning(words(block.get("thinking")))


def _completes(answer: Table) -> bool:
    return isinstance(answer.get("completion"), str) and "stop_reason" in answer


def _recognises_completion(message: Message) -> bool:
    return _completes(table(message.json))


def _completion_finished(how: Framing, body: bytes) -> bool:
    return bool(_STOP.search(body)) and any(
        words(table(message.json).get("stop_reason")) for message in messages(how, body)
    )


def _hear_completion(message: Message, saying: Saying) -> None:
    _hear_completed(table(message.json), saying)


def _hear_completed(answer: Table, saying: Saying) -> None:
    saying.text(words(answer.get("completion")))
    saying.about(model=words(answer.get("model")), finish_reason=words(answer.get("stop_reason")))


ANTHROPIC = Dialect(
    name="anthropic",
    title="Anthropic messages",
    expected="event: message_stop",
    recognises=_recognises,
    hear=_hear,
    ends=_ends,
    hints=(b"message_stop",),
    answers=_answers,
    hear_answer=_hear_answer,
)

ANTHROPIC_COMPLETE = Dialect(
    name="anthropic-complete",
    title="Anthropic text completions",
    expected="a stop_reason",
    recognises=_recognises_completion,
    hear=_hear_completion,
    finished=_completion_finished,
    answers=_completes,
    hear_answer=_hear_completed,
)
