"""Cassettes as this version writes them."""

from pathlib import Path

from aquila_cassette.model import CassetteData, Headers, Interaction, Piece, Request, Response
from aquila_cassette.storage.format import encode

JSON: Headers = (("content-type", "application/json"),)
EVENTS: Headers = (("content-type", "text/event-stream"),)
BY = "tests/test_chat.py::test_reply"

PIECES = (
    Piece(
        300, b'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"Hi"}}]}\n\n'
    ),
    Piece(330, b"data: [DONE]\n\n"),
)


def chat(
    *,
    url: str = "https://api.example.com/v1/chat/completions",
    sent: bytes = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}',
    pieces: tuple[Piece, ...] = PIECES,
    recorded_by: str | None = BY,
    recorded_at: str = "2026-11-20T10:30:00Z",
) -> Interaction:
    """Return a chat that streamed, as it is recorded."""
    return Interaction(
        Request("POST", url, JSON, sent),
        Response(200, EVENTS, pieces, headers_after=290),
        recorded_at,
        recorded_by,
    )


def text(*interactions: Interaction) -> str:
    """Return a cassette as this version writes it."""
    return encode(CassetteData(interactions or (chat(),), "aquila-cassette 0.1.0")).decode()


def lay(path: str | Path, content: str | bytes) -> Path:
    """Write a file, with its folders."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file
