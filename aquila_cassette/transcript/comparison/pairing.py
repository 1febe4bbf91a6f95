"""Which interactions of two cassettes belong together: by key, then by closeness."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.matching.closest import likeness, tokens
from aquila_cassette.matching.keys import Matcher, url_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Hashable, Iterable, Sequence

    from aquila_cassette.model import Interaction, Request

__all__ = ["Pair", "pairs"]

_LEAST_AT_HOME = 0.2  # alike, of what was asked at the same path
_LEAST_ABROAD = 0.6  # alike, where the path is another
_Key = Callable[[int], "Hashable"]
_MOST = 10_000  # pairs looked at for closeness


class Pair(NamedTuple):
    """The places of one interaction on both cassettes, or on one of them.

    Args:
        old: On the old cassette; None where it was added.
        new: On the new cassette; None where it was removed.
        moved: Whether it stands before or after others than it did.
    """

    old: int | None
    new: int | None
    moved: bool = False


def pairs(
    old: Sequence[Interaction],
    new: Sequence[Interaction],
    *keys: tuple[_Key, _Key],
) -> list[Pair]:
    """Find for each interaction of a cassette the one that it was on an older cassette.

    First those with the same key; of several with the same, those whose answers have the same
    status, in their order. Then those whose requests are the most alike, if they are alike enough.

    Args:
        old: The old cassette's.
        new: The new cassette's.
        keys: Pairs of functions, one for each cassette, that give what the request at a place is known
            by; the strictest first.

    Returns:
        In the order of the new cassette; what was removed comes after what stood before it.
    """
    found: dict[int, int] = {}  # new -> old
    for our_key, their_key in keys:
        left = set(range(len(old))) - set(found.values())
        ours = _grouped(sorted(left), our_key)
        theirs = _grouped((at for at in range(len(new)) if at not in found), their_key)
        for key in ours.keys() & theirs.keys():
            found |= _of_equals(ours[key], theirs[key], old, new)
    left = set(range(len(old))) - set(found.values())
    found |= _by_closeness(
        [(at, one.request) for at, one in enumerate(old) if at in left],
        [(at, one.request) for at, one in enumerate(new) if at not in found],
    )
    return _in_order(found, len(old), len(new))


def _grouped(places: Iterable[int], key: _Key) -> dict[Hashable, list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for at in places:
        groups[key(at)].append(at)
    return groups


def _of_equals(
    was: list[int], now: list[int], old: Sequence[Interaction], new: Sequence[Interaction]
) -> dict[int, int]:
    """Pair equal requests: in their order, those whose answers have the same status first."""
    found: dict[int, int] = {}
    if len(was) != len(now):
        # A request that was tried once more or less: its answers tell which one it is.
        aligned = SequenceMatcher(
            None,
            [old[at].response.status for at in was],
            [new[at].response.status for at in now],
            autojunk=False,
        )
        for start, new_start, size in aligned.get_matching_blocks():
            found |= dict(zip(now[new_start:][:size], was[start:][:size], strict=True))
    taken = set(found.values())
    return found | dict(
        zip(
            (at for at in now if at not in found),
            (at for at in was if at not in taken),
            strict=False,
        )
    )


def _by_closeness(
    ours: Sequence[tuple[int, Request]], theirs: Sequence[tuple[int, Request]]
) -> dict[int, int]:
    if len(ours) * len(theirs) > _MOST:
        ours, theirs = ours[:100], theirs[:100]
    matcher = Matcher()
    counted = [(at, one, tokens(one, matcher)) for at, one in ours]
    counts = [(at, one, tokens(one, matcher)) for at, one in theirs]
    rated = [
        (rating, -abs(at - place), at, place)
        for at, one, words in counted
        for place, other, theirs_ in counts
        if (rating := _rating(one, other, words, theirs_)) is not None
    ]
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, at, place in sorted(rated, key=lambda row: (row[0], row[1], -row[2]), reverse=True):
        if place not in found and at not in taken:
            found[place] = at
            taken.add(at)
    return found


def _rating(
    one: Request, other: Request, ours: Counter[object], theirs: Counter[object]
) -> tuple[bool, float] | None:
    """Say how close two requests are; None where they can hardly be the same."""
    if one.method != other.method:
        return None
    at_home = url_of(one.url).path == url_of(other.url).path
    if not at_home and not (one.body and other.body):
        return None
    alike = likeness(ours, theirs)
    return (at_home, alike) if alike >= (_LEAST_AT_HOME if at_home else _LEAST_ABROAD) else None


def _in_order(found: dict[int, int], old: int, new: int) -> list[Pair]:
    stayed = _longest_rise([found[place] for place in sorted(found)])
    removed = deque(sorted(set(range(old)) - set(found.values())))
    result: list[Pair] = []
    for place, end in enumerate(_ends(found, stayed, old, new)):
        while removed and removed[0] < end:
            result.append(Pair(removed.popleft(), None))
        at = found.get(place)
        result.append(Pair(at, place, at is not None and at not in stayed))
    return [*result, *(Pair(at, None) for at in removed)]


def _ends(found: dict[int, int], stayed: set[int], old: int, new: int) -> list[int]:
    """Give for each place of the new cassette where, on the old one, what stayed goes on."""
    ends: list[int] = []
    end = old
    for place in reversed(range(new)):
        at = found.get(place)
        end = at if at is not None and at in stayed else end
        ends.append(end)
    return ends[::-1]


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """Give the longest part of `numbers`, all different, that rises: what kept its order."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(tails, number)
        before[number] = tails[at - 1] if at else None
        tails[at : at + 1] = [number]
    rise: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        rise.add(last)
        last = before[last]
    return rise
