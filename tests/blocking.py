"""The libraries that end in http.client, behind one face: a test says once what all must do."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import urllib3

__all__ = ["FACES", "Face", "Reply", "every_face"]


class Reply:
    """A response as a test reads it: its status, its headers, and its pieces one at a time."""

    def __init__(self, status: int, headers: Any, pieces: Iterator[bytes], response: Any) -> None:
        self.status = status
        self.headers = headers
        self.response = response
        self._pieces = pieces

    def piece(self) -> bytes:
        """Read the next piece; StopIteration at the end."""
        return next(self._pieces)

    def pieces(self) -> list[bytes]:
        """Read all that are left."""
        return list(self._pieces)


class Face:
    """One of the ways to send a request.

    Args:
        timeout: What a read that takes too long raises.
        cut: What an answer that broke off raises.
        reset: What a connection that was reset raises.
        refused: What a connection that is refused raises.
    """

    def __init__(
        self,
        name: str,
        *,
        timeout: type[Exception],
        cut: type[Exception],
        reset: type[Exception],
        refused: type[Exception],
    ) -> None:
        self.name = name
        self.timeout = timeout
        self.cut = cut
        self.reset = reset
        self.refused = refused

    def __repr__(self) -> str:
        return self.name

    def stream(
        self, url: str, *, json: object = None, timeout: float = 10
    ) -> contextlib.AbstractContextManager[Reply]:
        """Open a POST of `json` (a GET without) and read its pieces as they come."""
        opened: contextlib.AbstractContextManager[Reply] = getattr(self, f"_{self.name}")(
            url, _method(json), _body(json), timeout
        )
        return opened

    def pieces(self, url: str, **request: Any) -> list[bytes]:
        """Open a stream and read all its pieces."""
        with self.stream(url, **request) as reply:
            return reply.pieces()

    @contextlib.contextmanager
    def _requests(
        self, url: str, method: str, body: bytes | None, timeout: float
    ) -> Iterator[Reply]:
        with (
            requests.Session() as session,
            session.request(method, url, data=body, stream=True, timeout=timeout) as response,
        ):
            pieces = response.iter_content(None)
            yield Reply(response.status_code, response.headers, pieces, response)

    @contextlib.contextmanager
    def _urllib3(
        self, url: str, method: str, body: bytes | None, timeout: float
    ) -> Iterator[Reply]:
        with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
            response = pool.request(method, url, body=body, preload_content=False)
            try:
                yield Reply(response.status, response.headers, response.stream(), response)
            finally:
                response.close()

    @contextlib.contextmanager
    def _urllib(self, url: str, method: str, body: bytes | None, timeout: float) -> Iterator[Reply]:
        request = urllib.request.Request(url, body, method=method)
        try:
            opened = urllib.request.urlopen(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            opened = error  # it raises an answer, which can be read like any other
        with opened as response:
            pieces = iter(response.read1, b"")
            yield Reply(response.status, response.headers, pieces, response)

    @contextlib.contextmanager
    def _http_client(
        self, url: str, method: str, body: bytes | None, timeout: float
    ) -> Iterator[Reply]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
        try:
            connection.request(method, parts.path or "/", body)
            with connection.getresponse() as response:
                pieces = iter(response.read1, b"")
                yield Reply(response.status, response.headers, pieces, response)
        finally:
            connection.close()


def _method(json: object) -> str:
    return "GET" if json is None else "POST"


def _body(data: object) -> bytes | None:
    return None if data is None else json.dumps(data).encode()


_REQUESTS = requests.exceptions
_URLLIB3 = urllib3.exceptions

FACES = [
    Face(
        "requests",
        timeout=_REQUESTS.ConnectionError,
        cut=_REQUESTS.ChunkedEncodingError,
        reset=_REQUESTS.ChunkedEncodingError,
        refused=_REQUESTS.ConnectionError,
    ),
    Face(
        "urllib3",
        timeout=_URLLIB3.ReadTimeoutError,
        cut=_URLLIB3.ProtocolError,
        reset=_URLLIB3.ProtocolError,
        refused=_URLLIB3.NewConnectionError,
    ),
    Face(
        "urllib",
        timeout=TimeoutError,
        cut=http.client.IncompleteRead,
        reset=ConnectionResetError,
        refused=urllib.request.URLError,  # type: ignore[attr-defined]
    ),
    Face(
        "http_client",
        timeout=TimeoutError,
        cut=http.client.IncompleteRead,
        reset=ConnectionResetError,
        refused=ConnectionRefusedError,
    ),
]
every_face = pytest.mark.parametrize("face", FACES, ids=repr)
