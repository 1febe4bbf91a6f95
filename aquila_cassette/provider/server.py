"""The provider as a server on loopback, in threads of its own."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Any, Self

from aquila_cassette.errors import UsageError
from aquila_cassette.provider.handler import Asked, RequestHandler

__all__ = ["Asked", "Provider"]


class Provider:
    """A model provider on 127.0.0.1 while the block is open.

    It answers ``/v1/chat/completions``, ``/v1/responses``, ``/v1/messages``, Gemini's
    ``:generateContent`` and ``:streamGenerateContent``, and ``/v1/models``. Equal requests get
    equal bytes. A prompt that names one of the request's tools gets a call of it. A model, a prompt
    or an ``x-provider-fault`` header that is the name of a fault gets that fault: ``error-429`` and
    other statuses, ``error-midstream``, ``drop-after-5``, ``cut``, ``hang``.

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
        self._server: _Server | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; OpenAI's base URL is this and ``/v1``, the others' this.

        Raises:
            UsageError: The provider was not started yet.
        """
        if not self._url:
            raise UsageError(
                "The provider has no address before it is started.",
                fix="Fix: with Provider() as provider: ...",
            )
        return self._url

    def start(self) -> None:
        """Listen and answer; nothing happens where it does already.

        Raises:
            OSError: The port is taken.
        """
        if self._server is None:
            self._server = _Server(self, self._port)
            self._url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Close every socket and end the threads; nothing happens where it was not started."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

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


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, provider: Provider, port: int) -> None:
        super().__init__(("127.0.0.1", port), RequestHandler)
        self.provider = provider
        self.stopping = threading.Event()
        self._open: set[Any] = set()
        self._thread = threading.Thread(target=self._accept, name="provider", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        # Closing a socket does not wake a thread that waits to accept; a connection does.
        socket.create_connection(("127.0.0.1", self.server_address[1])).close()
        self._thread.join()
        self.server_close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        self._open.discard(request)
        super().close_request(request)
