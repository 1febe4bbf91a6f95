"""The adapter for Django Channels' `WebsocketCommunicator`."""

from __future__ import annotations

from typing import Any

from aquila_cassette.live.adapter import Adapter


class ChannelsAdapter(Adapter):
    """A `WebsocketCommunicator`; it renders what came since the last time, a list of messages."""

    def __init__(self, communicator: Any) -> None:
        self._communicator = communicator

    def take_failure(self) -> BaseException | None:
        application = self._communicator.future
        is_over = application.done() and not application.cancelled()
        error: BaseException | None = application.exception() if is_over else None
        return error

    async def render(self) -> list[str | bytes]:
        received: list[str | bytes] = []
        while not self._communicator.output_queue.empty():
            message = self._communicator.output_queue.get_nowait()
            if message["type"] == "websocket.send":
                text = message.get("text")
                received.append(message["bytes"] if text is None else text)
        return received
