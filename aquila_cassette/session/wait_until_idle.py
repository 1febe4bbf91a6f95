"""Waiting until what goes on in open cassettes is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aquila_cassette.errors import SettleTimeout, UsageError
from aquila_cassette.waiting.event_loops import TaskOrThread, current_task_or_thread
from aquila_cassette.waiting.idle import Idle
from aquila_cassette.waiting.open_streams import OpenStreams
from aquila_cassette.waiting.pending import Pending, Source, forbid_inside_job

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

__all__ = ["default_timeout", "idle", "pending_lines", "settled"]

_REPLAYING = 5.0
_RECORDING = 120.0


def default_timeout(cassettes: Sequence[Session]) -> float:
    """Give how long to wait, in seconds: a replay has no reason to be slow, a model has."""
    return _RECORDING if any(cassette.records for cassette in cassettes) else _REPLAYING


def idle(
    cassettes: Sequence[Session],
    *,
    here: TaskOrThread,
    streams: int | None = None,
    also: Sequence[OpenStreams] = (),
    sources: Sequence[Source] = (),
    failures: bool = True,
    include_worker_threads: bool = True,
    ignore_held: bool = False,
) -> Idle:
    """Make what waits for everything that goes on in `cassettes`.

    Args:
        cassettes: Open cassettes.
        here: Who waits.
        streams: How many streams must have been opened in them, at least.
        also: More streams.
        sources: Who else may have something pending.
        failures: Whether a miss ends the waiting.
        include_worker_threads: Whether tasks that wait for a worker thread count.
        ignore_held: Whether held streams do not count.

    Raises:
        UsageError: A number of streams is asked for, and no cassette is open to count them.
    """
    if streams is not None and not cassettes:
        raise UsageError(
            f"streams={streams} needs an open cassette: that is what counts them.",
            fix='Fix: with aquila_cassette("name"): ...',
        )
    return Idle(
        [*(cassette.streams for cassette in cassettes), *also],
        [*(cassettes if failures else ()), *sources],
        here=here,
        background=[one for cassette in cassettes for one in cassette.options.background],
        enough=lambda: sum(one.streams.started for one in cassettes) >= (streams or 0),
        include_worker_threads=include_worker_threads,
        ignore_held=ignore_held,
    )


async def settled(
    cassettes: Sequence[Session],
    timeout: float | None,
    *,
    streams: int | None = None,
    once: bool = False,
    failures: bool = True,
) -> None:
    """Wait until nothing goes on in `cassettes`; see `Cassette.settled`.

    Raises:
        SettleTimeout: Something did when the time was up.
    """
    forbid_inside_job("settled")
    limit = default_timeout(cassettes) if timeout is None else timeout
    waiting = idle(
        cassettes,
        here=current_task_or_thread(),
        streams=streams,
        failures=failures,
        include_worker_threads=False,
    )
    left = await waiting.wait(limit, once=once)
    if left:
        raise SettleTimeout(
            f"{len(left)} thing{'' if len(left) == 1 else 's'} still going on after {limit:g} s.",
            facts=pending_lines(left),
            fix="Fix: end it, name what stays open on purpose to background=(...), or wait "
            "longer: cassette.settled(timeout=...)",
        )


def pending_lines(left: Sequence[Pending]) -> list[str]:
    """Give the lines that tell what is pending."""
    lines = []
    for one in left:
        lines += [f"pending: {one.what}", *(f"  {fact}" for fact in one.facts)]
    return lines
