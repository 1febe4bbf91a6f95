"""Google's generateContent.

Source: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.client.dialects.ask import MADE_UP, extended
from aquila_cassette.client.dialects.endpoint import Endpoint, Provider
from aquila_cassette.client.dialects.roles import instructions_of, text_of, without_instructions
from aquila_cassette.dialects.gemini import GEMINI as DIALECT
from aquila_cassette.dialects.lenient import as_dict, as_dicts, as_int, as_str

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.client.dialects.ask import Ask, Outcome
    from aquila_cassette.dialects.message import IdentifiedToolCall

__all__ = ["GEMINI", "GOOGLE"]


def _headers(key: str) -> dict[str, str]:
    return {"x-goog-api-key": key} if key else {}


GOOGLE = Provider("gemini", "GEMINI", "https://generativelanguage.googleapis.com", _headers)


def _path(ask: Ask) -> str:
    return f"/v1beta/models/{ask.model.removeprefix('models/')}:streamGenerateContent?alt=sse"


def _body(ask: Ask) -> dict[str, Any]:
    tools = [
        {
            "name": tool.name,
            "description": tool.description,
            "parametersJsonSchema": tool.parameters,
        }
        for tool in ask.tools
    ]
    instructions = instructions_of(ask)
    body = {
        "systemInstruction": {"parts": [{"text": instructions}]} if instructions else None,
        "contents": [_content(one) for one in without_instructions(ask)],
        "tools": [{"functionDeclarations": tools}] if tools else None,
        "generationConfig": {"maxOutputTokens": ask.max_tokens} if ask.max_tokens else None,
    }
    return extended(body, ask.extra_body)


def _content(message: dict[str, Any]) -> dict[str, Any]:
    if "parts" in message:
        return message
    role = "model" if message.get("role") == "assistant" else "user"
    return {"role": role, "parts": [{"text": text_of(message.get("content"))}]}


class _Turn:
    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []

    def take(self, message: dict[str, Any]) -> None:
        for candidate in as_dicts(message.get("candidates")):
            if as_int(candidate.get("index")) == 0:
                for part in as_dicts(as_dict(candidate.get("content")).get("parts")):
                    self._add(part)

    def _add(self, part: dict[str, Any]) -> None:
        # A part with a signature or anything else beside its text has to go back as it came.
        plain = {"text"} if not part.get("thought") else {"text", "thought"}
        last = self._parts[-1] if self._parts else {}
        if set(part) == plain and set(last) == plain:
            last["text"] = as_str(last["text"]) + as_str(part["text"])
        elif part != {"text": ""}:
            self._parts.append(dict(part))

    def messages(self, text: str, calls: Sequence[IdentifiedToolCall]) -> list[dict[str, Any]]:
        return [{"role": "model", "parts": self._parts}] if self._parts else []


def _results(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    parts = []
    for one in outcomes:
        response: dict[str, Any] = {"name": one.name}
        if not one.id.startswith(MADE_UP):
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
    turn=_Turn,
    results=_results,
    id_of=lambda message: as_str(message.get("responseId")),
    completions=frozenset({"STOP"}),
    refusals=frozenset({"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "RECITATION", "SPII"}),
    ends_by_reason=True,
)
