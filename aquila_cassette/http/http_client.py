"""The adapter for http.client of the standard library: requests, urllib3, urllib, boto3, httplib2.

urllib, urllib3, requests, botocore and httplib2 all end in ``http.client.HTTPConnection``, most in
subclasses of it. There a proxy takes the socket's place while a cassette is open: it collects the
request to its end, has it decided, and then either opens the real socket and records what comes, or
replays the response. The library's own parsing, pooling and errors stay above it.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
from collections.abc import Callable
from http.client import HTTPResponse
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from aquila_cassette.http.dispatcher import decide, find_session, replayed_errors
from aquila_cassette.http.http_client_response import (
    BUFFER,
    FramedBody,
    RecordedRaw,
    ReplayedRaw,
    error_of,
)
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Headers, Request
from aquila_cassette.session.current_session import sending
from aquila_cassette.session.failures import with_category
from aquila_cassette.session.player import Player
from aquila_cassette.session.recorder import Recorder

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session


def install(lib: ModuleType) -> None:
    """Patch ``http.client.HTTPConnection`` and its subclasses, those to come included.

    Subclasses bring a ``connect`` of their own and may be made at any time, so each class is
    patched as it is made; all else comes down to the base class.
    """
    base = lib.HTTPConnection
    patch(base, "putrequest", _putrequest)
    patch(base, "putheader", _putheader)
    patch(base, "getresponse", _getresponse)
    _patch_connect(base)

    def patch_subclass(cls: Any, /, **kwargs: Any) -> None:
        super(base, cls).__init_subclass__(**kwargs)
        _patch_connect(cls)

    base.__init_subclass__ = classmethod(patch_subclass)


def _patch_connect(cls: Any) -> None:
    if "connect" in vars(cls):
        patch(cls, "connect", _connect)
    for subclass in cls.__subclasses__():
        _patch_connect(subclass)


def _connect(original: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    if connection.sock is None and _OPENING not in vars(connection):
        session = find_session()
        if session is not None:
            connection.sock = SocketProxy(connection, session)
            connection.is_verified = True  # urllib3 would warn that no certificate was verified
            return None
    return original(*args, **kwargs)


def _putrequest(original: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    before = connection.sock
    session = find_session()
    if isinstance(before, SocketProxy):  # it pretended to be connected, and sent nothing so far
        before.leave()
    if session is not None:
        connection.sock = SocketProxy(connection, session, real=connection.sock)
    try:
        return original(*args, **kwargs)
    except BaseException:
        connection.sock = before
        raise


def _putheader(original: Callable[..., Any], connection: Any, header: Any, *values: Any) -> Any:
    name = header.decode("latin-1") if isinstance(header, bytes) else str(header)
    if isinstance(connection.sock, SocketProxy) and name.lower() == "expect":
        # Nobody is there yet who could say "100 Continue".
        if hasattr(connection, "_expect_header_set"):  # botocore would wait a second for it
            connection._expect_header_set = False
        return None
    return original(header, *values)


def _getresponse(original: Callable[..., Any], connection: Any, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    proxy = connection.sock
    getresponse = functools.partial(original, *args, **kwargs)
    return proxy.response(getresponse) if isinstance(proxy, SocketProxy) else getresponse()


_OPENING = "_aquila_opening"


def _is_of_connecting(error: Failure | None) -> bool:
    """Return whether it was raised before the request could be sent, not when the answer was read."""
    category = None if error is None else with_category(error).category
    return category in (None, "connect", "tls", "connect-timeout")


class SocketProxy:
    """Takes the place of a connection's socket for one request, until the response begins.

    Then a replay leaves the socket that was there before, or none, and a recording the real one.
    """

    def __init__(self, connection: Any, session: Session, real: Any = None) -> None:
        self._connection = connection
        self._session = session
        self._real: Any = real
        self._sent = SentRequest()
        self._is_decided = False
        self._answer: Recorder | Player | None = None
        self._file: Any = None
        self._unsent: Exception | None = None

    def leave(self) -> None:
        """Give the connection back the socket it had."""
        if self._connection.sock is self:
            self._connection.sock = self._real

    def response(self, getresponse: Callable[[], Any]) -> Any:
        """Return the response that `getresponse` of the connection reads from `makefile`."""
        __tracebackhide__ = True
        if not self._is_decided:
            self._decide()
        answer = self._answer
        if answer is None:
            return getresponse()
        try:
            if isinstance(answer, Recorder) and not answer.holds:
                with answer:
                    response = getresponse()
                self._begin_body(answer, response)
                return response
            if isinstance(answer, Recorder):
                answer = self._answer = self._record_whole(answer)
            answer.wait_for_response()
            return getresponse()
        finally:
            self.leave()

    def _begin_body(self, recorder: Recorder, response: Any) -> None:
        headers = tuple(response.headers.items())
        version = "HTTP/1.0" if response.version == 10 else "HTTP/1.1"
        recorder.start_response(response.status, headers, version, response.reason)
        file = self._file
        file.raw.begin_body(file, chunked=response.chunked, length=response.length)

    def _record_whole(self, recorder: Recorder) -> Player:
        """Record the response to its end, and return its held replay; no other one uses the socket."""
        socket, real = cast("Any", self), self._real
        with replayed_errors(recorder), contextlib.closing(real), recorder:
            response = HTTPResponse(socket, method=self._sent.method)
            response.begin()
            self._begin_body(recorder, response)
            response.read()
        self._real = None
        recorder.closed()
        return recorder.replay()

    # What http.client and others call on a socket.

    def sendall(self, data: Any) -> None:
        """Collect a part of the request; with its last part it is decided."""
        __tracebackhide__ = True
        data = bytes(memoryview(data))
        if self._is_decided:
            self._pass_on(data)
            return
        self._sent.add(data)
        if self._sent.is_whole:
            self._decide()

    def makefile(self, mode: str = "r", buffering: int | None = None) -> Any:
        answer = self._answer
        if isinstance(answer, Player):
            make_error = functools.partial(error_of, self._connection, answer)
            raw: io.RawIOBase = ReplayedRaw(answer, make_error)
        elif answer is not None:
            raw = RecordedRaw(self._real.makefile("rb", buffering=0), answer)
        else:
            return self._real.makefile(mode, buffering)
        self._file = io.BufferedReader(raw, BUFFER)
        return self._file

    def settimeout(self, timeout: float | None) -> None:
        if self._real is not None:
            self._real.settimeout(timeout)

    def shutdown(self, how: int) -> None:
        if self._real is not None and not isinstance(self._answer, Player):
            self._real.shutdown(how)

    def close(self) -> None:
        """Close it; a response that is being read goes on, as it does with sockets."""
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

    def _decide(self) -> None:
        __tracebackhide__ = True
        self._is_decided = True
        sent = self._sent
        try:
            request = Request(sent.method, self._url(), sent.headers, bytes(sent.body))
            answer = self._answer = decide(self._session, request)
        except BaseException:
            self.leave()
            raise
        if isinstance(answer, Player):
            error = answer.interaction.response.error
            if answer.interaction.response.status is None and _is_of_connecting(error):
                self.leave()
                answer.finished()
                answer.raise_ending(functools.partial(error_of, self._connection, answer))
        elif answer is not None:
            with answer:
                self._open()
            self._pass_on(sent.uncompressed())
        else:
            self._open()
            self.leave()
            self._real.sendall(sent.raw)

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

    def _open(self) -> None:
        """Have the connection connect, unless it is; then stay in front of its socket."""
        if self._real is not None:
            return
        connection = self._connection
        connection.sock = None
        vars(connection)[_OPENING] = True
        try:
            with sending():
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


_ACCEPT_ENCODING = re.compile(rb"(?im)^accept-encoding:[^\r]*")
_SIGNED = re.compile(rb"(?im)^authorization:[^\r]*accept-encoding")


class SentRequest:
    """The bytes of one request, as they are sent."""

    method = ""
    target = ""
    """What is asked for: a path, or a whole URL where a proxy is asked."""
    headers: Headers = ()

    def __init__(self) -> None:
        self.raw = bytearray()
        self.body = bytearray()  # chunks joined
        self._framed: FramedBody | None = None  # until the headers are whole

    @property
    def is_whole(self) -> bool:
        return self._framed is not None and self._framed.is_over

    def add(self, data: bytes) -> None:
        self.raw += data
        if self._framed is None:
            head, found, data = bytes(self.raw).partition(b"\r\n\r\n")
            if not found:
                return
            self._framed = self._parse(head.decode("latin-1"))
        for part in self._framed.consume(data):
            self.body += part

    def uncompressed(self) -> bytes:
        """Return the bytes, asking for a body as it is, so that each piece can be read as it comes.

        What is part of a signature stays.
        """
        head, end, body = bytes(self.raw).partition(b"\r\n\r\n")
        if not _SIGNED.search(head):
            head = _ACCEPT_ENCODING.sub(b"Accept-Encoding: identity", head)
        return head + end + body

    def _parse(self, head: str) -> FramedBody:
        first, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")  # a folded line is one
        method, _, rest = first.partition(" ")
        self.method = method.upper()
        self.target = rest.rpartition(" ")[0]
        pairs = (line.partition(":") for line in lines)
        self.headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
        named = {name.lower(): value for name, value in self.headers}
        length = named.get("content-length", "")
        return FramedBody(
            chunked="chunked" in named.get("transfer-encoding", "").lower(),
            length=int(length) if length.isdigit() else 0,
        )
