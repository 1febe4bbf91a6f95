"""Cassettes to test with, made by hand."""

import json
from pathlib import Path

from aquila_cassette.model import Headers, Interaction, Piece, Request, Response

PATH = Path("cassettes/chat.yaml")
"""Where tests say that a file is."""

EVENT_STREAM: Headers = (("content-type", "text/event-stream"),)


def stream(*texts: str) -> bytes:
    """Give the body of a stream that says `texts`, an event each."""
    return b"".join([f'data: {{"say":{json.dumps(text)}}}\n\n'.encode() for text in texts])


def said(*texts: str, number: int = 1) -> Interaction:
    """Give an interaction as they usually are, whose answer says `texts`, an event a piece."""
    body = json.dumps({"model": "m", "n": number}, separators=(",", ":")).encode()
    pieces = tuple(Piece(100 + 10 * at, stream(text)) for at, text in enumerate(texts))
    return Interaction(
        Request("POST", "https://api.example.com/v1/chat", body=body),
        Response(200, EVENT_STREAM, pieces),
        recorded_at=f"2026-11-22T10:30:{number:02d}Z",
    )
