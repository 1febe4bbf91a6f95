"""Read answers of Ollama (chat and generate, NDJSON).

Source: https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from __future__ import annotations

from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_str, dump_json
from aquila_cassette.dialects.message import MessageBuilder

_COUNTS = ("prompt_eval_count", "eval_count")


class _Ollama(Dialect):
    name = "ollama"
    title = "Ollama"
    expected = '"done": true'
    answers = ({"done": bool, "message": dict}, {"done": bool, "response": str})
    ends = ({"done": True},)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        builder.set_meta(
            model=as_str(answer.get("model")),
            usage={name: answer[name] for name in _COUNTS if name in answer},
            finish_reason=as_str(answer.get("done_reason")),
        )
        # Generate says at the top what chat says in a message.
        message = as_dict(answer.get("message")) or answer
        builder.add_reasoning(as_str(message.get("thinking")))
        builder.add_text(as_str(message.get("content")) or as_str(message.get("response")))
        for call in as_dicts(message.get("tool_calls")):
            function = as_dict(call.get("function"))
            # A call comes whole and without a number, so each has a key of its own.
            arguments = dump_json(function.get("arguments") or {})
            builder.add_call(object(), name=as_str(function.get("name")), arguments=arguments)


OLLAMA = _Ollama()
