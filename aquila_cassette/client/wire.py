"""Does the steps of a conversation that need a server, with a client of httpx or httpx2."""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import anyio

from aquila_cassette.client.conversation import Close, Head, Open, Read

__all__ = ["AsyncWire", "Wire"]

# How long the end of an answer may be in coming, in s, after its last event.
_GRACE = 0.02
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class Wire:
    """One answer at a time, sync.

    Args:
        http: An ``httpx.Client``, or one of httpx2.
        idle_timeout: Seconds without a byte after which a read gives up; None for never.
    """

    def __init__(self, http: Any, idle_timeout: float | None) -> None:
        self._http = http
        self._idle = idle_timeout
        self._response: Any = None
        self._pieces: Any = None
        self._stream: Any = None

    def do(self, step: Open | Read | Close) -> Head | bytes | None:
        """Do a step, and give what came of it."""
        match step:
            case Open():
                return self.open(step)
            case Read():
                return next(self._pieces, None)
            case Close():
                self.close()
                return None

    def open(self, step: Open) -> Head:
        """Send a request and read the head of its answer."""
        self.close()
        request = self._http.build_request(
            step.method,
            step.url,
            headers=dict(step.headers),
            content=step.content or None,
            timeout=(self._idle, self._idle, self._idle, self._idle),
            extensions={"trace": self._trace},
        )
        response = self._response = self._http.send(request, stream=True)
        self._stream = response.extensions.get("network_stream")
        self._pieces = response.iter_bytes()
        return Head(response.status_code, response.headers.get("content-type"))

    def close(self) -> None:
        """Close the answer; nothing happens where none is open."""
        response, self._response = self._response, None
        if response is not None:
            with contextlib.suppress(Exception):
                response.close()
        self._stream = None

    def abort(self) -> None:
        """Wake whoever waits for the server, in another thread, with the end of the connection."""
        stream, response = self._stream, self._response
        if stream is None and response is not None:
            # Nothing is connected: a test's transport, or a replay that may be held back.
            with contextlib.suppress(Exception):
                response.close()
            return
        sock = stream and stream.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                # SSLSocket.shutdown would drop the TLS state under the thread that is using it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _trace(self, name: str, info: dict[str, Any]) -> None:
        if name in _CONNECTED:
            self._stream = info["return_value"]


class AsyncWire:
    """One answer at a time, async; when to give up is up to who drives it.

    Args:
        http: An ``httpx.AsyncClient``, or one of httpx2.
    """

    def __init__(self, http: Any) -> None:
        self._http = http
        self._response: Any = None
        self._pieces: Any = None

    async def do(self, step: Open | Read | Close) -> Head | bytes | None:
        """Do a step, and give what came of it."""
        match step:
            case Open():
                return await self.open(step)
            case Read():
                piece: bytes | None = await anext(self._pieces, None)
                return piece
            case Close(whole):
                if whole:
                    await self._drain()
                await self.close()
                return None

    async def open(self, step: Open) -> Head:
        """Send a request and read the head of its answer."""
        await self.close()
        request = self._http.build_request(
            step.method,
            step.url,
            headers=dict(step.headers),
            content=step.content or None,
            timeout=(None, None, None, None),
        )
        response = self._response = await self._http.send(request, stream=True)
        self._pieces = response.aiter_bytes()
        return Head(response.status_code, response.headers.get("content-type"))

    async def _drain(self) -> None:
        with anyio.move_on_after(_GRACE), contextlib.suppress(Exception):
            while await anext(self._pieces, None) is not None:
                pass

    async def close(self) -> None:
        """Close the answer, even where its reader was cancelled."""
        response, self._response = self._response, None
        if response is not None:
            with anyio.CancelScope(shield=True), contextlib.suppress(Exception):
                await self._pieces.aclose()
                await response.aclose()
