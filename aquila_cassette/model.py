"""What is on a cassette: frozen requests, responses and interactions, free of any HTTP library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = [
    "CassetteData",
    "Ended",
    "Failure",
    "Headers",
    "Interaction",
    "Piece",
    "Request",
    "Response",
]

Ended = Literal["complete", "closed", "failed"]
"""How a response ended: whole, closed by its consumer, or failed under way."""

Headers = tuple[tuple[str, str], ...]
"""Header fields in their order; names in lower case, a name may come more than once."""


class Piece(NamedTuple):
    """One read off the wire: when it came, in ms since the request started, and its bytes."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is matched and kept: redacted, its body whole.

    Args:
        method: In upper case.
        url: Absolute, secrets redacted.
        headers: Those that the allow-list keeps.
        body: The bytes sent; empty where there was no body.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Give the first value of header `name` (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that ended a response: its class's bare name (None: a silent end), its text."""

    type: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it is kept: decoded of any content encoding, its pieces as they came.

    Args:
        status: The HTTP status; None where the request failed before a response began.
        headers: Those that the allow-list keeps.
        pieces: The body, a piece for each read off the wire. Their joined bytes are the body.
        headers_after: ms from the request's start to the response's headers; None if unknown.
        http_version: As httpx names it: ``HTTP/1.1``, ``HTTP/2``.
        ended: How it ended.
        error: What it failed with, for `ended` ``failed``.
    """

    status: int | None
    headers: Headers = ()
    pieces: tuple[Piece, ...] = ()
    headers_after: int | None = None
    http_version: str = "HTTP/1.1"
    ended: Ended = "complete"
    error: Failure | None = None

    @property
    def body(self) -> bytes:
        """The bytes of all pieces."""
        return b"".join([piece.data for piece in self.pieces])

    def header(self, name: str) -> str | None:
        """Give the first value of header `name` (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its response.

    Args:
        request: What was asked.
        response: What came.
        recorded_at: When the request started, UTC, ``2026-11-22T10:30:00Z``; empty if unknown.
        recorded_by: Whose it is: a pytest node id; None outside pytest.
    """

    request: Request
    response: Response
    recorded_at: str = ""
    recorded_by: str | None = None


@dataclass(frozen=True, slots=True)
class CassetteData:
    """What one cassette file holds.

    Args:
        interactions: In the order in which their requests started.
        recorded_with: The program that wrote the file.
        foreign: Whose format the file has, ``vcrpy`` for example; empty for ours.
    """

    interactions: tuple[Interaction, ...] = ()
    recorded_with: str = ""
    foreign: str = ""
