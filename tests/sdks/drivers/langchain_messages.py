"""What the chunks of a chat model of langchain show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.sdks.driver import called

__all__ = ["shown"]


def shown(chunk: Any) -> Iterator[str]:
    if text := chunk.text:
        yield text
    for call in chunk.tool_call_chunks:
        yield called(call["name"] or "", call["args"])
