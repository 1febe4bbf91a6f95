"""What all servers share: a socket that accepts, a thread a connection, and errors that surface."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

WATCHDOG = 10.0
"""Seconds after which a wait that nobody answers is given up as a failure."""


class ScriptError(AssertionError):
    """A server's script did something that cannot be meant, or waited in vain."""


class Listener:
    """Accept connections on 127.0.0.1 and `serve` each in a thread of its own.

    What a thread raises is raised at exit; or, where the test is failing already, noted on its
    exception. A client that goes away is no error.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.scheme = "https" if tls else "http"
        self.connections = 0
        self.errors: list[BaseException] = []
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closing = False
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listening.getsockname()

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        if not self.errors:
            return
        if error is None:
            raise self.errors[0]
        for mine in self.errors:
            error.add_note(f"{type(self).__name__}: {mine!r}")

    def close(self) -> None:
        """Stop listening, close every connection, and wait for their threads."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        # An accept that waits is not woken by closing its socket, but by a connection.
        socket.create_connection((self.host, self.port)).close()
        self._threads[0].join()
        self._listening.close()
        with self._lock:
            for sock in self._open:
                hang_up(sock)
        for thread in self._threads:
            thread.join(WATCHDOG + 1)
            if thread.is_alive():
                self.errors.append(ScriptError(f"{thread.name} did not end"))

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listening.accept()
            with self._lock:
                if self._closing:
                    sock.close()
                    return
                self.connections += 1
                self._open.add(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start(self._run, sock)

    def _run(self, sock: socket.socket) -> None:
        try:
            if self._tls is not None:
                sock = self._wrapped(sock, self._tls)
            self.serve(sock)
        except (ConnectionError, ssl.SSLError):
            pass
        except BaseException as error:
            self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def _wrapped(self, sock: socket.socket, tls: ssl.SSLContext) -> socket.socket:
        with self._lock:
            self._open.discard(sock)
            wrapped = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            self._open.add(wrapped)
        try:
            wrapped.do_handshake()
        except BaseException:
            with self._lock:
                self._open.discard(wrapped)
            wrapped.close()
            raise
        return wrapped


def hang_up(sock: socket.socket) -> None:
    """Wake whoever reads from or writes to `sock`, in whatever thread, with its end."""
    with contextlib.suppress(OSError):
        # SSLSocket.shutdown would drop the TLS state under a thread that is using it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
