"""How far a stream has come, for those who wait for it in vain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila_cassette import sse
from aquila_cassette.dialects import read_message
from aquila_cassette.dialects.framing import framing, is_complete_frame, split_frames
from aquila_cassette.transcript.request import summarize_request

if TYPE_CHECKING:
    from aquila_cassette.model import Request, Response

__all__ = ["Progress", "facts"]

_LONG = 60


@dataclass(frozen=True, slots=True)
class Progress:
    """What was read of a body.

    Args:
        content_type: The response's content type.
        body: What was read.
        events: How many events there are in all, where that is known.
    """

    content_type: str | None
    body: bytes
    events: int | None = None

    @classmethod
    def of_a_replay(cls, response: Response, pieces: int) -> Progress:
        """Say what the first so many pieces of a recorded response are."""
        body = b"".join(piece.data for piece in response.pieces[:pieces])
        content_type = next((v for name, v in response.headers if name == "content-type"), None)
        return cls(content_type, body, _count(content_type, response.body))


def facts(request: Request, progress: Progress) -> list[str]:
    """Give lines on what was asked and what came of the answer.

    Args:
        request: The request, redacted.
        progress: What was read of the answer.
    """
    what = summarize_request(request)
    lines = []
    words = [turn.text for turn in what.turns if turn.kind == "words" and turn.role != "system"]
    if words:
        lines.append(f"prompt: {_cut(words[-1])!r}")
    if what.model:
        lines.append(f"model:  {what.model}")
    of = "" if progress.events is None else f" of {progress.events}"
    text = read_message(progress.content_type, progress.body).text
    so_far = f", so far {_cut(text, end=True)!r}" if text else ""
    lines.append(f"events: {_count(progress.content_type, progress.body)}{of}{so_far}")
    return lines


def _count(content_type: str | None, body: bytes) -> int:
    how = framing(content_type, body)
    if how in ("ndjson", "eventstream"):
        return sum(1 for raw in split_frames(how, body) if is_complete_frame(how, raw))
    return len(sse.events(body))


def _cut(text: str, *, end: bool = False) -> str:
    if len(text) <= _LONG:
        return text
    return f"...{text[-_LONG:]}" if end else f"{text[:_LONG]}..."
