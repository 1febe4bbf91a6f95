"""What all servers share: a thread for each connection, errors that surface, a certificate."""

import contextlib
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

WATCHDOG = 10.0
"""Seconds after which a wait for the test or the client is a failure."""


@dataclass(frozen=True)
class Request:
    """One request, whole: `path` as on the wire, header names in lower case, chunks joined."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class ScriptError(AssertionError):
    """A script did something invalid, or waited for something that did not happen."""


class Listener:
    """Accept connections on 127.0.0.1 and `serve` each in a thread of its own.

    What a thread raises is raised at exit; or, where the test is failing already, noted on its
    exception. A client that goes away is no error.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.connections = 0
        self.errors: list[BaseException] = []
        self.requests: list[Request] = []
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_closing = False
        self._listening = socket.create_server(("127.0.0.1", port))
        self.host, self.port = self._listening.getsockname()
        self.url = f"{'https' if tls else 'http'}://{self.host}:{self.port}"

    def serve(self, sock: socket.socket) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.close()
        if self.errors and error is None:
            raise self.errors[0]
        for mine in self.errors:
            error.add_note(f"{type(self).__name__}: {mine!r}")  # type: ignore[union-attr]

    def close(self) -> None:
        """Stop listening, close every connection, and wait for their threads."""
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
        # Closing a socket does not wake a thread that waits to accept; a connection does.
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

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listening.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                if self._is_closing:
                    sock.close()
                    return
                self.connections += 1
                if self._tls is not None:
                    sock = self._tls.wrap_socket(
                        sock, server_side=True, do_handshake_on_connect=False
                    )
                self._open.add(sock)
            self._start(self._run, sock)

    def _run(self, sock: socket.socket) -> None:
        try:
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            self.serve(sock)
        except (ConnectionError, ssl.SSLError):
            pass
        except BaseException as error:
            self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()


def hang_up(sock: socket.socket) -> None:
    """Wake whoever reads from or writes to `sock`, in whatever thread, with its end."""
    with contextlib.suppress(OSError):
        # SSLSocket.shutdown would drop the TLS state under a thread that is using it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@cache
def _certificate() -> bytes:
    """Make a certificate for localhost and 127.0.0.1, signed by itself; return it with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    form, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, form, encryption)
    return certificate.public_bytes(serialization.Encoding.PEM) + private


def server_context(*, alpn: tuple[str, ...] = ()) -> ssl.SSLContext:
    """Return a context with the certificate, that offers `alpn`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        file = Path(folder, "certificate.pem")
        file.write_bytes(_certificate())
        context.load_cert_chain(file)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def client_context() -> ssl.SSLContext:
    """Return a context that trusts the certificate; pass it as httpx's `verify`."""
    return ssl.create_default_context(cadata=_certificate().decode())
