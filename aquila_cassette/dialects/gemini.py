"""Google's generateContent, of Gemini and of Vertex.

It has no terminal event: a stream is whole when each candidate gave its ``finishReason`` (or the
prompt was blocked) and EOF follows.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect, every_choice_finished
from aquila_cassette.dialects.framing import read_events
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str, dump_json

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["GEMINI"]

_FINISH = re.compile(rb'"finishReason"\s*:\s*"[^"]')
_BLOCKED = re.compile(rb'"blockReason"\s*:\s*"[^"]')


def _recognises(message: ProviderEvent) -> bool:
    return _is_answer(as_dict(message.json))


def _block_reason(chunk: Table) -> str:
    return as_str(as_dict(chunk.get("promptFeedback")).get("blockReason"))


def _is_complete(how: Framing, body: bytes) -> bool:
    if _BLOCKED.search(body) and any(
        _block_reason(as_dict(message.json)) for message in read_events(how, body)
    ):
        return True
    return every_choice_finished(
        how, body, choices="candidates", reason="finishReason", mark=_FINISH
    )


def _is_answer(answer: Table) -> bool:
    return isinstance(answer.get("candidates"), list) or any(
        isinstance(answer.get(name), dict) for name in ("promptFeedback", "usageMetadata")
    )


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    _read_answer(as_dict(message.json), builder)


def _read_answer(chunk: Table, builder: MessageBuilder) -> None:
    builder.set_meta(
        model=as_str(chunk.get("modelVersion")),
        usage=as_dict(chunk.get("usageMetadata")),
        finish_reason=_block_reason(chunk),
    )
    for candidate in as_dicts(chunk.get("candidates")):
        if as_int(candidate.get("index")) == 0:
            builder.set_meta(finish_reason=as_str(candidate.get("finishReason")))
            for part in as_dicts(as_dict(candidate.get("content")).get("parts")):
                _read_part(part, builder)


def _read_part(part: Table, builder: MessageBuilder) -> None:
    text = as_str(part.get("text"))
    if part.get("thought") is True:
        builder.add_reasoning(text)
    else:
        builder.add_text(text)
    if call := as_dict(part.get("functionCall")):
        # A call comes whole and without a number, so each has a key of its own.
        builder.add_call(
            object(),
            id_=as_str(call.get("id")),
            name=as_str(call.get("name")),
            arguments=dump_json(call.get("args") or {}),
        )


GEMINI = Dialect(
    name="gemini",
    title="Google generateContent",
    expected="a finishReason",
    recognises=_recognises,
    read_event=_read_event,
    is_complete_at_eof=_is_complete,
    is_answer=_is_answer,
    read_answer=_read_answer,
)
