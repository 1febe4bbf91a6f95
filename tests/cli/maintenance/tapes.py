"""Files to check, as this version writes them, and the faults that one can plant in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.cli.maintenance.inspection import Known, inspect, read
from aquila_cassette.model import CassetteData, Headers, Interaction, Piece, Request, Response
from aquila_cassette.storage.format import dumps

JSON: Headers = (("content-type", "application/json"),)
EVENTS: Headers = (("content-type", "text/event-stream"),)
BY = "tests/test_chat.py::test_reply"
NOW = datetime(2026, 11, 22, tzinfo=UTC)

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
    """Give a chat that streamed, as it is recorded."""
    return Interaction(
        Request("POST", url, JSON, sent),
        Response(200, EVENTS, pieces, headers_after=290),
        recorded_at,
        recorded_by,
    )


def text(*interactions: Interaction) -> str:
    """Give a cassette as this version writes it."""
    return dumps(CassetteData(interactions or (chat(),), "aquila-cassette 0.1.0"))


def lay(path: str | Path, content: str | bytes) -> Path:
    """Lay a file, with its folders."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def check(folder: Path, known: Known | None = None) -> list[Finding]:
    """Check all cassettes in a folder."""
    paths = sorted(path for path in folder.rglob("*.y*ml") if path.is_file())
    known = known or Known(folder, NOW)
    return list(inspect(read(paths), [folder], known).findings)
