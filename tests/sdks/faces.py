"""The sync and the async way of a driver behind one: both are stepped through from a coroutine."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tests.sdks.driver import Ask, Driver

__all__ = ["FACES", "Asked", "has"]

FACES = ("sync", "async")

T = TypeVar("T")


def has(driver: Driver, face: str) -> bool:
    """Return whether the SDK has this face."""
    return (driver.stream if face == "sync" else driver.astream) is not None


class Asked:
    """What an SDK shows of one answer, part by part.

    A sync SDK is stepped through in a thread of its own, since some run an event loop inside.

    Args:
        driver: The SDK.
        face: ``sync`` or ``async``.
        ask: What it asks.
    """

    def __init__(self, driver: Driver, face: str, ask: Ask) -> None:
        opened = driver.stream if face == "sync" else driver.astream
        assert opened is not None
        self._parts: Any = opened(ask)
        self._context = contextvars.copy_context()
        self._thread = ThreadPoolExecutor(1)
        self.error: BaseException | None = None

    async def first(self) -> str:
        """Return the next part."""
        if isinstance(self._parts, AsyncIterator):
            return str(await anext(self._parts))
        return str(await self._in_thread(lambda: next(self._parts)))

    async def rest(self) -> list[str]:
        """Return all parts that are left; what ends them early is kept in `error`."""
        parts: list[str] = []
        try:
            if isinstance(self._parts, AsyncIterator):
                async for part in self._parts:
                    parts.append(part)
            else:
                await self._in_thread(lambda: parts.extend(self._parts))
        except Exception as error:
            self.error = error
        self._thread.shutdown()
        return parts

    async def leave(self) -> None:
        """Stop reading."""
        if isinstance(self._parts, AsyncIterator):
            await self._parts.aclose()  # type: ignore[attr-defined]
        else:
            await self._in_thread(self._parts.close)
        self._thread.shutdown()

    async def _in_thread(self, step: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._context.run, step)
