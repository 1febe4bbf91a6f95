"""Write requests to Anthropic (messages).

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Sequence

from aquila_cassette.client.endpoints import (
    Endpoint,
    ModelRequest,
    ProviderAccount,
    functions,
    split_instructions,
)
from aquila_cassette.client.tools import ToolRun
from aquila_cassette.dialects.anthropic import ANTHROPIC as DIALECT
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str, load_json
from aquila_cassette.dialects.message import ModelToolCall

# The provider insists on a limit; every model that it serves can answer this much.
_MAX_TOKENS = 4096


def _headers(key: str) -> dict[str, str]:
    return {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})


ANTHROPIC = ProviderAccount("anthropic", "https://api.anthropic.com", _headers)


def _body(request: ModelRequest) -> Table:
    system, messages = split_instructions(request)
    return {
        "model": request.model,
        "max_tokens": request.max_tokens or _MAX_TOKENS,
        "system": system or None,
        "messages": messages,
        "stream": True,
        "tools": functions(request, "input_schema") or None,
    }


def _answer(objects: list[Table], _text: str, _calls: Sequence[ModelToolCall]) -> list[Table]:
    blocks: dict[int, Table] = {}
    inputs: dict[int, str] = {}
    for part in objects:
        index = as_int(part.get("index"))
        if part.get("type") == "message":
            blocks.update(enumerate(as_dicts(part.get("content"))))
        elif part.get("type") == "content_block_start":
            blocks[index] = dict(as_dict(part.get("content_block")))
        elif part.get("type") == "content_block_delta" and index in blocks:
            block, delta = blocks[index], as_dict(part.get("delta"))
            for name in ("text", "thinking", "signature"):
                if chunk := as_str(delta.get(name)):
                    block[name] = as_str(block.get(name)) + chunk
            if citation := delta.get("citation"):
                block["citations"] = [*as_dicts(block.get("citations")), citation]
            inputs[index] = inputs.get(index, "") + as_str(delta.get("partial_json"))
    for index, given in inputs.items():
        if given:
            # What is no object cannot be sent again; the tool's result says what was wrong.
            blocks[index]["input"] = as_dict(load_json(given))
    # The provider refuses an empty text block.
    content = [
        block
        for _, block in sorted(blocks.items())
        if block.get("type") != "text" or block.get("text")
    ]
    return [{"role": "assistant", "content": content}] if content else []


def _results(runs: Sequence[ToolRun]) -> list[Table]:
    blocks = [
        {"type": "tool_result", "tool_use_id": one.id, "content": one.result}
        | ({"is_error": True} if one.failed else {})
        for one in runs
    ]
    return [{"role": "user", "content": blocks}]


def _response_id(part: Table) -> str:
    message = part if part.get("type") == "message" else as_dict(part.get("message"))
    return as_str(message.get("id"))


MESSAGES = Endpoint(
    name="messages",
    provider=ANTHROPIC,
    dialect=DIALECT,
    path=lambda _request: "/v1/messages",
    body=_body,
    answer_messages=_answer,
    result_messages=_results,
    response_id=_response_id,
    completions=frozenset({"end_turn", "stop_sequence", "tool_use"}),
    refusals=frozenset({"refusal"}),
)
