"""Google's generateContent, of Gemini and of Vertex.

It has no terminal event: a stream is whole when each candidate gave its ``finishReason`` (or the
prompt was blocked) and EOF follows.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect, every_choice_finished
from aquila_cassette.dialects.framing import messages
from aquila_cassette.dialects.lenient import Table, compact, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, Message
    from aquila_cassette.dialects.said import Saying

__all__ = ["GEMINI"]

_FINISH = re.compile(rb'"finishReason"\s*:\s*"[^"]')
_BLOCKED = re.compile(rb'"blockReason"\s*:\s*"[^"]')


def _recognises(message: Message) -> bool:
    return _answers(table(message.json))


def _block_reason(chunk: Table) -> str:
    return words(table(chunk.get("promptFeedback")).get("blockReason"))


def _finished(how: Framing, body: bytes) -> bool:
    if _BLOCKED.search(body) and any(
        _block_reason(table(message.json)) for message in messages(how, body)
    ):
        return True
    return every_choice_finished(
        how, body, choices="candidates", reason="finishReason", mark=_FINISH
    )


def _answers(answer: Table) -> bool:
    return isinstance(answer.get("candidates"), list) or any(
        isinstance(answer.get(name), dict) for name in ("promptFeedback", "usageMetadata")
    )


def _hear(message: Message, saying: Saying) -> None:
    _hear_answer(table(message.json), saying)


def _hear_answer(chunk: Table, saying: Saying) -> None:
    saying.about(
        model=words(chunk.get("modelVersion")),
        usage=table(chunk.get("usageMetadata")),
        finish_reason=_block_reason(chunk),
    )
    for candidate in rows(chunk.get("candidates")):
        if whole(candidate.get("index")) == 0:
            saying.about(finish_reason=words(candidate.get("finishReason")))
            for part in rows(table(candidate.get("content")).get("parts")):
                _hear_part(part, saying)


def _hear_part(part: Table, saying: Saying) -> None:
    text = words(part.get("text"))
    if part.get("thought") is True:
        saying.reasoning(text)
    else:
        saying.text(text)
    if call := table(part.get("functionCall")):
        # A call comes whole and without a number, so each has a key of its own.
        saying.call(
            object(),
            id_=words(call.get("id")),
            name=words(call.get("name")),
            arguments=compact(call.get("args") or {}),
        )


GEMINI = Dialect(
    name="gemini",
    title="Google generateContent",
    expected="a finishReason",
    recognises=_recognises,
    hear=_hear,
    finished=_finished,
    answers=_answers,
    hear_answer=_hear_answer,
)
