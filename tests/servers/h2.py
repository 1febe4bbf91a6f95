"""An HTTP/2 server over TLS whose answers are scripts; each stream has a thread of its own."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)

from .certificate import server_context
from .listener import WATCHDOG, Listener, ScriptError, hang_up
from .raw import Request

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping


class H2Stream:
    """A script's end of one stream."""

    def __init__(self, session: _Session, asked: RequestReceived) -> None:
        self._session = session
        self._id = asked.stream_id
        self.fields = {str(name): str(value) for name, value in asked.headers}
        self.received = b""
        self.closed = threading.Event()
        """Set when the client has reset the stream, or the connection is over."""

    def request(self) -> Request:
        headers = {name: value for name, value in self.fields.items() if not name.startswith(":")}
        return Request(self.fields[":method"], self.fields[":path"], headers, self.received)

    def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send the headers; an event stream's content type if None."""
        given = headers if headers is not None else {"content-type": "text/event-stream"}
        fields = [(":status", str(status)), *given.items()]
        self._session.do(lambda h2: h2.send_headers(self._id, fields))

    def piece(self, data: bytes) -> None:
        """Send up to 16 KiB of the body in one DATA frame, once the client's window has room."""
        session = self._session

        def room() -> bool:
            return self.closed.is_set() or (
                session.h2.local_flow_control_window(self._id) >= len(data)
            )

        with session.changed:
            if not session.changed.wait_for(room, WATCHDOG):
                raise ScriptError(f"the client's window had no room for {len(data)} bytes")
            if self.closed.is_set():
                raise ConnectionResetError("the client has closed the stream")
            session.h2.send_data(self._id, data)
            session.flush()

    def end(self) -> None:
        """End the body."""
        self._session.do(lambda h2: h2.end_stream(self._id))

    def reset(self, code: int = ErrorCodes.INTERNAL_ERROR) -> None:
        """Break this stream (RST_STREAM); the connection lives on."""
        self._session.do(lambda h2: h2.reset_stream(self._id, code))

    def wait(self, event: threading.Event) -> None:
        """Wait until the test sets `event`; fail the test when it does not."""
        if not event.wait(WATCHDOG):
            raise ScriptError(f"nobody set the event within {WATCHDOG:g} s")

    def gone(self) -> None:
        """Wait until the client gives the stream up; fail the test when it does not."""
        self.wait(self.closed)


class _Session:
    """One connection: TLS, HTTP/2, and the lock under which both change.

    TLS is kept off the socket, in memory: an `ssl.SSLSocket` may not be read by one thread and
    written by another.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._sock = sock
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.changed = threading.Condition()
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.streams: dict[int, H2Stream] = {}

    def do(self, step: Callable[[H2Connection], None]) -> None:
        with self.changed:
            step(self.h2)
            self.flush()

    def flush(self) -> None:
        if data := self.h2.data_to_send():
            self._tls.write(data)
        self._sock.sendall(self._outgoing.read())

    def handshake(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
                if data := self._sock.recv(65536):
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                return

    def _decrypt(self, data: bytes) -> bytes:
        self._incoming.write(data)
        plain = b""
        try:
            while piece := self._tls.read(65536):
                plain += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return plain

    def receive(self, data: bytes) -> list[H2Stream]:
        """Take `data` off the wire; give the streams whose requests are whole now."""
        whole = []
        with self.changed:
            for event in self.h2.receive_data(self._decrypt(data)):
                if isinstance(event, RequestReceived):
                    self.streams[event.stream_id] = H2Stream(self, event)
                elif isinstance(event, DataReceived):
                    self.streams[event.stream_id].received += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    whole.append(self.streams[event.stream_id])
                elif isinstance(event, StreamReset):
                    self.streams[event.stream_id].closed.set()
                elif isinstance(event, ConnectionTerminated):
                    self._close()
                if isinstance(event, StreamReset | WindowUpdated):
                    self.changed.notify_all()
            self.flush()
        return whole

    def close(self) -> None:
        with self.changed:
            self._close()

    def _close(self) -> None:
        for stream in self.streams.values():
            stream.closed.set()
        self.changed.notify_all()


class H2Server(Listener):
    """Call ``script(stream, request)`` for each request, and keep what was asked.

    Args:
        script: Runs in the stream's thread; streams are served side by side.
    """

    def __init__(self, script: Callable[[H2Stream, Request], None]) -> None:
        super().__init__()
        self.scheme = "https"
        self.requests: list[Request] = []
        self._script = script

    def serve(self, sock: socket.socket) -> None:
        session = _Session(sock, server_context(alpn=("h2",)))
        session.handshake()
        scripts: list[threading.Thread] = []
        try:
            session.do(lambda h2: h2.initiate_connection())
            while data := sock.recv(65536):
                for stream in session.receive(data):
                    script = threading.Thread(target=self._answer, args=(sock, stream), daemon=True)
                    scripts.append(script)
                    script.start()
        finally:
            session.close()
            for script in scripts:
                script.join()

    def _answer(self, sock: socket.socket, stream: H2Stream) -> None:
        request = stream.request()
        self.requests.append(request)
        try:
            self._script(stream, request)
        except BaseException as error:
            if not (isinstance(error, ConnectionError) or stream.closed.is_set()):
                self.errors.append(error)
                hang_up(sock)
