"""The runs of OpenAI's assistants.

Source: https://platform.openai.com/docs/api-reference/assistants-streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Message
    from aquila_cassette.dialects.said import Saying

__all__ = ["OPENAI_RUNS"]


def _recognises(message: Message) -> bool:
    return message.event.startswith("thread.")


def _hear(message: Message, saying: Saying) -> None:
    event = table(message.json)
    delta = table(event.get("delta"))
    if message.event == "thread.message.delta":
        for part in rows(delta.get("content")):
            saying.text(words(table(part.get("text")).get("value")))
            saying.refusal(words(part.get("refusal")))
    elif message.event == "thread.run.step.delta":
        for call in rows(table(delta.get("step_details")).get("tool_calls")):
            _hear_call(call, words(event.get("id")), saying)
    elif event.get("object") == "thread.run":
        saying.about(
            model=words(event.get("model")),
            usage=table(event.get("usage")),
            finish_reason=words(event.get("status")),
        )
        saying.error(words(table(event.get("last_error")).get("message")))


def _hear_call(call: Table, step: str, saying: Saying) -> None:
    type_ = words(call.get("type"))
    details = table(call.get(type_))
    saying.call(
        (step, whole(call.get("index"))),
        name=words(details.get("name")) or type_,
        arguments=words(details.get("arguments")) or words(details.get("input")),
    )


OPENAI_RUNS = Dialect(
    name="openai-runs",
    title="OpenAI assistant runs",
    expected="data: [DONE]",
    recognises=_recognises,
    hear=_hear,
)
