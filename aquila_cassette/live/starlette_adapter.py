"""The adapter for a WebSocket of Starlette's or FastAPI's `TestClient`."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
from anyio.lowlevel import checkpoint
from starlette.testclient import WebSocketTestSession

from aquila_cassette.live.adapter import Adapter, received

_TURNS = 10


class StarletteAdapter(Adapter):
    """A `WebSocketTestSession`; it renders what came since the last time, a list of messages."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self._session = session

    async def settle(self) -> None:
        await anyio.to_thread.run_sync(self.settle_sync)

    def settle_sync(self) -> None:
        """Let the application take what was sent, so that what follows from it is pending."""
        self._session.portal.call(_turns)

    async def render(self) -> list[str | bytes]:
        return await anyio.to_thread.run_sync(self.render_sync)

    def render_sync(self) -> list[str | bytes]:
        return received(iter(lambda: self._session.portal.call(_next, self._session), None))


async def _turns() -> None:
    for _ in range(_TURNS):
        await checkpoint()


async def _next(session: WebSocketTestSession) -> Any:
    # `receive`, which is public, waits for a message that may never come.
    try:
        return session._send_rx.receive_nowait()
    except (anyio.WouldBlock, anyio.EndOfStream):
        return None
