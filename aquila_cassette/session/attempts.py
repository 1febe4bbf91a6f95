"""What the code did about the faults of its block: each attempt, and whether it recovered."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from aquila_cassette.errors import RecoveryError
from aquila_cassette.faults.fault import Fault
from aquila_cassette.model import Interaction, Request
from aquila_cassette.transcript.humanize import count
from aquila_cassette.waiting.event_loops import elapsed

_TIGHT = 0.05
"""Seconds between a broken connection and the next attempt that are no pause."""
_MOST_ATTEMPTS = 10


@dataclass
class Attempt:
    """One request of a block with faults.

    Args:
        number: Which request of the block it is, from 1.
        request: As it is matched: redacted.
        at: When it was made, in seconds since the first one.
        status: The HTTP status of its answer; None where none came.
        fault: The name of the fault that answered it; None for the recorded answer.
        ended: How its answer ended for the code: ``complete``, ``closed`` early by its consumer,
            ``failed``; ``open`` until then.
        error: What was raised, for ``failed``.
    """

    number: int
    request: Request
    at: float
    status: int | None
    fault: str | None
    ended: Literal["open", "complete", "closed", "failed"] = "open"
    error: str = ""
    ended_at: float = 0.0
    may_be_whole: bool = field(default=True, repr=False)
    asked_to_wait: float = field(default=0.0, repr=False)
    key: Hashable = field(default=None, repr=False)

    @property
    def is_good(self) -> bool:
        """Whether the code got an answer that is whole, as far as it wanted it."""
        return self.may_be_whole and self.ended in ("complete", "closed")

    def __str__(self) -> str:
        answer = f"HTTP {self.status}" if self.status else "no answer"
        how = self.error or self.ended
        by = f" [{self.fault}]" if self.fault else ""
        return f"{self.at:7.3f} s  {self.request.method} {self.request.url}: {answer}, {how}{by}"


class Attempts:
    """The faults of one block, and the attempts that its code made."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._left = [fault.times for fault in faults]
        self._lock = threading.Lock()
        self._started = 0.0
        self.made: list[Attempt] = []

    def take_fault(self, request: Request, number: int) -> Fault | None:
        """Return the fault that answers this request; None where the recorded answer comes."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if self._left[place] and fault.fits(request, number):
                    self._left[place] -= 1
                    return fault
        return None

    def add(
        self, request: Request, number: int, key: Hashable, answer: Interaction, fault: Fault | None
    ) -> Attempt:
        now = elapsed()
        self._started = self._started or now
        attempt = Attempt(
            number,
            request,
            now - self._started,
            answer.response.status,
            None if fault is None else fault.name,
            may_be_whole=fault is None or fault.is_whole,
            key=key,
        )
        if fault is not None and fault.keeps_waits:
            attempt.asked_to_wait = float(answer.response.header("retry-after-ms") or 0) / 1000
        self.made.append(attempt)
        return attempt

    def end(
        self, attempt: Attempt, answer: Interaction, error: Exception | None, is_whole: bool
    ) -> None:
        """Note how an attempt ended: with the first thing that is noted, unless that was a failure."""
        if error is not None:
            attempt.ended = "failed"
            name = type(error).__name__
            category = answer.response.error and answer.response.error.category
            attempt.error = (category or "failed") if name.startswith("_") else name
        elif attempt.ended == "open":
            attempt.ended = "complete" if is_whole else "closed"
        attempt.ended_at = attempt.ended_at or elapsed() - self._started

    @property
    def unused(self) -> list[str]:
        """The names of the faults that answered less often than they could."""
        pairs = zip(self._faults, self._left, strict=True)
        return [fault.name for fault, left in pairs if left]

    def check(self, shown_path: str, fix: str) -> None:
        """Raise a `RecoveryError` unless the code recovered from all of them."""
        problems = [*self._problems()]
        if problems:
            raise RecoveryError(
                f"The code did not recover from the faults of {shown_path}: {problems[0]}.",
                facts=[*problems[1:], *(str(one) for one in self.made)],
                fix=fix,
            )

    def _problems(self) -> list[str]:
        if self.unused:
            return [f"no request got {name}" for name in self.unused]
        by_key: dict[Hashable, list[Attempt]] = {}
        for attempt in self.made:
            by_key.setdefault(attempt.key, []).append(attempt)
        return [problem for some in by_key.values() for problem in _problems_of(some)]


def _problems_of(attempts: Sequence[Attempt]) -> list[str]:
    """Return what is wrong with the attempts at one request."""
    if all(one.fault is None for one in attempts):
        return []
    problems = []
    last = attempts[-1]
    if not any(one.is_good for one in attempts):
        took = (
            f"{last.fault} was the last answer" if last.fault else f"its last answer {last.ended}"
        )
        problems.append(f"it never got the whole answer to request {last.number} ({took})")
    first_good = next((at for at, one in enumerate(attempts) if one.is_good), len(attempts))
    if any(one.fault is None for one in attempts[first_good + 1 :]):
        problems.append(
            f"it asked again for request {attempts[first_good].number} after it succeeded"
        )
    if len(attempts) > _MOST_ATTEMPTS:
        problems.append(f"it made {count(len(attempts), 'attempt')}")
    pairs = [(one, other) for one, other in pairwise(attempts) if one.fault]
    pauses = [other.at - one.ended_at for one, other in pairs]
    # Who got a status was told when to come again: at once, unless the fault says otherwise.
    blind = [pause for (one, _), pause in zip(pairs, pauses, strict=True) if one.ended == "failed"]
    if len(blind) > 1 and max(blind) < _TIGHT:
        problems.append("it retries without a pause")
    for (one, _), pause in zip(pairs, pauses, strict=True):
        if pause < one.asked_to_wait:
            problems.append(f"it did not wait as retry-after of request {one.number} asks")
    return problems
