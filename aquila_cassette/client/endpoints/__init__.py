"""What an endpoint is: how the client writes requests to each provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aquila_cassette.client.tools import Tool, ToolRun
from aquila_cassette.dialects.dialect import Dialect
from aquila_cassette.dialects.json_access import Table, text_of
from aquila_cassette.dialects.message import ModelToolCall

MADE_UP_ID = "unnamed-call-"
"""How the ids begin that are made up for calls to which a provider gave none."""

_INSTRUCTION_ROLES = ("system", "developer")


@dataclass(frozen=True)
class ModelRequest:
    """What is asked, independent of the provider.

    The messages are in the provider's form; all providers take roles with plain text.
    """

    model: str
    messages: tuple[Table, ...]
    instructions: str | None = None
    tools: tuple[Tool, ...] = ()
    max_tokens: int | None = None
    previous_response_id: str | None = None
    store: bool = False
    extra_body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ProviderAccount:
    """Where a provider is asked, and with which headers."""

    name: str  # ``openai`` reads ``OPENAI_API_KEY`` and ``OPENAI_BASE_URL``
    base_url: str  # its address where no other is given
    headers: Callable[[str], dict[str, str]]  # those that carry a key, which may be empty


@dataclass(frozen=True)
class Endpoint:
    """One way to ask one provider for a stream: a dialect to read, and requests to make."""

    name: str  # what users call it: ``chat``
    provider: ProviderAccount
    dialect: Dialect  # reads its streams
    path: Callable[[ModelRequest], str]  # below the base URL
    body: Callable[[ModelRequest], Table]  # fields that are None are left out
    # The messages that an answer is in the next request: from the JSON objects of its stream (or
    # the whole answer), its text and its calls.
    answer_messages: Callable[[list[Table], str, Sequence[ModelToolCall]], list[Table]]
    result_messages: Callable[[Sequence[ToolRun]], list[Table]]  # in the order of the calls
    response_id: Callable[[Table], str]  # in one object of the stream, or a whole answer; or ""
    # Finish reasons: of real completions, of what was refused, of what the provider broke off.
    completions: frozenset[str]
    refusals: frozenset[str] = frozenset()
    failures: frozenset[str] = frozenset()
    ends_by_reason: bool = False  # a finish reason and EOF end a stream as a last event does
    stored_path: str | None = None  # of stored responses; None where there are none


def functions(request: ModelRequest, schema: str, **more: Any) -> list[Table]:
    """Describe the tools, each with the JSON schema of its arguments in the field `schema`."""
    return [
        {**more, "name": tool.name, "description": tool.description, schema: tool.parameters}
        for tool in request.tools
    ]


def split_instructions(request: ModelRequest) -> tuple[str, list[Table]]:
    """Return all instructions as one text, and the other messages, for providers with a field."""
    texts, messages = [request.instructions or ""], []
    for message in request.messages:
        if message.get("role") in _INSTRUCTION_ROLES:
            texts.append(text_of(message.get("content")))
        else:
            messages.append(message)
    return "\n\n".join(filter(None, texts)), messages
