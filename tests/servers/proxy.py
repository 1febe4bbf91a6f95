"""A minimal HTTP proxy: CONNECT tunnels, and plain requests in absolute form."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

from .listener import Listener, hang_up
from .raw import Request, read_request


class Proxy(Listener):
    """Forward what it is asked to, and keep each request as it was asked: `.requests`."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []

    def serve(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as stream:
            request = read_request(stream)
            if request is None:
                return
            parts = urlsplit(request.path if "://" in request.path else f"//{request.path}")
            with socket.create_connection((parts.hostname, parts.port or 80)) as upstream:
                if request.method == "CONNECT":
                    self.requests.append(request)
                    sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = self._pump(upstream, sock)
                    _copy(sock, upstream)
                else:
                    back = self._pump(upstream, sock)
                    while request is not None:
                        self.requests.append(request)
                        upstream.sendall(_in_origin_form(request))
                        request = read_request(stream)
                hang_up(upstream)
                back.join()

    def _pump(self, source: socket.socket, target: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=_copy, args=(source, target), daemon=True)
        thread.start()
        return thread


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
