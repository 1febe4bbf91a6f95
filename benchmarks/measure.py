"""Rounds in which the contestants take turns, and their results."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

OURS, PLAIN, VCRPY, CASSETTER = "aquila_cassette", "plain", "vcrpy", "cassetter"
CONTESTANTS = (OURS, PLAIN, VCRPY, CASSETTER)

Times = Mapping[str, Sequence[float]]
"""Seconds by contestant, one number a round."""


@dataclass(frozen=True)
class Sizes:
    """How much each benchmark does.

    Args:
        interactions: Streams on the large cassette.
        events: Events of a stream.
        requests: Requests that one sample of a replay or of a burst takes the mean of.
        others: Other interactions on the cassettes that a replay must be flat between.
        gap: Seconds between two events of the paced stream.
        rounds: Rounds of a benchmark that is quick; a slow one takes a part of them.
    """

    interactions: int = 100
    events: int = 200
    requests: int = 20
    others: tuple[int, int] = (10, 1000)
    gap: float = 0.002
    rounds: int = 25


TINY = Sizes(interactions=3, events=6, requests=2, others=(1, 3), gap=0.0005, rounds=2)


@dataclass(frozen=True)
class Target:
    """What was promised, and what was measured: a ratio, or a difference in ms."""

    text: str
    got: float
    at_most: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        return self.got <= self.at_most


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    what: str
    times: Times
    targets: Sequence[Target] = field(default=())

    def median(self, who: str) -> float | None:
        times = self.times.get(who)
        return statistics.median(times) if times else None

    def spread(self, who: str) -> float:
        """Return how wide the middle half of the rounds is, as a share of their median."""
        times = self.times[who]
        if len(times) < 2:
            return 0.0
        low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
        return (high - low) / middle


Sample = Mapping[str, float]
"""Seconds by the name of what was measured."""


def take_turns(
    contestants: Mapping[str, Callable[[], Sample]], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Run all contestants in turn, `rounds` times over, after one turn each that does not count.

    Who begins changes from round to round. A contestant times itself, so that what it needs to set
    up does not count.

    Returns:
        For each thing that was measured, the seconds of each contestant, one number a round.
    """
    measured: dict[str, dict[str, list[float]]] = {}
    names = list(contestants)
    for number in range(-1, rounds):
        first = number % len(names)
        for who in names[first:] + names[:first]:
            gc.collect()
            sample = contestants[who]()
            if number >= 0:
                for what, seconds in sample.items():
                    measured.setdefault(what, {}).setdefault(who, []).append(seconds)
    return measured


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios within each round: what slows a round slows both sides."""
    pairs = zip(times, others, strict=True)
    return statistics.median(time / other for time, other in pairs)


def added_ms(times: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the differences within each round, in ms."""
    pairs = zip(times, others, strict=True)
    return statistics.median(time - other for time, other in pairs) * 1000


def no_slower(times: Times, than: str, at_most: float) -> Target:
    """Promise that ours takes at most `at_most` times what contestant `than` takes."""
    return Target(f"≤ {at_most:g}x {than}", ratio(times[OURS], times[than]), at_most)


def adds_no_more(times: Times, ms: float) -> Target:
    """Promise that ours takes at most `ms` milliseconds more than plain."""
    return Target(f"≤ +{ms:g} ms", added_ms(times[OURS], times[PLAIN]), ms, unit="ms")
