"""The sync and the async way of a driver behind one: both are stepped through from a coroutine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from tests.sdks.driver import Ask, Driver

__all__ = ["FACES", "Asked", "has"]

FACES = ("sync", "async")


def has(driver: Driver, face: str) -> bool:
    """Tell whether the SDK has this face."""
    return (driver.stream if face == "sync" else driver.astream) is not None


class Asked:
    """What an SDK shows of one answer, part by part.

    Args:
        driver: The SDK.
        face: ``sync`` or ``async``.
        ask: What it asks.
    """

    def __init__(self, driver: Driver, face: str, ask: Ask) -> None:
        opened = driver.stream if face == "sync" else driver.astream
        assert opened is not None
        self._parts: Any = opened(ask)
        self.error: BaseException | None = None

    async def first(self) -> str:
        """Give the next part."""
        if isinstance(self._parts, Iterator):
            return str(next(self._parts))
        return str(await anext(self._parts))

    async def rest(self) -> list[str]:
        """Give all parts that are left; what ends them early is kept in `error`."""
        parts: list[str] = []
        try:
            if isinstance(self._parts, AsyncIterator):
                async for part in self._parts:
                    parts.append(part)
            else:
                for part in self._parts:
                    parts.append(part)
        except Exception as error:
            self.error = error
        return parts

    async def leave(self) -> None:
        """Stop reading."""
        if isinstance(self._parts, AsyncIterator):
            await self._parts.aclose()  # type: ignore[attr-defined]
        else:
            self._parts.close()
