"""OpenAI's responses.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.client.dialects.ask import extended
from aquila_cassette.client.dialects.endpoint import Endpoint
from aquila_cassette.client.dialects.openai_chat import OPENAI
from aquila_cassette.dialects.lenient import as_dict, as_dicts, as_str
from aquila_cassette.dialects.openai_responses import OPENAI_RESPONSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.client.dialects.ask import Ask, Outcome
    from aquila_cassette.dialects.message import IdentifiedToolCall

__all__ = ["RESPONSES"]


def _body(ask: Ask) -> dict[str, Any]:
    tools = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": False,
        }
        for tool in ask.tools
    ]
    body = {
        "model": ask.model,
        "input": list(ask.messages),
        "instructions": ask.instructions,
        "stream": True,
        "store": ask.store,
        "tools": tools or None,
        "max_output_tokens": ask.max_tokens,
        "previous_response_id": ask.previous_response_id,
    }
    return extended(body, ask.extra_body)


class _Turn:
    def __init__(self) -> None:
        self._items: list[dict[str, Any]] = []

    def take(self, message: dict[str, Any]) -> None:
        if message.get("type") == "response.output_item.done":
            self._items.append(as_dict(message.get("item")))
        elif not self._items:
            response = as_dict(message.get("response")) or message
            self._items.extend(as_dicts(response.get("output")))

    def messages(self, text: str, calls: Sequence[IdentifiedToolCall]) -> list[dict[str, Any]]:
        kept = [again for item in self._items if (again := _again(item))]
        if kept:
            return kept
        spoken: list[dict[str, Any]] = [{"role": "assistant", "content": text}] if text else []
        return spoken + [
            {
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
            }
            for call in calls
        ]


def _again(item: dict[str, Any]) -> dict[str, Any] | None:
    """Give an output item as input: ids of what is not stored would not be found."""
    if item.get("type") == "reasoning":
        return item if item.get("encrypted_content") else None
    return {name: value for name, value in item.items() if name not in ("id", "status")}


def _results(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {"type": "function_call_output", "call_id": one.id, "output": one.result}
        for one in outcomes
    ]


def _id_of(message: dict[str, Any]) -> str:
    if message.get("object") == "response":
        return as_str(message.get("id"))
    return as_str(as_dict(message.get("response")).get("id"))


RESPONSES = Endpoint(
    name="responses",
    provider=OPENAI,
    dialect=OPENAI_RESPONSES,
    path=lambda _ask: "/responses",
    body=_body,
    turn=_Turn,
    results=_results,
    id_of=_id_of,
    completions=frozenset({"completed"}),
    refusals=frozenset({"content_filter"}),
    failures={
        "cancelled": "The provider cancelled the response.",
        "failed": "The response failed; the provider does not say why.",
    },
    stored="/responses",
)
