"""The error of a miss: its message, the line of code that sent the request; misses that were swallowed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Hashable, Iterable, Sequence

from aquila_cassette.errors import MissError
from aquila_cassette.matching import difference
from aquila_cassette.matching.closest import closest as closest_place
from aquila_cassette.matching.keys import Matcher, name_of
from aquila_cassette.model import Request
from aquila_cassette.session.player import ReplayIndex
from aquila_cassette.waiting.inspection import callers, is_installed, is_user_code, location


def first_line(request: Request, number: int) -> str:
    """Return the first line of a miss of the `number`-th request of a block."""
    return (
        f"No interaction matches {request.method} {request.url} (request {number} of this block)."
    )


def cassette_line(path: str, mode: str, *, is_absent: bool) -> str:
    note = "; there is no such file yet" if is_absent else ""
    return f"cassette: {path} (mode {mode}{note})"


def closest_lines(
    request: Request, key: Hashable, index: ReplayIndex, matcher: Matcher
) -> list[str]:
    """Return the lines of a miss on the interaction closest to a redacted request."""
    recorded = index.interactions
    if not recorded:
        return ["closest:  none, the cassette is empty"]
    played = index.played_last(key)
    if played is not None:
        again = "already played (repeats=True plays it again)"
        return [f"closest:  {_dated(index, played)}the same request, {again}"]
    place = closest_place(request, [one.request for one in recorded], matcher)
    if place is None:
        return []
    closest = recorded[place].request
    names = map(name_of, matcher.differing(closest, request))
    parts = " and ".join("the URL" if name == "url" else f"the {name}" for name in names)
    return [
        f"closest:  {_dated(index, place)}differs in {parts}",
        *(f"  {line}" for line in difference.describe(closest, request, matcher)),
    ]


def _dated(index: ReplayIndex, place: int) -> str:
    at = index.interactions[place].recorded_at
    return f"interaction {place + 1}, " + (f"recorded {at[:10]}, " if at else "")


# Who sent it.

_CARRIERS = frozenset(
    {
        *("httpx", "httpx2", "httpcore", "httpcore2", "httpx_aiohttp", "aiohttp", "anyio"),
        *("requests", "urllib3", "httplib2", "tornado", "vcr", "respx", "pytest_httpx", "uvloop"),
        *("trio", "lm15", "aquila_cassette"),
    }
)
"""Packages that send for others."""

_STARTS = {("asyncio.events", "_run"), ("trio._core._run", "unrolled_run")}
"""Where a task begins: what is above merely waits for it."""


def sender() -> str | None:
    """Return the line of the user's code that sends the current request, and the packages between.

    In a task or thread that a package started by itself, it is the name of that package.
    """
    packages: list[str] = []
    for frame in callers(sys._getframe(1)):
        if is_user_code(frame.f_code.co_filename):
            through = " and ".join(dict.fromkeys(reversed(packages)))
            line = location([frame])
            return f"{line}, through {through}" if through else line
        module = frame.f_globals.get("__name__") or ""
        package = module.partition(".")[0]
        if is_installed(frame.f_code.co_filename) and package not in _CARRIERS:
            packages.append(package)
        if (module, frame.f_code.co_name) in _STARTS:
            break
    return f"{packages[0]} (thread {threading.current_thread().name})" if packages else None


# Those that nobody saw.


def swallowed(misses: Iterable[MissError], left_by: BaseException | None) -> list[MissError]:
    """Return those `misses`, one for each request, that `left_by`, which leaves a block, hides."""
    delivered = {_retry_key(one) for one in _chain(left_by) if isinstance(one, MissError)}
    fresh: dict[tuple[str, ...], MissError] = {}
    for error in misses:
        fresh.setdefault(_retry_key(error), error)
    return [error for key, error in fresh.items() if key not in delivered]


def combined(misses: Sequence[MissError]) -> MissError:
    """Return one error for `misses`: the miss itself, or a new one that contains their texts."""
    first = misses[0]
    if len(misses) == 1:
        return first
    return MissError(
        f"{len(misses)} requests had no matching interaction.",
        method=first.method,
        url=first.url,
        path=first.path,
        facts=["\n".join([miss.what, *(f"  {fact}" for fact in miss.facts)]) for miss in misses],
        fix=first.fix,
    )


def _chain(error: BaseException | None) -> Iterable[BaseException]:
    """List an exception, its causes and contexts, and the members of groups."""
    seen: dict[int, BaseException] = {}
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen[id(one)] = one
            waiting += [one.__cause__, one.__context__]
            if isinstance(one, BaseExceptionGroup):
                waiting += one.exceptions
    return seen.values()


def _retry_key(error: MissError) -> tuple[str, ...]:
    """Return what retries of one request have in common: all but the running number."""
    return (error.method, error.url, *error.facts)
