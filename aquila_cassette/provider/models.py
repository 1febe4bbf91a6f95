"""The list of models, as each provider writes it."""

from __future__ import annotations

from .asking import CREATED
from .frame import compact

_OPENAI = ("gpt-4o-mini", "gpt-4o")
_ANTHROPIC = ("claude-sonnet-5-5", "claude-haiku-5-5")


def openai_list() -> str:
    """Write the answer to OpenAI's ``GET /v1/models``."""
    models = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "aquila-cassette"}
        for name in _OPENAI
    ]
    return compact({"object": "list", "data": models})


def anthropic_list() -> str:
    """Write the answer to Anthropic's ``GET /v1/models``."""
    models = [
        {
            "type": "model",
            "id": name,
            "display_name": name.replace("-", " ").title(),
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": "active",
        }
        for name in _ANTHROPIC
    ]
    return compact(
        {
            "data": models,
            "has_more": False,
            "first_id": _ANTHROPIC[0],
            "last_id": _ANTHROPIC[-1],
        }
    )
