"""The stand-in itself: a server in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from dataclasses import dataclass
from typing import Any, Self

from aquila_cassette.errors import UsageError

from .exchange import Exchange
from .http import Peer


@dataclass(frozen=True)
class Asked:
    """One request as the provider got it; `json` is None where the body is no JSON."""

    method: str
    path: str
    json: Any


class Provider:
    """A model provider on 127.0.0.1, in a thread of its own, while the block is open.

    It answers ``/v1/chat/completions``, ``/v1/responses``, ``/v1/messages``, Gemini's
    ``:generateContent`` and ``:streamGenerateContent``, and ``/v1/models``. Equal requests get
    equal bytes. A prompt that names one of the request's tools gets a call of it; a request whose
    model, prompt or ``x-provider-fault`` header is the name of a fault gets that fault:
    ``error-429`` and other statuses, ``error-midstream``, ``drop-after-5``, ``cut``, ``hang``.

    Args:
        gap: Seconds between two tokens, give or take half; 0 sends them at once.
        port: The port; 0 for any that is free.
        check_key: Whether a key that is missing, or ``invalid``, is refused with 401.

    Example:
        >>> from urllib.request import urlopen
        >>> with Provider(gap=0) as provider, urlopen(provider.url + "/v1/models") as answer:
        ...     answer.status
        200
        >>> provider.requests
        [Asked(method='GET', path='/v1/models', json=None)]
    """

    def __init__(self, gap: float = 0.02, *, port: int = 0, check_key: bool = False) -> None:
        self.gap = gap
        self.check_key = check_key
        self.requests: list[Asked] = []
        self._port = port
        self._url = ""
        self._running: tuple[threading.Thread, asyncio.AbstractEventLoop, asyncio.Event] | None
        self._running = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; OpenAI's base URL is this and ``/v1``, the others' this.

        Raises:
            UsageError: The provider was not started yet.
        """
        if not self._url:
            raise UsageError(
                "The provider has no address before it is started.",
                fix="Start it: with Provider() as provider: ...",
            )
        return self._url

    def start(self) -> None:
        """Listen and answer; nothing happens where it does already.

        Raises:
            OSError: The port is taken.
        """
        if self._running is not None:
            return
        listening = socket.create_server(("127.0.0.1", self._port))
        self._url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        loop, stopping = asyncio.new_event_loop(), asyncio.Event()
        thread = threading.Thread(
            target=self._run, args=(loop, listening, stopping), name="provider", daemon=True
        )
        self._running = (thread, loop, stopping)
        thread.start()

    def stop(self) -> None:
        """Close every socket and end the thread; nothing happens where it was not started."""
        if self._running is None:
            return
        thread, loop, stopping = self._running
        self._running = None
        loop.call_soon_threadsafe(stopping.set)
        thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.stop()

    def _run(
        self, loop: asyncio.AbstractEventLoop, listening: socket.socket, stopping: asyncio.Event
    ) -> None:
        try:
            loop.run_until_complete(self._listen(listening, stopping))
        finally:
            loop.close()

    async def _listen(self, listening: socket.socket, stopping: asyncio.Event) -> None:
        open_: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._converse(reader, writer))
            open_[task] = writer
            task.add_done_callback(open_.pop)

        server = await asyncio.start_server(connected, sock=listening)
        await stopping.wait()
        # A connection that is being accepted is made first: cut off there, it would stay open.
        while accepting := asyncio.all_tasks() - open_.keys() - {asyncio.current_task()}:
            await asyncio.gather(*accepting)
        server.close()
        for task, writer in open_.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        try:
            while await self._serve(peer):
                pass
        except (ConnectionError, EOFError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, peer: Peer) -> bool:
        request = await peer.request()
        self.requests.append(Asked(request.method, request.path, request.json()))
        reusable = await Exchange(peer, request, self.gap, self.check_key).run()
        return reusable and request.headers.get("connection", "").lower() != "close"
