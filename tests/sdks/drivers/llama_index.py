from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai import OpenAI

from tests.sdks.driver import FUNCTION, Ask, Driver, called
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


def _model(ask: Ask) -> Any:
    return OpenAI(model="gpt-4o-mini", api_base=f"{ask.url}/v1", api_key="sk-test", max_retries=0)


def _arguments(ask: Ask) -> dict[str, Any]:
    tools = {"tools": [FUNCTION]} if ask.tool else {}
    return {"messages": [ChatMessage(role="user", content=ask.prompt)], **tools}


def _shown(answer: Any) -> Iterator[str]:
    if answer.delta:
        yield answer.delta
    for call in answer.raw.choices[0].delta.tool_calls or () if answer.raw.choices else ():
        yield called(call.function.name or "", call.function.arguments)


def stream(ask: Ask) -> Iterator[str]:
    with contextlib.closing(_model(ask).stream_chat(**_arguments(ask))) as answers:
        for answer in answers:
            yield from _shown(answer)


async def astream(ask: Ask) -> AsyncIterator[str]:
    answers = await _model(ask).astream_chat(**_arguments(ask))
    async with contextlib.aclosing(answers):
        async for answer in answers:
            for part in _shown(answer):
                yield part


DRIVER = Driver(CHAT, stream, astream)
