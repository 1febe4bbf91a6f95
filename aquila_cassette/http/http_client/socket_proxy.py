"""What stands in for a connection's socket until it is known who answers."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aquila_cassette.http import pacing
from aquila_cassette.http.http_client.errors import comes_with_the_answer, failure
from aquila_cassette.http.http_client.live_file import LiveFile
from aquila_cassette.http.http_client.replay_file import played_file
from aquila_cassette.http.http_client.request_parser import Sent
from aquila_cassette.model import Headers, Request
from aquila_cassette.session.player import Player
from aquila_cassette.session.recorder import Recorder

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

__all__ = ["Line"]

_OPENING = "_aquila_opens"
_VERSIONS = {10: "HTTP/1.0", 11: "HTTP/1.1"}


class Line:
    """The stand-in for one request: it hears it, asks the cassette, and gives the answer.

    It is gone from the connection once the answer's head is there: a replay leaves behind the
    socket that was there before, or none, and a recording leaves the real one.

    Args:
        connection: A connection of http.client or of a subclass.
        cassette: The cassette in force.
        real: The socket that the connection had.
    """

    def __init__(self, connection: Any, cassette: Session, real: Any = None) -> None:
        self._connection = connection
        self._cassette = cassette
        self._real: Any = real
        self._sent = Sent()
        self._decided = False
        self._answer: Recorder | Player | None = None
        self._file: Any = None
        self._unsent: Exception | None = None

    @staticmethod
    def is_opening(connection: Any) -> bool:
        """Tell whether `connection` connects on behalf of a stand-in."""
        return _OPENING in vars(connection)

    def pretend_to_be_connected(self) -> None:
        """Take the socket's place before there is one."""
        connection = self._connection
        connection.sock = self
        if hasattr(connection, "is_verified"):  # urllib3 warns where a certificate is not verified
            connection.is_verified = bool(
                getattr(connection, "assert_fingerprint", None)
            ) or getattr(connection, "cert_reqs", None) in (ssl.CERT_REQUIRED, "CERT_REQUIRED")

    def step_aside(self) -> None:
        """Give the connection back the socket it had."""
        if self._connection.sock is self:
            self._connection.sock = self._real

    def response(self, getresponse: Callable[[], Any]) -> Any:
        """Give the connection's answer.

        Args:
            getresponse: The connection's own method, which makes a file of its socket.
        """
        if not self._decided:
            self._decide()
        answer = self._answer
        if answer is None:
            return getresponse()
        try:
            if isinstance(answer, Player):
                pacing.wait(answer.response_delay())
                return getresponse()
            with answer:
                response = getresponse()
            answer.start_response(
                response.status, _headers(response), _VERSIONS.get(response.version, "HTTP/1.1")
            )
            self._file.begin(chunked=response.chunked, length=response.length)
            return response
        finally:
            self.step_aside()

    # What http.client and others ask of a socket.

    def sendall(self, data: Any) -> None:
        """Hear a part of the request; with its last part the answer is decided."""
        data = bytes(memoryview(data))
        if self._decided:
            self._pass_on(data)
            return
        self._sent.hear(data)
        if self._sent.whole:
            self._decide()

    def makefile(self, mode: str = "r", buffering: int | None = None) -> Any:
        """Make the file that the answer is read from."""
        answer = self._answer
        if isinstance(answer, Player):
            make_error = functools.partial(failure, self._connection)
            self._file = played_file(answer, make_error)
        elif answer is not None:
            self._file = LiveFile(self._real.makefile("rb", buffering=0), answer)
        else:
            return self._real.makefile(mode, buffering)
        return self._file

    def settimeout(self, timeout: float | None) -> None:
        """Set how long the real socket waits, if there is one; a replay never does."""
        if self._real is not None:
            self._real.settimeout(timeout)

    def shutdown(self, how: int) -> None:
        """Shut down the real socket, if there is one."""
        if self._real is not None and not isinstance(self._answer, Player):
            self._real.shutdown(how)

    def close(self) -> None:
        """Close it; an answer that is being read goes on, as it does with sockets."""
        answer = self._answer
        if self._file is None and answer is not None:
            if isinstance(answer, Player):
                answer.finished()
            elif self._unsent is not None:
                answer.failed(self._unsent)
            else:
                answer.closed()
        if self._real is not None:
            self._real.close()

    def __getattr__(self, name: str) -> Any:
        real = self.__dict__.get("_real")
        if real is None:
            raise AttributeError(name)
        return getattr(real, name)

    # How it works.

    def _decide(self) -> None:
        self._decided = True
        sent = self._sent
        try:
            self._answer = (
                None if sent.header("upgrade") else self._cassette.handle(self._request())
            )
        except BaseException:
            self.step_aside()
            raise
        answer = self._answer
        if isinstance(answer, Player):
            self._fail_to_connect(answer)
        elif answer is not None:
            with answer:
                self._open()
            self._pass_on(sent.uncompressed())
        else:
            self._open()
            self.step_aside()
            self._real.sendall(sent.as_it_is())

    def _request(self) -> Request:
        sent = self._sent
        return Request(sent.method, self._url(), sent.headers, sent.body)

    def _url(self) -> str:
        target = self._sent.target
        if target.startswith(("http://", "https://")):  # a proxy is asked to fetch it
            return target
        connection = self._connection
        secure = getattr(connection, "default_port", 80) == 443
        host, port = connection.host, connection.port
        if connection._tunnel_host:
            host, port = connection._tunnel_host, connection._tunnel_port
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        at = "" if port in (None, 443 if secure else 80) else f":{port}"
        return f"{'https' if secure else 'http'}://{host}{at}{target}"

    def _fail_to_connect(self, replay: Player) -> None:
        """Raise what was raised before the request could be sent, if so it was."""
        response = replay.interaction.response
        if response.status is not None:
            return
        error = response.error
        if error is None or error.type is None or not comes_with_the_answer(error.type):
            self.step_aside()
            replay.finished()
            replay.raise_ending(functools.partial(failure, self._connection))

    def _open(self) -> None:
        """Have the connection connect, unless it is; then stand before its socket."""
        if self._real is not None:
            return
        connection = self._connection
        connection.sock = None
        vars(connection)[_OPENING] = True
        try:
            connection.connect()
        finally:
            del vars(connection)[_OPENING]
        self._real = connection.sock
        connection.sock = self

    def _pass_on(self, data: bytes) -> None:
        if isinstance(self._answer, Player):
            return
        try:
            self._real.sendall(data)
        except Exception as error:
            # The server may have answered all the same: libraries look.
            self._unsent = error
            raise


def _headers(response: Any) -> Headers:
    # http.client reads headers as Latin-1, and so do we.
    return tuple((name.lower(), value) for name, value in response.headers.items())
