"""`cassette.settled()`: wait until the streams of a block have ended; the default time-outs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aquila_cassette import sse
from aquila_cassette.dialects import read_message
from aquila_cassette.dialects.framing import framing, is_complete_frame, split_frames
from aquila_cassette.errors import SettleTimeout, UsageError
from aquila_cassette.model import Request
from aquila_cassette.options import Mode
from aquila_cassette.transcript.request_text import summarize_request
from aquila_cassette.waiting.event_loops import TaskOrThread, current_task_or_thread
from aquila_cassette.waiting.idle import Idle
from aquila_cassette.waiting.open_streams import OpenStreams
from aquila_cassette.waiting.pending import Pending, Source, forbid_inside_job

_REPLAYING = 5.0
_RECORDING = 120.0
_LONG = 60  # characters


class Waitable(Source, Protocol):
    """What waiting, and stepping, need to know of a session."""

    streams: OpenStreams
    background: tuple[str, ...]

    @property
    def mode(self) -> Mode: ...

    @property
    def shown_path(self) -> str: ...

    @property
    def records(self) -> bool: ...

    @property
    def only_records(self) -> bool: ...


def default_timeout(sessions: Sequence[Waitable]) -> float:
    """Return how long to wait, in seconds: a replay has no reason to be slow, a model has."""
    return _RECORDING if any(session.records for session in sessions) else _REPLAYING


def idle(
    sessions: Sequence[Waitable],
    *,
    here: TaskOrThread,
    streams: int | None = None,
    also: Sequence[OpenStreams] = (),
    sources: Sequence[Source] = (),
    failures: bool = True,
    include_worker_threads: bool = True,
) -> Idle:
    """Make what waits, in the task or thread `here`, for everything that goes on in `sessions`.

    `streams` must have been opened in them, at least; `also` and `sources` are waited for too. A
    miss ends the waiting where `failures` count.
    """
    if streams is not None and not sessions:
        raise UsageError(
            f"streams={streams} needs an open cassette: that is what counts them.",
            fix='Fix: with aquila_cassette("name"): ...',
        )
    return Idle(
        [*(session.streams for session in sessions), *also],
        [*(sessions if failures else ()), *sources],
        here=here,
        background=[pattern for session in sessions for pattern in session.background],
        enough=lambda: sum(one.streams.started for one in sessions) >= (streams or 0),
        include_worker_threads=include_worker_threads,
    )


async def settled(
    sessions: Sequence[Waitable],
    timeout: float | None,
    *,
    streams: int | None = None,
    once: bool = False,
    failures: bool = True,
) -> None:
    """Wait until nothing goes on in `sessions`; see `Cassette.settled`."""
    forbid_inside_job("settled")
    limit = default_timeout(sessions) if timeout is None else timeout
    waiting = idle(
        sessions,
        here=current_task_or_thread(),
        streams=streams,
        failures=failures,
        include_worker_threads=False,
    )
    if left := await waiting.wait(limit, once=once):
        raise SettleTimeout(
            f"{len(left)} thing{'' if len(left) == 1 else 's'} still going on after {limit:g} s.",
            facts=pending_lines(left),
            fix="Fix: end it, name what stays open on purpose to background=(...), or wait "
            "longer: cassette.settled(timeout=...)",
        )


def pending_lines(left: Sequence[Pending]) -> list[str]:
    """Return the lines of a message that list what is pending."""
    lines = []
    for one in left:
        lines += [f"pending: {one.what}", *(f"  {fact}" for fact in one.facts)]
    return lines


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
