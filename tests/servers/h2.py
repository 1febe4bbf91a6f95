"""An HTTP/2 server over TLS with scripts as answers, one after the other."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded

from .listener import Listener, Request, server_context


class H2Stream:
    """A script's end of one stream."""

    def __init__(self, sock: socket.socket, h2: H2Connection, id_: int) -> None:
        self._sock = sock
        self._h2 = h2
        self._id = id_

    def head(self, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send the headers; an event stream's content type if None."""
        given = headers if headers is not None else {"content-type": "text/event-stream"}
        self._h2.send_headers(self._id, [(":status", str(status)), *given.items()])
        self._flush()

    def piece(self, data: bytes) -> None:
        """Send a piece of the body, which as a whole fits into the client's window (64 KiB)."""
        self._h2.send_data(self._id, data)
        self._flush()

    def end(self) -> None:
        self._h2.end_stream(self._id)
        self._flush()

    def reset(self) -> None:
        """Break this stream (RST_STREAM); the connection lives on."""
        self._h2.reset_stream(self._id, ErrorCodes.INTERNAL_ERROR)
        self._flush()

    def _flush(self) -> None:
        self._sock.sendall(self._h2.data_to_send())


class H2Server(Listener):
    """Call ``script(stream, request)`` for each request, and keep the requests."""

    def __init__(self, script: Callable[[H2Stream, Request], None]) -> None:
        super().__init__(tls=server_context(alpn=("h2",)))
        self._script = script

    def serve(self, sock: socket.socket) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        h2.initiate_connection()
        sock.sendall(h2.data_to_send())
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        while data := sock.recv(65536):
            for event in h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    heads[event.stream_id] = {str(k): str(v) for k, v in event.headers}
                    bodies[event.stream_id] = b""
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                    h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    head = heads[event.stream_id]
                    headers = {k: v for k, v in head.items() if not k.startswith(":")}
                    body = bodies[event.stream_id]
                    request = Request(head[":method"], head[":path"], headers, body)
                    self.requests.append(request)
                    self._script(H2Stream(sock, h2, event.stream_id), request)
            sock.sendall(h2.data_to_send())
