from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import instructor
import openai
from pydantic import BaseModel

from tests.sdks.driver import Ask, Driver
from tests.sdks.drivers.openai_chat import client
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


class Said(BaseModel):
    text: str


class get_weather(BaseModel):  # noqa: N801 - the name is what the model is offered as a tool
    city: str


def _arguments(ask: Ask) -> dict[str, Any]:
    return {
        "model": "gpt-4o-mini",
        "response_model": get_weather if ask.tool else Said,
        "messages": [{"role": "user", "content": ask.prompt}],
        "max_retries": 0,
    }


class _New:
    """Gives what is new in a partial answer: each repeats the one before it."""

    def __init__(self) -> None:
        self._said = ""

    def of(self, partial: Any) -> Iterator[str]:
        said = getattr(partial, "text", None) or getattr(partial, "city", None) or ""
        new, self._said = said.removeprefix(self._said), said
        if new:
            yield new


def stream(ask: Ask) -> Iterator[str]:
    with client(openai.OpenAI, ask) as made:
        new = _New()
        create = instructor.from_openai(made).chat.completions.create_partial
        for partial in create(**_arguments(ask)):
            yield from new.of(partial)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with client(openai.AsyncOpenAI, ask) as made:
        new = _New()
        create = instructor.from_openai(made).chat.completions.create_partial
        partials = create(**_arguments(ask))
        async with contextlib.aclosing(partials):
            async for partial in partials:
                for part in new.of(partial):
                    yield part


DRIVER = Driver(CHAT, stream, astream, told_in_tool="Said")
