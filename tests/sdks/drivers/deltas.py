"""What the chunks of a chat completion show, which many SDKs give as objects of the same shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.sdks.driver import called

__all__ = ["shown"]


def shown(chunk: Any) -> Iterator[str]:
    for choice in chunk.choices:
        if choice.delta.content:
            yield choice.delta.content
        for call in getattr(choice.delta, "tool_calls", None) or ():
            yield called(getattr(call.function, "name", None) or "", call.function.arguments)
