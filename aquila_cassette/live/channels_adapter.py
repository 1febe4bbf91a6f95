"""The adapter for Django Channels' `WebsocketCommunicator`."""

from __future__ import annotations

from typing import Any

from aquila_cassette.live.adapter import Adapter, failure_of, received


class ChannelsAdapter(Adapter):
    """A `WebsocketCommunicator`; it renders what came since the last time, a list of messages."""

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator

    def take_failure(self) -> BaseException | None:
        return failure_of(self._communicator.future)

    async def render(self) -> list[str | bytes]:
        queue = self._communicator.output_queue
        return received([queue.get_nowait() for _ in range(queue.qsize())])
