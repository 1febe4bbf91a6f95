"""Read answers of Ollama (chat and generate, NDJSON).

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_str
from aquila_cassette.dialects.message import MessageBuilder

_COUNTS = ("prompt_eval_count", "eval_count")


class _Ollama(Dialect):
    name = "ollama"
    title = "Ollama"
    expected = '"done": true'
    answers = ({"done": bool, "message": dict}, {"done": bool, "response": str})
    ends = ("true",)

    def is_terminal(self, event: ProviderEvent) -> bool:
        return event.fields.get("done") is True

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        usage = {name: answer[name] for name in _COUNTS if name in answer}
        reason = answer.get("done_reason")
        builder.set_meta(model=answer.get("model"), usage=usage, finish_reason=reason)
        # Generate says at the top what chat says in a message.
        message = as_dict(answer.get("message")) or answer
        builder.add_reasoning(message.get("thinking"))
        builder.add_text(as_str(message.get("content")) or message.get("response"))
        for call in as_dicts(message.get("tool_calls")):
            # A call comes whole and without a number, so each has a key of its own.
            function = as_dict(call.get("function"))
            given = function.get("arguments") or {}
            builder.add_call(object(), name=function.get("name"), arguments=given)


OLLAMA = _Ollama()
