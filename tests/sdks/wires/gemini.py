"""Gemini's streamed content generation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .wire import Frame, Wire, data

__all__ = ["GEMINI"]


def _chunk(part: dict[str, Any], finish_reason: str | None = None) -> Frame:
    candidate: dict[str, Any] = {"content": {"parts": [part], "role": "model"}, "index": 0}
    if finish_reason:
        candidate["finishReason"] = finish_reason
    usage = {"promptTokenCount": 2, "candidatesTokenCount": 3, "totalTokenCount": 5}
    chunk = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"}
    return Frame(data(chunk, "\r\n\r\n"), shows=True)


def text(parts: Sequence[str]) -> list[Frame]:
    last = len(parts) - 1
    return [
        _chunk({"text": part}, "STOP" if number == last else None)
        for number, part in enumerate(parts)
    ]


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    return [_chunk({"functionCall": {"name": name, "args": json.loads("".join(parts))}}, "STOP")]


GEMINI = Wire("Gemini", "text/event-stream", text, tool, None)
