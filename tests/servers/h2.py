"""An HTTP/2 server over TLS, with one answer to all requests."""

import socket
from collections.abc import Iterable

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

from .listener import Listener, server_context


class H2Server(Listener):
    """Send an event stream of these frames, and end it, or break it (RST_STREAM) for ``/reset``."""

    def __init__(self, frames: Iterable[bytes]) -> None:
        super().__init__(tls=server_context(alpn=("h2",)))
        self._frames = frames

    def serve(self, sock: socket.socket) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        h2.initiate_connection()
        sock.sendall(h2.data_to_send())
        paths: dict[int, str] = {}
        while data := sock.recv(65536):
            for event in h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    paths[event.stream_id] = dict(event.headers)[":path"]
                elif isinstance(event, StreamEnded):
                    self._answer(h2, sock, event.stream_id, paths[event.stream_id])
            sock.sendall(h2.data_to_send())

    def _answer(self, h2: H2Connection, sock: socket.socket, stream: int, path: str) -> None:
        h2.send_headers(stream, [(":status", "200"), ("content-type", "text/event-stream")])
        for frame in self._frames:
            h2.send_data(stream, frame)
            sock.sendall(h2.data_to_send())
        (h2.reset_stream if path == "/reset" else h2.end_stream)(stream)
