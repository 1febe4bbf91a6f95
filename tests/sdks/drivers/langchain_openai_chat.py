from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from langchain_openai import ChatOpenAI

from tests.sdks.driver import FUNCTION, Ask, Driver
from tests.sdks.drivers.langchain_messages import shown
from tests.sdks.wires.chat import CHAT

__all__ = ["DRIVER"]


def _model(ask: Ask) -> Any:
    model = ChatOpenAI(
        model="gpt-4o-mini", base_url=f"{ask.url}/v1", api_key=cast("Any", "sk-test"), max_retries=0
    )
    return model.bind_tools([FUNCTION]) if ask.tool else model


def stream(ask: Ask) -> Iterator[str]:
    with contextlib.closing(_model(ask).stream(ask.prompt)) as chunks:
        for chunk in chunks:
            yield from shown(chunk)


async def astream(ask: Ask) -> AsyncIterator[str]:
    async with contextlib.aclosing(_model(ask).astream(ask.prompt)) as chunks:
        async for chunk in chunks:
            for part in shown(chunk):
                yield part


DRIVER = Driver(CHAT, stream, astream)
