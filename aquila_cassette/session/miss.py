"""The error of a miss: its message, the line of code that sent the request; misses that were swallowed."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from aquila_cassette import importers
from aquila_cassette.errors import AquilaError, MissError, ScopeError, UnrecordedWarning
from aquila_cassette.matching import difference
from aquila_cassette.matching.keys import Key, Matcher, name_of
from aquila_cassette.matching.volatile import RANDOM
from aquila_cassette.model import Interaction, Request
from aquila_cassette.options import Mode
from aquila_cassette.session.hosts import host_and_port, is_loopback
from aquila_cassette.waiting.frames import callers, is_installed, is_user_code, location

Rerecord = Callable[[Mode], str]
"""Returns the command (or the edit) that records again, in a mode."""


def first_line(request: Request, number: int) -> str:
    """Return the first line of a miss of the `number`-th request of a block."""
    return (
        f"No interaction matches {request.method} {request.url} (request {number} of this block)."
    )


def cassette_line(path: str, mode: str, *, is_absent: bool = False) -> str:
    note = "; there is no such file yet" if is_absent else ""
    return f"cassette: {path} (mode {mode}{note})"


def left_over(asked: Request, ended: str, opened: str) -> ScopeError:
    """Return the error of a request from what the block `ended` left running; `opened` may be open."""
    facts = [f"started in: {ended}", *([] if ended == opened else [f"open now:   {opened}"])]
    return ScopeError(
        f"{asked.method} {asked.url} comes from a block that is over.",
        facts=facts,
        fix="Fix: end that task or thread before its block ends, or start it before any block",
    )


def ignore_own_server(url: str, others: Iterable[Request]) -> str | None:
    """Return the option that lets pass what a test asks its own server, if `url` may be such.

    A socket of this process listens there, and `others` go elsewhere: the server may ask them in turn.
    """
    if all(urlsplit(one.url).netloc == urlsplit(url).netloc for one in others):
        return None
    host, port = host_and_port(url)
    for one in gc.get_objects() if is_loopback(host) else ():
        if issubclass(type(one), socket.SocketType):
            with suppress(OSError, IndexError):  # it is closed; it is no socket of the internet
                is_listening = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if is_listening and one.getsockname()[1] == port:
                    option = f'aquila_cassette(..., ignore_hosts=["{host}"])'
                    return f"{option}, if {host} is the test's own server"
    return None


def facts_of(session: Any) -> list[str]:
    """Return the lines on a cassette, and on who sends the current request."""
    is_absent = session.state == "absent"
    facts = [cassette_line(session.shown_path, session.mode, is_absent=is_absent)]
    return [*facts, f"sent by:  {by}"] if (by := sender()) else facts


def miss_of(session: Any, asked: Request, number: int, key: Key) -> MissError:
    """Return the error of the `number`-th request of a block, redacted, which nothing answers."""
    convert = f"{importers.convert_command(session.path)} && " if session.foreign else ""
    everything, what_is_new = (
        f"Fix: {convert}{session.owner.rerecord(mode)}" for mode in ("all", "new_episodes")
    )
    lines, fix = _explain(session, asked, key, everything, what_is_new)
    facts = [*facts_of(session), *lines]
    recorded = (one.request for one in session.index.interactions)
    if option := ignore_own_server(asked.url, recorded):
        facts.append(f"or:       {option}")
    return MissError(
        first_line(asked, number),
        method=asked.method,
        url=asked.url,
        path=session.path,
        facts=facts,
        fix=fix,
        covers=what_is_new if fix == everything else "",
    )


def _explain(
    session: Any, request: Request, key: Key, everything: str, what_is_new: str
) -> tuple[list[str], str]:
    """Return lines on why a request misses, and what to do: by default, record again.

    If its owner replayed all that it recorded, only what is new is to be recorded.
    """
    if session.state == "absent":
        return [], everything
    index, matcher = session.index, session.matcher
    recorded = index.interactions
    if not recorded:
        return ["closest:  none, the cassette is empty"], everything
    own = [at for at, one in enumerate(recorded) if one.signed_by in ("", session.owner.signature)]
    played = index.played | session.played_before
    left = [at for at in own or range(len(recorded)) if at not in played]
    fix = everything if own and left else what_is_new
    keys = (key, *matcher.looser_keys(key))
    again = next((at for at in map(index.last.get, keys) if at is not None), None)
    if again is not None:
        note = "already played (repeats=True plays it again)"
        return [f"closest:  {_dated(recorded, again)}the same request, {note}"], fix
    place = difference.closest(request, [recorded[at].request for at in left], matcher)
    if place is None:
        return [f"closest:  none; all {len(own)} recorded were replayed, this is new"], fix
    closest = recorded[left[place]].request
    differing = matcher.differing(closest, request)
    if "body" in differing and not _is_same_place(closest, request, matcher):
        return ["closest:  none; nothing recorded is like this request"], fix
    names = map(name_of, differing)
    parts = " and ".join("the URL" if name == "url" else f"the {name}" for name in names)
    lines = [
        f"closest:  {_dated(recorded, left[place])}differs in {parts}",
        *(f"  {line}" for line in difference.describe(closest, request, matcher)),
    ]
    if volatile := difference.suggest(closest, request, matcher):
        words = " and ".join(volatile)
        lines.append(f"only {words} differ, so it would miss again after a new recording")
        also = ", or freeze the clock and record again" if "dates" in volatile else ""
        options = list(matcher.plus(normalize=volatile).options["normalize"])
        return lines, f"Fix: add normalize={options} to the options of the block{also}"
    orders = [found[1] for line in lines if (found := difference.IN_ANOTHER_ORDER.search(line))]
    if orders and len(orders) == sum(line.startswith("  @@") for line in lines):
        return lines, f"Fix: add unordered_json={orders} to the options of the block"
    return lines, fix


def _is_same_place(one: Request, other: Request, matcher: Matcher) -> bool:
    """Return whether two requests go to the same place, ids in the path aside."""
    paths = {RANDOM.sub("", matcher.url(each.url).path) for each in (one, other)}
    return one.method == other.method and len(paths) == 1


def _dated(recorded: Sequence[Interaction], place: int) -> str:
    at = recorded[place].recorded_at
    return f"interaction {place + 1}, " + (f"recorded {at[:10]}, " if at else "")


# Who sent it.

_SEND_FOR_OTHERS = {
    *("httpx", "httpx2", "httpcore", "httpcore2", "httpx_aiohttp", "aiohttp", "anyio"),
    *("requests", "urllib3", "httplib2", "tornado", "vcr", "respx", "pytest_httpx", "uvloop"),
    *("trio", "lm15", "aquila_cassette"),
}

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
        if is_installed(frame.f_code.co_filename) and package not in _SEND_FOR_OTHERS:
            packages.append(package)
        if (module, frame.f_code.co_name) in _STARTS:
            break
    return f"{packages[0]} (thread {threading.current_thread().name})" if packages else None


def warn_in_user_code(error: AquilaError) -> None:
    """Warn of what `error` says, at the line of the user's code that runs here."""
    frames = enumerate(callers(sys._getframe(1)), 2)
    users = (level for level, one in frames if is_user_code(one.f_code.co_filename))
    warnings.warn(UnrecordedWarning(str(error)), stacklevel=next(users, 2))


# Those that nobody saw.


def swallowed(misses: Iterable[MissError], left_by: BaseException | None) -> list[MissError]:
    """Return those `misses`, one for each request, that `left_by`, which leaves a block, hides."""
    delivered = {_retry_key(one) for one in chain(left_by) if isinstance(one, MissError)}
    fresh: dict[tuple[str, ...], MissError] = {}
    for error in misses:
        fresh.setdefault(_retry_key(error), error)
    return [error for key, error in fresh.items() if key not in delivered]


def combined(misses: Sequence[MissError]) -> MissError:
    """Return one error for `misses`: the miss itself, or a new one that has a line of each other."""
    first = misses[0]
    if len(misses) == 1:
        return first
    covered = {miss.covers for miss in misses}
    return MissError(
        f"{len(misses)} requests had no matching interaction.",
        method=first.method,
        url=first.url,
        path=first.path,
        facts=[first.what, *(f"  {fact}" for fact in first.facts), *_lines(misses[1:])],
        fix="\n".join(
            fix for fix in dict.fromkeys(one.fix for one in misses) if fix not in covered
        ),
    )


_MOST = 20


def _lines(misses: Sequence[MissError]) -> Iterator[str]:
    for miss in misses[:_MOST]:
        yield miss.what
        yield from (f"  {fact}" for fact in miss.facts if fact.startswith("closest:"))
    if len(misses) > _MOST:
        yield f"... and {len(misses) - _MOST} more"


def chain(error: BaseException | None) -> Iterable[BaseException]:
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
