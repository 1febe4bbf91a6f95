"""Frozen data classes: Request, Response, Piece, Failure, Interaction, CassetteData.

The `repr` of each is safe to print: it has names and sizes, and never a value that may be a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from http.client import responses
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

Ended = Literal["complete", "closed", "failed"]
"""How a response ended: whole, closed by its consumer, or failed under way."""

Headers = tuple[tuple[str, str], ...]
"""Header fields in their order; names as they were sent, a name may come more than once."""


class Piece(NamedTuple):
    """One read off the wire: when it came, in ms since the request started, and its bytes."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A request as it is matched and kept.

    Args:
        method: In upper case.
        url: Absolute.
        headers: Those that are kept.
        body: The bytes sent; empty where there was no body.

    Example:
        >>> Request("GET", "https://me:pw@a.example/v1?key=123", (("x-api-key", "sk-123"),))
        Request(GET https://a.example/v1?key=..., headers=[x-api-key], body=0 bytes)
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of header `name` (lower case), or None."""
        return _first(self.headers, name)

    def __repr__(self) -> str:
        return f"Request({self.method} {_safe_url(self.url)}, {_sizes(self.headers, self.body)})"


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that ended a response.

    Args:
        type: The bare name of its class; None where the stream ended silently.
        message: Its text.
        category: What kind of failure, whatever the library calls it: ``connect``, ``timeout``,
            ``reset``, ``protocol``, ...; None if unknown.
    """

    type: str | None
    message: str = field(repr=False)
    category: str | None = None

    @property
    def raises(self) -> bool:
        """Whether a transport raised it; a stream that ended silently has neither."""
        return (self.type or self.category) is not None


@dataclass(frozen=True, repr=False)
class Response:
    """A response as it is kept: decoded of any content encoding, its pieces as they came.

    Args:
        status: The HTTP status; None where the request failed before a response began.
        headers: Those that are kept.
        pieces: The body, a piece for each read off the wire. Their joined bytes are the body.
        headers_after: ms from the request's start to the response's headers; None if unknown.
        http_version: As httpx names it: ``HTTP/1.1``, ``HTTP/2``.
        ended: How it ended.
        error: What it failed with, for `ended` ``failed``.
        reason: The text after the status; None for the usual one.
    """

    status: int | None
    headers: Headers = ()
    pieces: tuple[Piece, ...] = ()
    headers_after: int | None = None
    http_version: str = "HTTP/1.1"
    ended: Ended = "complete"
    error: Failure | None = None
    reason: str | None = None

    @cached_property
    def body(self) -> bytes:
        """The bytes of all pieces."""
        return b"".join(self.parts)

    @cached_property
    def parts(self) -> tuple[bytes, ...]:
        """The bytes of each piece."""
        return tuple([data for _, data in self.pieces])

    @property
    def reason_phrase(self) -> str:
        """The text after the status."""
        return responses.get(self.status or 0, "") if self.reason is None else self.reason

    def header(self, name: str) -> str | None:
        """Return the first value of header `name` (lower case), or None."""
        return _first(self.headers, name)

    def but(self, **values: Any) -> Response:
        """Return it with other values, not of its pieces: its body is not joined again."""
        other = replace(self, **values)
        vars(other)["body"] = self.body
        return other

    def forget(self) -> None:
        """Let go of the joined body until it is asked for again."""
        vars(self).pop("body", None)
        vars(self).pop("parts", None)

    def __repr__(self) -> str:
        error = f", error={self.error!r}" if self.error else ""
        sizes = _sizes(self.headers, self.body)
        return f"Response({self.status} {self.ended}, {sizes}, pieces={len(self.pieces)}{error})"


TEARDOWN = " (teardown)"
UNFINISHED = " (unfinished)"
"""What may follow the owner in ``recorded_by``."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its response.

    Args:
        request: What was asked.
        response: What came.
        recorded_at: When the request started, UTC, ``2026-11-22T10:30:00Z``; empty if unknown.
        recorded_by: Its owner, a pytest node id for example; None if unknown.
    """

    request: Request
    response: Response
    recorded_at: str = ""
    recorded_by: str | None = None

    @property
    def owner(self) -> str | None:
        """Its owner by name alone: not whether in its teardown, or in a run that failed."""
        return self.recorded_by and self.signed_by.removesuffix(TEARDOWN)

    @property
    def signed_by(self) -> str:
        """Its owner and whether in its teardown, but not whether in a run that failed."""
        return (self.recorded_by or "").removesuffix(UNFINISHED)

    @property
    def is_unfinished(self) -> bool:
        """Whether its owner failed in the run that recorded it, and did not succeed since."""
        return self.recorded_by is not None and self.recorded_by.endswith(UNFINISHED)


@dataclass(frozen=True, slots=True)
class CassetteData:
    """What one cassette file holds.

    Args:
        interactions: In the order in which their requests started.
        recorded_with: The program that wrote the file.
        foreign: The format of the file, ``vcrpy`` for example; empty for ours.
        left_out: How many interactions of a foreign file are no HTTP: gRPC, WebSocket.
    """

    interactions: tuple[Interaction, ...] = ()
    recorded_with: str = ""
    foreign: str = ""
    left_out: int = 0


def _first(headers: Headers, name: str) -> str | None:
    for key, value in headers:
        if len(key) == len(name) and key.lower() == name:
            return value
    return None


def _safe_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an invalid URL"
    pairs = [pair.partition("=") for pair in parts.query.split("&") if pair]
    query = "&".join(f"{name}=..." if equals else "..." for name, equals, _ in pairs)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?' if query else ''}{query}"


def _sizes(headers: Headers, body: bytes) -> str:
    return f"headers=[{', '.join(name for name, _ in headers)}], body={len(body)} bytes"
