from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from google import genai
from google.genai import types

from tests.sdks.driver import WEATHER, Ask, Driver, called
from tests.sdks.wires import TOOL
from tests.sdks.wires.gemini import GEMINI

__all__ = ["DRIVER"]


def _client(ask: Ask) -> Any:
    return genai.Client(api_key="AIza-test", http_options=types.HttpOptions(base_url=ask.url))


def _arguments(ask: Ask) -> dict[str, Any]:
    function = types.FunctionDeclaration(name=TOOL, parameters_json_schema=WEATHER)
    tools = [types.Tool(function_declarations=[function])] if ask.tool else None
    config = types.GenerateContentConfig(tools=tools)
    return {"model": "gemini-2.5-flash", "contents": ask.prompt, "config": config}


def _shown(chunk: Any) -> Iterator[str]:
    for part in chunk.candidates[0].content.parts:
        if part.text:
            yield part.text
        if part.function_call:
            yield called(part.function_call.name, part.function_call.args)


def stream(ask: Ask) -> Iterator[str]:
    with _client(ask) as client:
        chunks = client.models.generate_content_stream(**_arguments(ask))
        with contextlib.closing(chunks):
            for chunk in chunks:
                yield from _shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with _client(ask).aio as client:
        chunks = await client.models.generate_content_stream(**_arguments(ask))
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                for part in _shown(chunk):
                    yield part


DRIVER = Driver(GEMINI, stream, astream)
