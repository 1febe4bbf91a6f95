"""Ollama's own chat: a JSON value a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .wire import Frame, Wire, compact

__all__ = ["OLLAMA"]


def _line(message: dict[str, Any], **fields: Any) -> bytes:
    made = {"model": "llama3.2", "created_at": "2026-01-01T00:00:00Z"}
    line = {**made, "message": {"role": "assistant", **message}, "done": False, **fields}
    return f"{compact(line)}\n".encode()


def _end() -> Frame:
    counts = {"total_duration": 5, "prompt_eval_count": 2, "eval_count": 3}
    return Frame(_line({"content": ""}, done=True, done_reason="stop", **counts))


def text(parts: Sequence[str]) -> list[Frame]:
    return [*(Frame(_line({"content": part}), shows=True) for part in parts), _end()]


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    call = {"function": {"name": name, "arguments": json.loads("".join(parts))}}
    return [Frame(_line({"content": "", "tool_calls": [call]}), shows=True), _end()]


ERROR = b'{"error":"The model is overloaded."}\n'

OLLAMA = Wire("Ollama", "application/x-ndjson", text, tool, ERROR)
