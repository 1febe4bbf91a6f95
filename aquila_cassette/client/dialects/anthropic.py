"""Anthropic's messages.

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.client.dialects.ask import extended
from aquila_cassette.client.dialects.endpoint import Endpoint, Provider
from aquila_cassette.client.dialects.roles import instructions_of, without_instructions
from aquila_cassette.dialects.anthropic import ANTHROPIC as DIALECT
from aquila_cassette.dialects.lenient import as_dict, as_dicts, as_int, as_str, load_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.client.dialects.ask import Ask, Outcome
    from aquila_cassette.dialects.message import IdentifiedToolCall

__all__ = ["ANTHROPIC", "MESSAGES"]

# The provider insists on a limit; every model it serves can say this much.
_MAX_TOKENS = 4096
_GROWING = {"text": "text", "thinking": "thinking", "signature": "signature"}


def _headers(key: str) -> dict[str, str]:
    return {"anthropic-version": "2023-06-01"} | ({"x-api-key": key} if key else {})


ANTHROPIC = Provider("anthropic", "ANTHROPIC", "https://api.anthropic.com", _headers)


def _body(ask: Ask) -> dict[str, Any]:
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
        for tool in ask.tools
    ]
    body = {
        "model": ask.model,
        "max_tokens": ask.max_tokens or _MAX_TOKENS,
        "system": instructions_of(ask) or None,
        "messages": without_instructions(ask),
        "stream": True,
        "tools": tools or None,
    }
    return extended(body, ask.extra_body)


class _Turn:
    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, str] = {}

    def take(self, message: dict[str, Any]) -> None:
        key = as_int(message.get("index"))
        if message.get("type") == "content_block_start":
            self._blocks[key] = dict(as_dict(message.get("content_block")))
        elif message.get("type") == "content_block_delta" and key in self._blocks:
            self._grow(key, as_dict(message.get("delta")))
        elif message.get("type") == "message":
            self._blocks.update(enumerate(as_dicts(message.get("content"))))

    def _grow(self, key: int, delta: dict[str, Any]) -> None:
        block = self._blocks[key]
        for given, name in _GROWING.items():
            if chunk := as_str(delta.get(given)):
                block[name] = as_str(block.get(name)) + chunk
        if citation := delta.get("citation"):
            block["citations"] = [*as_dicts(block.get("citations")), citation]
        self._inputs[key] = self._inputs.get(key, "") + as_str(delta.get("partial_json"))

    def messages(self, text: str, calls: Sequence[IdentifiedToolCall]) -> list[dict[str, Any]]:
        for key, given in self._inputs.items():
            if given:
                # What is no object cannot be sent again; the tool's result tells the model of it.
                self._blocks[key]["input"] = as_dict(load_json(given))
        # An empty text block is refused when it comes back.
        blocks = [
            block
            for _, block in sorted(self._blocks.items())
            if block.get("type") != "text" or block.get("text")
        ]
        return [{"role": "assistant", "content": blocks}] if blocks else []


def _results(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    blocks = [
        {"type": "tool_result", "tool_use_id": one.id, "content": one.result}
        | ({"is_error": True} if one.failed else {})
        for one in outcomes
    ]
    return [{"role": "user", "content": blocks}]


def _id_of(message: dict[str, Any]) -> str:
    if message.get("type") == "message":
        return as_str(message.get("id"))
    return as_str(as_dict(message.get("message")).get("id"))


MESSAGES = Endpoint(
    name="messages",
    provider=ANTHROPIC,
    dialect=DIALECT,
    path=lambda _ask: "/v1/messages",
    body=_body,
    turn=_Turn,
    results=_results,
    id_of=_id_of,
    completions=frozenset({"end_turn", "stop_sequence", "tool_use"}),
    refusals=frozenset({"refusal"}),
)
