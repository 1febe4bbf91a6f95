"""`Cassette`: the public object of a block; waiting for its streams, and how long by default."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.errors import MissError, SettleTimeout, UsageError
from aquila_cassette.model import Interaction
from aquila_cassette.options import Mode
from aquila_cassette.session.session import Session
from aquila_cassette.session.stepping import RECORDING, Which
from aquila_cassette.session.stream_text import time_out
from aquila_cassette.waiting.event_loops import (
    TaskOrThread,
    current_task_or_thread,
    run_in_own_loop,
)
from aquila_cassette.waiting.idle import Idle
from aquila_cassette.waiting.open_streams import OpenStreams
from aquila_cassette.waiting.pending import Source, forbid_inside_job

if TYPE_CHECKING:
    from aquila_cassette.session.attempts import Attempt

_REPLAYING = 5.0


class Cassette:
    """An open cassette, as ``with aquila_cassette(name) as cassette`` yields it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def name(self) -> str:
        """The name it was opened by."""
        return self._session.name

    @property
    def path(self) -> Path:
        """The file."""
        return self._session.path

    @property
    def mode(self) -> Mode:
        """The record mode in force."""
        return self._session.mode

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the file held when the cassette was opened, then what this block recorded."""
        return (*self._session.index.interactions, *self._session.recorded)

    @property
    def recorded(self) -> tuple[Interaction, ...]:
        """What this block has recorded so far: the responses that are over."""
        return self._session.recorded

    @property
    def played(self) -> tuple[Interaction, ...]:
        """What this block has replayed, in the order of its requests."""
        self._session.read_journal()
        return tuple(self._session.played)

    @property
    def misses(self) -> tuple[MissError, ...]:
        """The errors of the requests that no interaction matched."""
        self._session.read_journal()
        return tuple(self._session.misses)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What the code of a block with faults asked, and what it got; empty without faults."""
        return tuple(self._session.attempts.made)

    def assert_recovered(self) -> None:
        """Raise a `RecoveryError`, with a time line, unless the code recovered from all faults.

        It recovered if each fault came, each request got its recorded answer after that and was not
        sent again then, and retries pause as ``retry-after`` asks.
        """
        __tracebackhide__ = True
        fix = "Fix: have the code try again, or take the faults out"
        self._session.attempts.check(self._session.shown_path, fix)

    async def settled(
        self, timeout: float | None = None, *, streams: int | None = None, once: bool = False
    ) -> None:
        """Wait until every stream of this cassette is over and the code that read it has returned.

        Streams that this task reads itself are not waited for.

        Args:
            timeout: The longest wait, in seconds; by default 5 on replay, 120 while recording.
            streams: How many streams must have been opened in this block, at least.
            once: Wait only for what is going on now, not for what that starts.

        Raises:
            SettleTimeout: Something was still going on then; the error lists it.
            MissError: A request had no matching interaction.
        """
        await settled([self._session], timeout, streams=streams, once=once)

    async def advance(self, n: int = 1, *, of: Which = None, timeout: float = 5.0) -> None:
        """Let `n` events of a held stream through, and wait until its reader consumed them.

        A stream that is asked for a little later is waited for. Where fewer events are left, the
        stream just ends. An ending that raises is let through like an event. While it records, the
        whole answer is recorded first; the time of that does not count.

        Args:
            n: How many events: of an SSE stream its events, of NDJSON its lines.
            of: Which stream, where several are held: a part of its prompt or of its URL, or its
                number among the held streams, from 1 in the order of their requests.
            timeout: The longest wait, in seconds.

        Raises:
            UsageError: There are several streams to choose from; nothing is left to let through;
                or the block has no ``hold=True``.
            RenderTimeout: No held stream came, or its reader did not come back for more.
            MissError: A request had no matching interaction.
        """
        forbid_inside_job("advance")
        await self._session.stepping.advance("advance", n, of, current_task_or_thread(), timeout)

    def advance_sync(self, n: int = 1, *, of: Which = None, timeout: float = 5.0) -> None:
        """Do what `advance` does, and block this thread meanwhile; same arguments and errors."""
        forbid_inside_job("advance_sync")
        here = current_task_or_thread()
        stepping = self._session.stepping
        run_in_own_loop(lambda: stepping.advance("advance_sync", n, of, here, timeout))

    def release(self, of: Which = None) -> None:
        """Let all of a held stream through; without `of` all of all streams, now and later.

        Args:
            of: Which streams, as for `advance`; several may fit.

        Raises:
            UsageError: None fits.
        """
        self._session.stepping.release(of)


def default_timeout(sessions: Sequence[Session]) -> float:
    """Return how long to wait, in seconds: a replay has no reason to be slow, a model has."""
    return RECORDING if any(session.may_record for session in sessions) else _REPLAYING


def idle(
    sessions: Sequence[Session],
    *,
    here: TaskOrThread,
    streams: int | None = None,
    also: Sequence[OpenStreams] = (),
    sources: Sequence[Source],
    view: object = None,
    asked: bool = False,
) -> Idle:
    """Make what waits, in the task or thread `here`, for everything that goes on in `sessions`.

    `streams` must have been opened in them, at least; `also` and `sources` are waited for too. What
    fails in a source (a miss in a session) ends the waiting. Of a `view` only what it started
    counts; with `asked` only who asked.
    """
    if streams is not None and not sessions:
        raise UsageError(
            f"streams={streams} needs an open cassette: that is what counts them.",
            fix='Fix: with aquila_cassette("name"): ...',
        )
    return Idle(
        [*(session.streams for session in sessions), *also],
        sources,
        here=here,
        background=[one for session in sessions for one in session.options.background],
        enough=lambda: sum(one.streams.started for one in sessions) >= (streams or 0),
        view=view,
        asked=asked,
    )


async def settled(
    sessions: Sequence[Session],
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
        sources=sessions if failures else (),
        asked=True,
    )
    if left := await waiting.wait(limit, once=once):
        raise time_out(SettleTimeout, "", left, limit, "cassette.settled(timeout=...)")
