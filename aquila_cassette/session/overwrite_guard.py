"""Which good answers on a cassette failures would take the place of, and how that is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from aquila_cassette.dialects import read_message
from aquila_cassette.errors import OverwriteError
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.model import Interaction, Request

__all__ = ["Loss", "failure", "loss", "overwrite_error"]

Numbered = tuple[int, "Interaction"]

_NEEDS_KEY = (401, 403, 407)
_NEEDS_PATIENCE = (402, 408, 425, 429)
_ACCOUNT = re.compile(r"api.?key|credit|billing|quota", re.IGNORECASE)
_KEY = re.compile(r"api.?key", re.IGNORECASE)
_SHOWN = 3
_LONG = 160  # characters


class Loss(NamedTuple):
    """What would be lost, and to what.

    Args:
        good: Answers on the cassette, with their numbers.
        failures: What came instead.
    """

    good: list[Numbered]
    failures: list[Interaction]


class _Failure(NamedTuple):
    """How an answer failed: in short, in the provider's or the library's words; what mends it.

    An outage has nothing to do with what was asked.
    """

    kind: str
    words: str
    fix: str
    outage: bool


def failure(one: Interaction) -> _Failure | None:
    """Say how an answer failed; None where it is good.

    A consumer that stops early is no failure, but an answer of which not a byte was read is none.

    Args:
        one: Off a cassette, or as it was recorded.

    Example:
        >>> from aquila_cassette.model import Interaction, Request, Response
        >>> asked = Request("GET", "https://a.example")
        >>> failure(Interaction(asked, Response(200))) is None
        True
        >>> failure(Interaction(asked, Response(401))).fix
        'See to the key.'
    """
    response = one.response
    status, error = response.status, response.error
    body = response.body
    told = ""
    if b"error" in body:  # to hear all of an answer takes a thousand times as long
        told = read_message(response.header("content-type"), body).error or ""
    if response.ended == "failed":
        name = error.type if error else None
        message = error.message if error else ""
        kind = name or "a stream that broke off"
        words = f"{name}: {message}" if name else message
        begun = "" if status is None else f"HTTP {status}, then "
        return _Failure(kind, begun + words, "See to the provider.", True)
    if status is None or (response.ended == "closed" and not response.pieces):
        words = "the request was given up before an answer came"
        return _Failure("no answer", words, "See to the provider.", True)
    if status >= 400:
        words = f"HTTP {status}: {told}" if told else f"HTTP {status}"
        if status in _NEEDS_KEY or _KEY.search(told):
            return _Failure(f"HTTP {status}", words, "See to the key.", True)
        if status in _NEEDS_PATIENCE or _ACCOUNT.search(told):
            return _Failure(f"HTTP {status}", words, "Wait, or see to the account.", True)
        return _Failure(f"HTTP {status}", words, "See to the provider.", status >= 500)
    if told:
        words = f"HTTP {status}, then the error: {told}"
        return _Failure("an error of the provider", words, "See to the provider.", True)
    return None


def loss(
    old: Iterable[Numbered], new: Sequence[Interaction], key_of: Callable[[Request], Hashable]
) -> Loss | None:
    """Find the good answers that failures would take the place of; None where there are none.

    A request that failed and was answered when it was sent again is answered. Of a request that
    was asked before, any failure counts; of another one (a prompt that was edited, the next turn
    of a conversation), what has nothing to do with what was asked: no connection, a stream that
    broke off, a key, a limit, the provider's own errors.

    Args:
        old: What would give way, with its numbers on the cassette.
        new: All that was asked now, kept or not, in the order of the requests.
        key_of: Tells which requests are the same.
    """
    old = list(old)
    if not old or not any(failure(one) for one in new):
        return None
    was, now = _by_key(old, key_of), _by_key(enumerate(new, 1), key_of)
    good: list[Numbered] = []
    failures: list[Interaction] = []
    for key in was:
        if key not in now:
            continue
        before, after = _good(was[key]), _good(now[key])
        bad = [one for _, one in now[key] if failure(one)]
        if len(before) > len(after) and bad and not _asked_less(was[key], now[key], after):
            good += before[len(after) :]
            failures += bad[-1:]
    gone = [one for key in was if key not in now for one in was[key]]
    came = [one for key in now if key not in was for one in now[key]]
    outages = [one for key in now if key not in was for one in _outage(now[key])]
    spare = len(gone) - len(_good(gone))
    if _good(gone) and outages:
        fewer = len(_good(came)) < len(_good(gone))
        if fewer or len(outages) > spare:
            good += _good(gone)
            failures += outages
    return Loss(sorted(good, key=lambda one: one[0]), failures) if good else None


def overwrite_error(
    found: Loss, *, path: Path, shown: str, rerecord: str, whole: bool
) -> OverwriteError:
    """Say that a cassette stays as it was: what would have been lost, to what, and what mends it.

    Args:
        found: What would have been lost.
        path: The cassette.
        shown: Its path as people see it.
        rerecord: The line that says how to record again.
        whole: Whether nothing else is on the cassette.
    """
    told = [one for one in map(failure, found.failures) if one]
    kinds = " and ".join(dict.fromkeys(one.kind for one in told))
    numbers = [str(number) for number, _ in found.good]
    which = f"interaction{'' if len(numbers) == 1 else 's'} {', '.join(numbers)} of it"
    mends = " ".join(dict.fromkeys(one.fix for one in told))
    return OverwriteError(
        f"{shown} stays as it was: {count(len(numbers), 'good answer')} would have given way "
        f"to {escape_control_chars(kinds)}.",
        path=path,
        facts=[
            *_shortened([f"on cassette: {_recorded(*one)}" for one in found.good]),
            *_shortened(
                [
                    f"now:     {_asked(one)}: {_cut(how.words)}"
                    for one, how in zip(found.failures, told, strict=True)
                ]
            ),
        ],
        fix=f"{mends} {rerecord}\n"
        f"Or, to have the failure on cassette: delete {shown if whole else which}, and run that",
    )


def _by_key(
    numbered: Iterable[Numbered], key_of: Callable[[Request], Hashable]
) -> dict[Hashable, list[Numbered]]:
    grouped: dict[Hashable, list[Numbered]] = {}
    for number, one in numbered:
        grouped.setdefault(key_of(one.request), []).append((number, one))
    return grouped


def _good(some: Iterable[Numbered]) -> list[Numbered]:
    return [pair for pair in some if failure(pair[1]) is None]


def _asked_less(was: list[Numbered], now: list[Numbered], after: list[Numbered]) -> bool:
    """Tell whether a request that was asked less often than before ended as it should.

    So it is where one asks again and again until something is ready, or is gone.
    """
    if len(now) >= len(was):
        return False
    then, last = failure(was[-1][1]), failure(now[-1][1])
    return last is None or bool(after and then and then.kind == last.kind)


def _outage(asked: list[Numbered]) -> list[Interaction]:
    """Give the failure that the same request asked again and again ended in, as a list."""
    last = asked[-1][1]
    how = failure(last)
    return [last] if how is not None and how.outage else []


def _recorded(number: int, one: Interaction) -> str:
    dated = f", recorded {one.recorded_at[:10]}" if one.recorded_at else ""
    return f"interaction {number}{dated}, {_asked(one)}: HTTP {one.response.status}"


def _asked(one: Interaction) -> str:
    return f"{one.request.method} {one.request.url}"


def _cut(text: str) -> str:
    text = " ".join(escape_control_chars(text).split())
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"         and {more} more"]
