"""What is waited for while a message is handled."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from aquila_cassette.waiting.event_loops import waker

__all__ = ["Reply"]


class Reply:
    """Brings what a handler raised to whoever waits for it, in whichever event loop.

    Args:
        untold: Is given it where nobody waits any more.
    """

    def __init__(self, untold: Callable[[BaseException | None], None]) -> None:
        self._untold = untold
        self._error: BaseException | None = None
        self._waiting = True
        self._given = anyio.Event()
        self._wake = waker(self._given.set)

    async def wait(self) -> None:
        """Wait until the message was handled, and raise what its handler raised."""
        try:
            await self._given.wait()
        except BaseException:
            self._waiting = False
            raise
        if self._error is not None:
            raise self._error

    def give(self, error: BaseException | None) -> None:
        """Say that the message was handled, and what its handler raised."""
        if self._waiting:
            self._error = error
            self._wake()
        else:
            self._untold(error)
