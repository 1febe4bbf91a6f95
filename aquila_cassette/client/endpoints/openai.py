"""Write requests to OpenAI (chat completions, responses) and compatible servers.

Sources: https://platform.openai.com/docs/api-reference/chat/create and
https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from collections.abc import Sequence

from aquila_cassette.client.endpoints import Endpoint, ModelRequest, ProviderAccount, functions
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_str
from aquila_cassette.dialects.message import ModelToolCall
from aquila_cassette.dialects.openai import OPENAI_CHAT, OPENAI_RESPONSES

OPENAI = ProviderAccount(
    "openai",
    "https://api.openai.com/v1",
    lambda key: {"authorization": f"Bearer {key}"} if key else {},
)


def _chat_body(request: ModelRequest) -> Table:
    messages: list[Table] = [*request.messages]
    if request.instructions:
        messages.insert(0, {"role": "system", "content": request.instructions})
    tools = [{"type": "function", "function": one} for one in functions(request, "parameters")]
    return {
        "model": request.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": tools or None,
        "max_completion_tokens": request.max_tokens,
        "store": request.store or None,
    }


def _chat_answer(_objects: list[Table], text: str, calls: Sequence[ModelToolCall]) -> list[Table]:
    rows = [
        {
            "id": one.id,
            "type": "function",
            "function": {"name": one.name, "arguments": one.arguments},
        }
        for one in calls
    ]
    message = {"role": "assistant", "content": text or None}
    return [{**message, "tool_calls": rows} if rows else message]


CHAT = Endpoint(
    name="chat",
    provider=OPENAI,
    dialect=OPENAI_CHAT,
    path=lambda _request: "/chat/completions",
    body=_chat_body,
    answer_messages=_chat_answer,
    result_messages=lambda runs: [
        {"role": "tool", "tool_call_id": one.id, "content": one.result} for one in runs
    ],
    response_id=lambda part: as_str(part.get("id")),
    # Servers that speak OpenAI's dialect have a few reasons of their own.
    completions=frozenset({"stop", "tool_calls", "function_call", "eos", "eos_token", "end_turn"}),
    refusals=frozenset({"content_filter"}),
    ends_by_reason=True,
)


def _responses_body(request: ModelRequest) -> Table:
    tools = functions(request, "parameters", type="function", strict=False)
    return {
        "model": request.model,
        "input": list(request.messages),
        "instructions": request.instructions,
        "stream": True,
        "store": request.store,
        "tools": tools or None,
        "max_output_tokens": request.max_tokens,
        "previous_response_id": request.previous_response_id,
    }


def _responses_answer(
    objects: list[Table], _text: str, _calls: Sequence[ModelToolCall]
) -> list[Table]:
    done = [one for one in objects if one.get("type") == "response.output_item.done"]
    items = [as_dict(one.get("item")) for one in done]
    if not items and objects:
        items = as_dicts((as_dict(objects[-1].get("response")) or objects[-1]).get("output"))
    return [given for item in items if (given := _as_input(item))]


def _as_input(item: Table) -> Table | None:
    """Return an output item as input: ids of what is not stored would not be found."""
    if item.get("type") == "reasoning":
        return item if item.get("encrypted_content") else None
    return {name: value for name, value in item.items() if name not in ("id", "status")}


def _response_id(part: Table) -> str:
    response = part if part.get("object") == "response" else as_dict(part.get("response"))
    return as_str(response.get("id"))


RESPONSES = Endpoint(
    name="responses",
    provider=OPENAI,
    dialect=OPENAI_RESPONSES,
    path=lambda _request: "/responses",
    body=_responses_body,
    answer_messages=_responses_answer,
    result_messages=lambda runs: [
        {"type": "function_call_output", "call_id": one.id, "output": one.result} for one in runs
    ],
    response_id=_response_id,
    completions=frozenset({"completed"}),
    refusals=frozenset({"content_filter"}),
    failures=frozenset({"cancelled", "failed"}),
    stored_path="/responses",
)
