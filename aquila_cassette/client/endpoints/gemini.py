"""Write requests to Google (generateContent).

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from collections.abc import Sequence

from aquila_cassette.client.endpoints import (
    MADE_UP_ID,
    Endpoint,
    ModelRequest,
    ProviderAccount,
    functions,
    split_instructions,
)
from aquila_cassette.client.tools import ToolRun
from aquila_cassette.dialects.gemini import GEMINI as DIALECT
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str, text_of
from aquila_cassette.dialects.message import ModelToolCall

GOOGLE = ProviderAccount(
    "gemini",
    "https://generativelanguage.googleapis.com",
    lambda key: {"x-goog-api-key": key} if key else {},
)


def _path(request: ModelRequest) -> str:
    return f"/v1beta/models/{request.model.removeprefix('models/')}:streamGenerateContent?alt=sse"


def _body(request: ModelRequest) -> Table:
    tools = functions(request, "parametersJsonSchema")
    (system, messages), limit = split_instructions(request), request.max_tokens
    return {
        "systemInstruction": {"parts": [{"text": system}]} if system else None,
        "contents": [_content(one) for one in messages],
        "tools": [{"functionDeclarations": tools}] if tools else None,
        "generationConfig": {"maxOutputTokens": limit} if limit else None,
    }


def _content(message: Table) -> Table:
    if "parts" in message:
        return message
    role = "model" if message.get("role") == "assistant" else "user"
    return {"role": role, "parts": [{"text": text_of(message.get("content"))}]}


def _answer(objects: list[Table], _text: str, _calls: Sequence[ModelToolCall]) -> list[Table]:
    parts: list[Table] = []
    candidates = (one for part in objects for one in as_dicts(part.get("candidates")))
    for candidate in candidates:
        if as_int(candidate.get("index")) != 0:
            continue
        for part in as_dicts(as_dict(candidate.get("content")).get("parts")):
            # A part with a signature or anything else besides its text goes back as it came.
            plain = {"text", "thought"} if part.get("thought") else {"text"}
            if set(part) == plain and parts and set(parts[-1]) == plain:
                parts[-1]["text"] = as_str(parts[-1]["text"]) + as_str(part["text"])
            elif part != {"text": ""}:
                parts.append(dict(part))
    return [{"role": "model", "parts": parts}] if parts else []


def _results(runs: Sequence[ToolRun]) -> list[Table]:
    parts = []
    for one in runs:
        response: Table = {"name": one.name}
        if not one.id.startswith(MADE_UP_ID):
            response["id"] = one.id
        response["response"] = {"error" if one.failed else "result": one.result}
        parts.append({"functionResponse": response})
    return [{"role": "user", "parts": parts}]


GEMINI = Endpoint(
    name="gemini",
    provider=GOOGLE,
    dialect=DIALECT,
    path=_path,
    body=_body,
    answer_messages=_answer,
    result_messages=_results,
    response_id=lambda part: as_str(part.get("responseId")),
    completions=frozenset({"STOP"}),
    refusals=frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "RECITATION", "SPII"}),
    ends_by_reason=True,
)
