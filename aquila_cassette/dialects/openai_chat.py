"""OpenAI's chat completions and the many servers that speak them; the older completions too.

Mistral's answers, whose content may be a list of parts, are read here as well. Some servers
(Hugging Face, Perplexity, Writer) never send ``[DONE]``: there a ``finish_reason`` is the end.

Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette.dialects.dialect import Dialect, every_choice_finished
from aquila_cassette.dialects.lenient import Table, rows, table, whole, words

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, Message
    from aquila_cassette.dialects.said import Saying

__all__ = ["OPENAI_CHAT"]

_OBJECTS = ("chat.completion.chunk", "chat.completion", "text_completion")
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"[^"]')


def _recognises(message: Message) -> bool:
    chunk = table(message.json)
    return chunk.get("object") in _OBJECTS or isinstance(chunk.get("choices"), list)


def _finished(how: Framing, body: bytes) -> bool:
    return every_choice_finished(how, body, choices="choices", reason="finish_reason", mark=_FINISH)


def _answers(answer: Table) -> bool:
    return isinstance(answer.get("choices"), list)


def _hear(message: Message, saying: Saying) -> None:
    _hear_answer(table(message.json), saying)


def _hear_answer(chunk: Table, saying: Saying) -> None:
    # Groq gives its counts beside OpenAI's fields.
    counts = table(chunk.get("usage")) or table(table(chunk.get("x_groq")).get("usage"))
    saying.about(model=words(chunk.get("model")), usage=counts)
    for choice in rows(chunk.get("choices")):
        if whole(choice.get("index")) == 0:
            _hear_choice(choice, saying)


def _hear_choice(choice: Table, saying: Saying) -> None:
    saying.about(finish_reason=words(choice.get("finish_reason")))
    # Perplexity and Writer send the whole message so far beside each delta.
    spoken = choice.get("delta", choice.get("message"))
    if not isinstance(spoken, dict):
        saying.text(words(choice.get("text")))
        return
    _hear_reasoning(spoken, saying)
    saying.text(words(spoken.get("content")))
    for part in rows(spoken.get("content")):
        _hear_part(part, saying)
    saying.refusal(words(spoken.get("refusal")))
    for place, call in enumerate(rows(spoken.get("tool_calls"))):
        _hear_call(call, whole(call.get("index"), place), saying)
    if legacy := table(spoken.get("function_call")):
        _hear_call({"function": legacy}, 0, saying)


def _hear_reasoning(spoken: Table, saying: Saying) -> None:
    # Servers name it one way or the other; a few send both, alike.
    thought = words(spoken.get("reasoning_content")) or words(spoken.get("reasoning"))
    if not thought:
        details = rows(spoken.get("reasoning_details"))
        thought = "".join(words(row.get("text")) or words(row.get("summary")) for row in details)
    saying.reasoning(thought)


def _hear_part(part: Table, saying: Saying) -> None:
    if part.get("type") in ("thinking", "reasoning"):
        thoughts = part.get("thinking") or part.get("summary")
        saying.reasoning(words(thoughts))
        for thought in rows(thoughts):
            saying.reasoning(words(thought.get("text")))
    else:
        saying.text(words(part.get("text")))


def _hear_call(call: Table, key: int, saying: Saying) -> None:
    function = table(call.get("function")) or table(call.get("custom"))
    saying.call(
        key,
        id_=words(call.get("id")),
        name=words(function.get("name")),
        arguments=words(function.get("arguments")) or words(function.get("input")),
    )


OPENAI_CHAT = Dialect(
    name="openai-chat",
    title="OpenAI chat completions",
    expected="data: [DONE]",
    recognises=_recognises,
    hear=_hear,
    finished=_finished,
    answers=_answers,
    hear_answer=_hear_answer,
)
