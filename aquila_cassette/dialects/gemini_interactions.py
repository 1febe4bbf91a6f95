"""Google's interactions.

Source: https://ai.google.dev/api/interactions-api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import as_dict, as_int, as_str, dump_json

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import ProviderEvent
    from aquila_cassette.dialects.lenient import Table
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["GEMINI_INTERACTIONS"]


def _type(message: ProviderEvent) -> str:
    return as_str(as_dict(message.json).get("event_type"))


def _recognises(message: ProviderEvent) -> bool:
    return _type(message).startswith(("interaction.", "step.", "content."))


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    event, type_ = as_dict(message.json), _type(message)
    key = as_int(event.get("index"))
    if type_ in ("step.delta", "content.delta"):
        delta = as_dict(event.get("delta"))
        _read_call(delta, key, builder)
        if delta.get("type") == "text":
            builder.add_text(as_str(delta.get("text")))
        elif delta.get("type") == "thought_summary":
            builder.add_reasoning(as_str(as_dict(delta.get("content")).get("text")))
    elif type_ == "step.start":
        _read_call(as_dict(event.get("step")), key, builder)
    elif "interaction" in event:
        interaction = as_dict(event["interaction"])
        builder.set_meta(
            model=as_str(interaction.get("model")),
            usage=as_dict(interaction.get("usage")),
            finish_reason=as_str(interaction.get("status")),
        )


def _read_call(step: Table, key: int, builder: MessageBuilder) -> None:
    if step.get("type") == "function_call":
        given = step.get("arguments")
        builder.set_call(
            key, name=as_str(step.get("name")), arguments=dump_json(given) if given else ""
        )


GEMINI_INTERACTIONS = Dialect(
    name="gemini-interactions",
    title="Google interactions",
    expected="data: [DONE]",
    recognises=_recognises,
    read_event=_read_event,
)
