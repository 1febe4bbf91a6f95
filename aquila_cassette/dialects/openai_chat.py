"""OpenAI's chat completions and the many servers that speak them; the older completions too.

Mistral's answers, whose content may be a list of parts, are read here as well. Some servers
(Hugging Face, Perplexity, Writer) never send ``[DONE]``: there a ``finish_reason`` is the end.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect, every_choice_finished
from aquila_cassette.dialects.lenient import Table, as_dict, as_dicts, as_int, as_str

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, ProviderEvent
    from aquila_cassette.dialects.message import MessageBuilder

__all__ = ["OPENAI_CHAT"]

_OBJECTS = ("chat.completion.chunk", "chat.completion", "text_completion")
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"[^"]')


def _recognises(message: ProviderEvent) -> bool:
    chunk = as_dict(message.json)
    return chunk.get("object") in _OBJECTS or isinstance(chunk.get("choices"), list)


def _is_complete(how: Framing, body: bytes) -> bool:
    return every_choice_finished(how, body, choices="choices", reason="finish_reason", mark=_FINISH)


def _is_answer(answer: Table) -> bool:
    return isinstance(answer.get("choices"), list)


def _read_event(message: ProviderEvent, builder: MessageBuilder) -> None:
    _read_answer(as_dict(message.json), builder)


def _read_answer(chunk: Table, builder: MessageBuilder) -> None:
    # Groq gives its counts beside OpenAI's fields.
    counts = as_dict(chunk.get("usage")) or as_dict(as_dict(chunk.get("x_groq")).get("usage"))
    builder.set_meta(model=as_str(chunk.get("model")), usage=counts)
    for choice in as_dicts(chunk.get("choices")):
        if as_int(choice.get("index")) == 0:
            _read_choice(choice, builder)


def _read_choice(choice: Table, builder: MessageBuilder) -> None:
    builder.set_meta(finish_reason=as_str(choice.get("finish_reason")))
    # Perplexity and Writer send the whole message so far beside each delta.
    spoken = choice.get("delta", choice.get("message"))
    if not isinstance(spoken, dict):
        builder.add_text(as_str(choice.get("text")))
        return
    _read_reasoning(spoken, builder)
    builder.add_text(as_str(spoken.get("content")))
    for part in as_dicts(spoken.get("content")):
        _read_part(part, builder)
    builder.add_refusal(as_str(spoken.get("refusal")))
    for place, call in enumerate(as_dicts(spoken.get("tool_calls"))):
        _read_call(call, as_int(call.get("index"), place), builder)
    if legacy := as_dict(spoken.get("function_call")):
        _read_call({"function": legacy}, 0, builder)


def _read_reasoning(spoken: Table, builder: MessageBuilder) -> None:
    # Servers name it one way or the other; a few send both, alike.
    thought = as_str(spoken.get("reasoning_content")) or as_str(spoken.get("reasoning"))
    if not thought:
        details = as_dicts(spoken.get("reasoning_details"))
        thought = "".join(as_str(row.get("text")) or as_str(row.get("summary")) for row in details)
    builder.add_reasoning(thought)


def _read_part(part: Table, builder: MessageBuilder) -> None:
    if part.get("type") in ("thinking", "reasoning"):
        thoughts = part.get("thinking") or part.get("summary")
        builder.add_reasoning(as_str(thoughts))
        for thought in as_dicts(thoughts):
            builder.add_reasoning(as_str(thought.get("text")))
    else:
        builder.add_text(as_str(part.get("text")))


def _read_call(call: Table, key: int, builder: MessageBuilder) -> None:
    function = as_dict(call.get("function")) or as_dict(call.get("custom"))
    builder.add_call(
        key,
        id_=as_str(call.get("id")),
        name=as_str(function.get("name")),
        arguments=as_str(function.get("arguments")) or as_str(function.get("input")),
    )


OPENAI_CHAT = Dialect(
    name="openai-chat",
    title="OpenAI chat completions",
    expected="data: [DONE]",
    recognises=_recognises,
    read_event=_read_event,
    is_complete_at_eof=_is_complete,
    is_answer=_is_answer,
    read_answer=_read_answer,
)
