"""Ollama's own chat and generate, streamed as NDJSON.

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_str, dump_json

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["OLLAMA"]

_COUNTS = ("prompt_eval_count", "eval_count")


def _recognises(message: ProviderEvent) -> bool:
    return _is_answer(as_dict(message.json))


def _is_terminal(message: ProviderEvent) -> bool:
    return as_dict(message.json).get("done") is True


def _is_answer(answer: Table) -> bool:
    return isinstance(answer.get("done"), bool) and (
        isinstance(answer.get("message"), dict) or isinstance(answer.get("response"), str)
    )


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    _read_answer(as_dict(message.json), builder)


def _read_answer(answer: Table, builder: MessageBuilder) -> None:
    builder.set_meta(
        model=as_str(answer.get("model")),
        usage={name: answer[name] for name in _COUNTS if name in answer},
        finish_reason=as_str(answer.get("done_reason")),
    )
    # Generate says at the top what chat says in a message.
    spoken = as_dict(answer.get("message")) or answer
    builder.add_reasoning(as_str(spoken.get("thinking")))
    builder.add_text(as_str(spoken.get("content")) or as_str(spoken.get("response")))
    for call in as_dicts(spoken.get("tool_calls")):
        function = as_dict(call.get("function"))
        # A call comes whole and without a number, so each has a key of its own.
        builder.add_call(
            object(),
            name=as_str(function.get("name")),
            arguments=dump_json(function.get("arguments") or {}),
        )


OLLAMA = Dialect(
    name="ollama",
    title="Ollama",
    expected='"done": true',
    recognises=_recognises,
    read_event=_read_event,
    is_terminal=_is_terminal,
    hints=(b"true",),
    is_answer=_is_answer,
    read_answer=_read_answer,
)
