"""HTTP/1.1 servers: answers as scripts of single sends, a server with a gate, and a proxy."""

import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import BinaryIO, TypeAlias
from urllib.parse import urlsplit

from .frames import CHAT_FRAMES
from .listener import WATCHDOG, Listener, Request, ScriptError, hang_up

FRAMES = [b"data: %d\n\n" % number for number in range(1, 6)]
"""Five events of no dialect."""

NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER on, for 0 seconds: close() then sends RST in place of FIN."""


def read_request(stream: BinaryIO) -> Request | None:
    """Read the next request off a connection; None where the client has closed it."""
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode("latin-1").split()
    headers = _read_headers(stream)
    if headers.get("transfer-encoding") != "chunked":
        return Request(method, path, headers, stream.read(int(headers.get("content-length", "0"))))
    body = b""
    while size := int(stream.readline().partition(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    _read_headers(stream)
    return Request(method, path, headers, body)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


class Connection:
    """A script's end of a connection. Each answer ends with one of `end`, `fin` or `reset`."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.stream = sock.makefile("rb")
        """What the client sends, buffered."""
        self._is_chunked = False
        self.answered = False
        self.reusable = False

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
        """Send status line and headers, by default those of an event stream.

        The body is chunked, or framed by a content-length, or by the end of the connection (`close`).
        """
        fields = dict(headers) if headers is not None else {"content-type": "text/event-stream"}
        self._is_chunked = length is None and not close
        if self._is_chunked:
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
        self.send(b"%x\r\n%s\r\n" % (len(data), data) if self._is_chunked else data)

    def end(self) -> None:
        """End the body as its framing ends one."""
        if self._is_chunked:
            self.send(b"0\r\n\r\n")
        self.answered = True

    def fin(self) -> None:
        """Close the connection cleanly (FIN), wherever the body is."""
        self._break()
        if not isinstance(self._sock, ssl.SSLSocket):
            self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection (RST), now. What was sent before still reaches a Linux reader."""
        self._break()
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
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
        self._break()

    def _break(self) -> None:
        self.answered = True
        self.reusable = False


Script: TypeAlias = Callable[[Connection, Request], None]


def sends(
    frames: Iterable[bytes],
    then: Callable[[Connection], None] = Connection.end,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """Make a script that sends a head and `frames`, then ends, or stalls: `Connection.gone`."""

    def script(connection: Connection, request: Request) -> None:
        connection.head(200, headers)
        for frame in frames:
            connection.piece(frame)
        then(connection)

    return script


def answers(body: bytes, status: int = 200, **headers: str) -> Script:
    """Make a script that sends a whole body with its length."""

    def script(connection: Connection, request: Request) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.head(status, {"content-type": "text/plain"} | fields, length=len(body))
        if body:
            connection.piece(body)
        connection.end()

    return script


def says_path(connection: Connection, request: Request) -> None:
    """Answer with the path, and with its status where it is /status/..."""
    status = int(request.path.rpartition("/")[2]) if "/status/" in request.path else 200
    answers(request.path.encode(), status)(connection, request)


def says_body(connection: Connection, request: Request) -> None:
    """Answer with the body that was sent."""
    answers(request.body)(connection, request)


chat = sends(CHAT_FRAMES)
"""Answers with a whole stream of chat completions."""


class RawServer(Listener):
    """Call ``script(connection, request)`` for each request, and keep the requests."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        super().__init__(tls=tls, port=port)
        self._script = script

    def serve(self, sock: socket.socket) -> None:
        connection = Connection(sock)
        with connection.stream as stream:
            while (request := read_request(stream)) is not None:
                self.requests.append(request)
                connection.answered = False
                connection.reusable = request.headers.get("connection") != "close"
                self._script(connection, request)
                if not connection.answered:
                    raise ScriptError(f"no end(), fin() or reset() for {request.path}")
                if not connection.reusable:
                    return


class GateServer(RawServer):
    """Answer each request with `frames`, the next one only after `seen()` for the last.

    The client says `seen()`, or from another process ``GET /seen``. One stream at a time. When it
    does not say so in time, the stream breaks off, and the server raises at exit.
    """

    def __init__(
        self, frames: Sequence[bytes], *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(self._answer)
        self.sent = 0
        """How many frames of the stream have been sent."""
        self._frames = frames
        self._headers = headers
        self._gate = threading.Semaphore(0)

    def seen(self) -> None:
        """Say that the client saw the last frame: open the gate for the next."""
        self._gate.release()

    def _answer(self, connection: Connection, request: Request) -> None:
        if request.path == "/seen":
            self.seen()
            connection.head(204, {}, length=0)
            connection.end()
            return
        self._gate = threading.Semaphore(0)
        connection.head(200, self._headers)
        for number, frame in enumerate(self._frames, 1):
            self.sent = number
            connection.piece(frame)
            if number < len(self._frames) and not self._gate.acquire(timeout=WATCHDOG):
                raise ScriptError(f"the client did not see frame {number}: it buffers")
        connection.end()


class Proxy(Listener):
    """Forward requests, CONNECT tunnels and plain ones in absolute form, and keep them as sent."""

    def serve(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as stream:
            request = read_request(stream)
            if request is None:
                return
            parts = urlsplit(request.path if "://" in request.path else f"//{request.path}")
            with socket.create_connection((parts.hostname, parts.port or 80)) as upstream:
                back = threading.Thread(target=_copy, args=(upstream, sock), daemon=True)
                if request.method == "CONNECT":
                    self.requests.append(request)
                    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back.start()
                    _copy(sock, upstream)
                else:
                    back.start()
                    while request is not None:
                        self.requests.append(request)
                        upstream.sendall(_in_origin_form(request))
                        request = read_request(stream)
                hang_up(upstream)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until either end is over, then end the other."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    hang_up(target)


def _in_origin_form(request: Request) -> bytes:
    parts = urlsplit(request.path)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    headers = {k: v for k, v in request.headers.items() if k != "transfer-encoding"}
    if request.body:
        headers["content-length"] = str(len(request.body))
    lines = [f"{request.method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
