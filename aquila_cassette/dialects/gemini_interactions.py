"""Google's interactions.

Source: https://ai.google.dev/api/interactions-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import compact, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Message
    from aquila_cassette.dialects.lenient import Table
    from aquila_cassette.dialects.said import Saying

__all__ = ["GEMINI_INTERACTIONS"]


def _type(message: Message) -> str:
    return words(table(message.json).get("event_type"))


def _recognises(message: Message) -> bool:
    return _type(message).startswith(("interaction.", "step.", "content."))


def _hear(message: Message, saying: Saying) -> None:
    event, type_ = table(message.json), _type(message)
    key = whole(event.get("index"))
    if type_ in ("step.delta", "content.delta"):
        delta = table(event.get("delta"))
        _hear_call(delta, key, saying)
        if delta.get("type") == "text":
            saying.text(words(delta.get("text")))
        elif delta.get("type") == "thought_summary":
            saying.reasoning(words(table(delta.get("content")).get("text")))
    elif type_ == "step.start":
        _hear_call(table(event.get("step")), key, saying)
    elif "interaction" in event:
        interaction = table(event["interaction"])
        saying.about(
            model=words(interaction.get("model")),
            usage=table(interaction.get("usage")),
            finish_reason=words(interaction.get("status")),
        )


def _hear_call(step: Table, key: int, saying: Saying) -> None:
    if step.get("type") == "function_call":
        given = step.get("arguments")
        saying.settle(key, name=words(step.get("name")), arguments=compact(given) if given else "")


GEMINI_INTERACTIONS = Dialect(
    name="gemini-interactions",
    title="Google interactions",
    expected="data: [DONE]",
    recognises=_recognises,
    hear=_hear,
)
