"""Read answers of Google (generateContent, interactions).

`generateContent` has no terminal event: a stream is complete when each candidate gave its
``finishReason`` (or the prompt was blocked) and EOF follows.

Source: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/interactions-api
"""

from __future__ import annotations

from collections.abc import Iterator

from aquila_cassette.dialects.dialect import Dialect, has_every_choice_finished
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str
from aquila_cassette.dialects.message import MessageBuilder


class _GenerateContent(Dialect):
    name = "gemini"
    title = "Google generateContent"
    expected = "a finishReason"
    answers = ({"candidates": list}, {"promptFeedback": dict}, {"usageMetadata": dict})

    def is_complete_at_eof(self, events: Iterator[ProviderEvent]) -> bool:
        all_ = list(events)
        return any(_block_reason(event.fields) for event in all_) or has_every_choice_finished(
            all_, choices="candidates", reason="finishReason"
        )

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        model, usage = answer.get("modelVersion"), answer.get("usageMetadata")
        builder.set_meta(model=model, usage=usage, finish_reason=_block_reason(answer))
        for candidate in as_dicts(answer.get("candidates")):
            if as_int(candidate.get("index")) == 0:
                builder.set_meta(finish_reason=candidate.get("finishReason"))
                for part in as_dicts(as_dict(candidate.get("content")).get("parts")):
                    _read_part(part, builder)


def _block_reason(answer: Table) -> str:
    return as_str(as_dict(answer.get("promptFeedback")).get("blockReason"))


def _read_part(part: Table, builder: MessageBuilder) -> None:
    add = builder.add_reasoning if part.get("thought") is True else builder.add_text
    add(part.get("text"))
    if call := as_dict(part.get("functionCall")):
        # A call comes whole and without a number, so each has a key of its own.
        given = call.get("args") or {}
        builder.add_call(object(), id_=call.get("id"), name=call.get("name"), arguments=given)


class _Interactions(Dialect):
    name = "gemini-interactions"
    title = "Google interactions"
    expected = "data: [DONE]"
    events = ({"event_type": ("interaction.", "step.", "content.")},)

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        fields = event.fields
        type_ = fields.get("event_type")
        key = as_int(fields.get("index"))
        if type_ in ("step.delta", "content.delta"):
            delta = as_dict(fields.get("delta"))
            _read_call(delta, key, builder)
            if delta.get("type") == "text":
                builder.add_text(delta.get("text"))
            elif delta.get("type") == "thought_summary":
                builder.add_reasoning(as_dict(delta.get("content")).get("text"))
        elif type_ == "step.start":
            _read_call(as_dict(fields.get("step")), key, builder)
        else:
            end = as_dict(fields.get("interaction"))
            model, usage, status = end.get("model"), end.get("usage"), end.get("status")
            builder.set_meta(model=model, usage=usage, finish_reason=status)


def _read_call(step: Table, key: int, builder: MessageBuilder) -> None:
    if step.get("type") == "function_call":
        builder.set_call(key, name=step.get("name"), arguments=step.get("arguments") or "")


GEMINI = _GenerateContent()
GEMINI_INTERACTIONS = _Interactions()
