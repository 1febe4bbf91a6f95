"""Ollama's own chat and generate, streamed as NDJSON.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, compact, rows, table, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Message
    from aquila_cassette.dialects.said import Saying

__all__ = ["OLLAMA"]

_COUNTS = ("prompt_eval_count", "eval_count")


def _recognises(message: Message) -> bool:
    return _answers(table(message.json))


def _ends(message: Message) -> bool:
    return table(message.json).get("done") is True


def _answers(answer: Table) -> bool:
    return isinstance(answer.get("done"), bool) and (
        isinstance(answer.get("message"), dict) or isinstance(answer.get("response"), str)
    )


def _hear(message: Message, saying: Saying) -> None:
    _hear_answer(table(message.json), saying)


def _hear_answer(answer: Table, saying: Saying) -> None:
    saying.about(
        model=words(answer.get("model")),
        usage={name: answer[name] for name in _COUNTS if name in answer},
        finish_reason=words(answer.get("done_reason")),
    )
    # Generate says at the top what chat says in a message.
    spoken = table(answer.get("message")) or answer
    saying.reasoning(words(spoken.get("thinking")))
    saying.text(words(spoken.get("content")) or words(spoken.get("response")))
    for call in rows(spoken.get("tool_calls")):
        function = table(call.get("function"))
        # A call comes whole and without a number, so each has a key of its own.
        saying.call(
            object(),
            name=words(function.get("name")),
            arguments=compact(function.get("arguments") or {}),
        )


OLLAMA = Dialect(
    name="ollama",
    title="Ollama",
    expected='"done": true',
    recognises=_recognises,
    hear=_hear,
    ends=_ends,
    hints=(b"true",),
    answers=_answers,
    hear_answer=_hear_answer,
)
