"""Describe streams in error messages: the prompt, the model, the events so far; what is pending."""

from __future__ import annotations

from collections.abc import Sequence

from aquila_cassette import sse
from aquila_cassette.dialects.framing import framing, is_complete_frame, split_frames
from aquila_cassette.dialects.reading import read_message
from aquila_cassette.errors import SettleTimeout
from aquila_cassette.model import Request
from aquila_cassette.transcript.humanize import count
from aquila_cassette.transcript.request_text import summarize_request
from aquila_cassette.waiting.pending import Pending

HELD = "held:   until advance() or release()"
"""The line on a stream whose next event waits for the test."""

_LONG = 60  # characters


def pending_lines(left: Sequence[Pending]) -> list[str]:
    """Return the lines of a message that list what is pending."""
    lines = []
    for one in left:
        lines += [f"pending: {one.what}", *(f"  {fact}" for fact in one.facts)]
    return lines


def time_out(
    kind: type[SettleTimeout], called: str, left: Sequence[Pending], limit: float, longer: str
) -> SettleTimeout:
    """Make the error of a wait for what is `left`; `longer` is the call that waits longer."""
    fix = f"end it, name what stays open on purpose to background=(...), or wait longer: {longer}"
    if any(HELD in one.facts for one in left):
        fix = "let the held stream through first: cassette.release(), or cassette.advance(n)"
    return kind(
        f"{called}{count(len(left), 'thing')} still going on after {limit:g} s.",
        facts=pending_lines(left),
        fix=f"Fix: {fix}",
    )


def describe_stream(
    request: Request, content_type: str | None, read: bytes, of: int | None = None
) -> list[str]:
    """Return lines on what was asked and what came: the bytes `read`, perhaps of so many events."""
    question = summarize_request(request)
    words = [turn.text for turn in question.turns if turn.kind == "words" and turn.role != "system"]
    text = read_message(content_type, read).text
    so_far = f", so far {_cut(text, end=True)!r}" if text else ""
    total = "" if of is None else f" of {of}"
    return [
        *([f"prompt: {_cut(words[-1])!r}"] if words else []),
        *([f"model:  {question.model}"] if question.model else []),
        f"events: {count_events(content_type, read)}{total}{so_far}",
    ]


def count_events(content_type: str | None, body: bytes) -> int:
    """Return how many events a body holds: of NDJSON its lines."""
    how = framing(content_type, body)
    if how in ("ndjson", "eventstream"):
        return sum(1 for raw in split_frames(how, body) if is_complete_frame(how, raw))
    return len(sse.events(body))


def _cut(text: str, *, end: bool = False) -> str:
    if len(text) <= _LONG:
        return text
    return f"...{text[-_LONG:]}" if end else f"{text[:_LONG]}..."
