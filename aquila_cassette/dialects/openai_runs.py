"""The runs of OpenAI's assistants.

Source: https://platform.openai.com/docs/api-reference/assistants-streaming
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["OPENAI_RUNS"]


def _recognises(message: ProviderEvent) -> bool:
    return message.type.startswith("thread.")


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    event = as_dict(message.json)
    delta = as_dict(event.get("delta"))
    if message.type == "thread.message.delta":
        for part in as_dicts(delta.get("content")):
            builder.add_text(as_str(as_dict(part.get("text")).get("value")))
            builder.add_refusal(as_str(part.get("refusal")))
    elif message.type == "thread.run.step.delta":
        for call in as_dicts(as_dict(delta.get("step_details")).get("tool_calls")):
            _read_call(call, as_str(event.get("id")), builder)
    elif event.get("object") == "thread.run":
        builder.set_meta(
            model=as_str(event.get("model")),
            usage=as_dict(event.get("usage")),
            finish_reason=as_str(event.get("status")),
        )
        builder.set_error(as_str(as_dict(event.get("last_error")).get("message")))


def _read_call(call: Table, step: str, builder: MessageBuilder) -> None:
    type_ = as_str(call.get("type"))
    details = as_dict(call.get(type_))
    builder.add_call(
        (step, as_int(call.get("index"))),
        name=as_str(details.get("name")) or type_,
        arguments=as_str(details.get("arguments")) or as_str(details.get("input")),
    )


OPENAI_RUNS = Dialect(
    name="openai-runs",
    title="OpenAI assistant runs",
    expected="data: [DONE]",
    recognises=_recognises,
    read_event=_read_event,
)
