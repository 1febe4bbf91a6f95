"""An HTTP/1.1 server whose answers are scripts of single sends."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from .listener import WATCHDOG, Listener, ScriptError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER on, for 0 seconds: close() then sends RST in place of FIN."""


@dataclass(frozen=True)
class Request:
    """One request, whole: `path` as on the wire, header names in lower case, chunks joined."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def read_request(stream: BinaryIO) -> Request | None:
    """Read the next request off a connection; None where the client has closed it."""
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode("latin-1").split()
    headers = _read_headers(stream)
    if headers.get("transfer-encoding") == "chunked":
        body = _read_chunks(stream)
    else:
        body = stream.read(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_chunks(stream: BinaryIO) -> bytes:
    body = b""
    while size := int(stream.readline().partition(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    _read_headers(stream)
    return body


class Connection:
    """A script's end of a connection. Each answer ends with one of `end`, `fin` or `reset`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.stream = sock.makefile("rb")
        """What the client sends, buffered."""
        self._chunked = False
        self._left: int | None = None
        self.answered = False
        """Whether this request's answer has been ended."""
        self.reusable = False
        """Whether the next request may come on this connection."""

    def begin(self, *, keep_alive: bool) -> None:
        self.answered = False
        self.reusable = keep_alive

    def send(self, data: bytes) -> None:
        """Send `data` as it is, in one TCP send."""
        self._sock.sendall(data)

    def head(
        self,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        length: int | None = None,
        close: bool = False,
    ) -> None:
        """Send status line and headers, the body chunked unless told otherwise.

        Args:
            status: The status.
            headers: Beside those of the framing; an event stream's content type if None.
            length: Frame the body by a content-length of this many bytes.
            close: Frame the body by the end of the connection.
        """
        fields = dict(headers) if headers is not None else {"content-type": "text/event-stream"}
        self._chunked = length is None and not close
        self._left = length
        if self._chunked:
            fields["transfer-encoding"] = "chunked"
        elif length is not None:
            fields["content-length"] = str(length)
        if close:
            fields["connection"] = "close"
            self.reusable = False
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in fields.items()), "", ""]
        self.send("\r\n".join(lines).encode("latin-1"))

    def piece(self, data: bytes) -> None:
        """Send a piece of the body in one TCP send, as one chunk where the body is chunked."""
        if self._left is not None:
            self._left -= len(data)
        self.send(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        """End the body as its framing ends one."""
        if self._left:
            raise ScriptError(f"end() with {self._left} bytes of the content-length unsent")
        if self._chunked:
            self.send(b"0\r\n\r\n")
        self.answered = True

    def fin(self) -> None:
        """Close the connection cleanly (FIN), wherever the body stands."""
        self.answered = True
        self.reusable = False
        if not isinstance(self._sock, ssl.SSLSocket):
            self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection (RST), now. What was sent before still reaches a Linux reader."""
        self.answered = True
        self.reusable = False
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self.stream.close()
        self._sock.close()

    def wait(self, event: threading.Event) -> None:
        """Wait until the test sets `event`; fail the test when it does not."""
        if not event.wait(WATCHDOG):
            raise ScriptError(f"nobody set the event within {WATCHDOG:g} s")

    def gone(self) -> None:
        """Wait until the client closes the connection, or the server is closed."""
        try:
            while self._sock.recv(4096):
                pass
        except OSError:
            pass
        self.answered = True
        self.reusable = False


class RawServer(Listener):
    """Call ``script(connection, request)`` for each request, and keep what was asked.

    Args:
        script: Runs in the connection's thread; connections are served side by side.
        tls: Serve HTTPS with this context; see `server_context`.
    """

    def __init__(
        self,
        script: Callable[[Connection, Request], None],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self.requests: list[Request] = []
        self._script = script

    def serve(self, sock: socket.socket) -> None:
        connection = Connection(sock)
        with connection.stream as stream:
            while (request := read_request(stream)) is not None:
                self.requests.append(request)
                connection.begin(keep_alive=request.headers.get("connection") != "close")
                self._script(connection, request)
                if not connection.answered:
                    raise ScriptError(f"no end(), fin() or reset() for {request.path}")
                if not connection.reusable:
                    return
