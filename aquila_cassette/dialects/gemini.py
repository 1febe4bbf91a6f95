"""Read answers of Google (generateContent, interactions).

`generateContent` has no terminal event: a stream is complete when each candidate gave its
``finishReason`` (or the prompt was blocked) and EOF follows.

Source: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/interactions-api
"""

from __future__ import annotations

import re

from aquila_cassette.dialects.dialect import Dialect, every_choice_finished
from aquila_cassette.dialects.framing import Framing, ProviderEvent, read_events
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str, dump_json
from aquila_cassette.dialects.message import MessageBuilder

_BLOCKED = re.compile(rb'"blockReason"\s*:\s*"[^"]')


class _GenerateContent(Dialect):
    name = "gemini"
    title = "Google generateContent"
    expected = "a finishReason"
    answers = ({"candidates": list}, {"promptFeedback": dict}, {"usageMetadata": dict})

    def is_complete_at_eof(self, how: Framing, body: bytes) -> bool:
        if _BLOCKED.search(body) and any(
            _block_reason(event.fields) for event in read_events(how, body)
        ):
            return True
        return every_choice_finished(how, body, choices="candidates", reason="finishReason")

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        builder.set_meta(
            model=as_str(answer.get("modelVersion")),
            usage=as_dict(answer.get("usageMetadata")),
            finish_reason=_block_reason(answer),
        )
        for candidate in as_dicts(answer.get("candidates")):
            if as_int(candidate.get("index")) == 0:
                builder.set_meta(finish_reason=as_str(candidate.get("finishReason")))
                for part in as_dicts(as_dict(candidate.get("content")).get("parts")):
                    _read_part(part, builder)


def _block_reason(answer: Table) -> str:
    return as_str(as_dict(answer.get("promptFeedback")).get("blockReason"))


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
                builder.add_text(as_str(delta.get("text")))
            elif delta.get("type") == "thought_summary":
                builder.add_reasoning(as_str(as_dict(delta.get("content")).get("text")))
        elif type_ == "step.start":
            _read_call(as_dict(fields.get("step")), key, builder)
        elif "interaction" in fields:
            interaction = as_dict(fields["interaction"])
            builder.set_meta(
                model=as_str(interaction.get("model")),
                usage=as_dict(interaction.get("usage")),
                finish_reason=as_str(interaction.get("status")),
            )


def _read_call(step: Table, key: int, builder: MessageBuilder) -> None:
    if step.get("type") == "function_call":
        given = step.get("arguments")
        arguments = dump_json(given) if given else ""
        builder.set_call(key, name=as_str(step.get("name")), arguments=arguments)


GEMINI = _GenerateContent()
GEMINI_INTERACTIONS = _Interactions()
