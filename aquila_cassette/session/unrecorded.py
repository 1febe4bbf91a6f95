"""Report what no cassette holds: connections that no adapter makes, and blocks without requests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aquila_cassette.errors import AquilaError, ReplayError, ScopeError, UnrecordedError
from aquila_cassette.session import current_session as current
from aquila_cassette.session.hosts import Peer, is_public
from aquila_cassette.session.miss import cassette_line, facts_of, warn_in_user_code
from aquila_cassette.waiting.frames import callers, is_installed, is_user_code

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

_NAMES = {"urllib3": "urllib3-future"}  # an adapter sends for urllib3 itself
_CONNECT_FOR_OTHERS = (
    "aquila_cassette",
    "contextlib",
    "anyio",
    "trio",
    "uvloop",
    "aiohappyeyeballs",
)
"""Event loops and wrappers: what connects is the package that called them."""


def _session_here() -> Session | None:
    """Return the session that what is started here belongs to; None where an adapter starts it."""
    if not current.opened() or current.is_sending():
        return None
    try:
        return current.current_session()
    except ScopeError:
        return current.opened()[-1]


def report_connection(peer: Peer) -> None:
    """Report a connection to a public host; mode none refuses it.

    While a block records, its adapters look up names in threads that do not know of them, so there
    only connections count.
    """
    __tracebackhide__ = True
    session = _session_here()
    if (
        session is None
        or not (session.reports_unrecorded and is_public(peer.host))
        or (peer.is_lookup and session.may_record)
        or peer.is_listed(session.options.ignore_hosts)
    ):
        return
    refuses = session.mode == "none"
    library = _library(peer.library)
    error = UnrecordedError(
        f"A connection to {peer.name} {'was refused' if refuses else 'is not recorded'}: "
        f"no cassette can hold what {library} sends.",
        method="CONNECT",
        url=peer.name,
        path=session.path,
        facts=facts_of(session),
        fix=f'Fix: aquila_cassette(..., ignore_hosts=["{peer.name}"]) lets it pass; or send it with a '
        "library that docs/libraries.md lists",
    )
    if refuses:
        raise session.missed(error)
    _warn_once(session, error)


def report_process(kind: str) -> None:
    """Report a process of Python that is not forked, so that it does not know the block."""
    __tracebackhide__ = True
    session = _session_here()
    if session is None or not session.reports_unrecorded:
        return
    session.warns_if_empty = False  # it may be, in the process
    error = ReplayError(
        "A Python process was started that neither records nor replays what it sends.",
        facts=[cassette_line(session.shown_path, session.mode), f"started by: {kind}"],
        fix='Fix: open a block in that process: with aquila_cassette("name"): ...; or start it with '
        'multiprocessing.get_context("fork")',
    )
    _warn_once(session, error)


def _warn_once(session: Session, error: AquilaError) -> None:
    if str(error) not in session.warned:
        session.warned.add(str(error))
        warn_in_user_code(error)


def warn_that_nothing_came(session: Session) -> None:
    error = ReplayError(
        f"No request came to the block of {session.shown_path} (mode {session.mode}).",
        facts=["what no adapter intercepts passes unseen: docs/libraries.md"],
        fix="Fix: send with a library that docs/libraries.md lists, or take the block out",
    )
    warn_in_user_code(error)


def report_late_request() -> None:
    """Report a request that no block sees, if it is the first one after a block without any."""
    session = current.left_empty()
    if session is not None and session.reports_unrecorded and session.warns_if_empty:
        session.warns_if_empty = False
        error = ReplayError(
            f"A request was made after the end of the block of {session.shown_path}, to which none came.",
            fix="Fix: what a block makes (a stream, a generator), enter or iterate over within the block",
        )
        warn_in_user_code(error)


def _library(name: str) -> str:
    """Return which package or standard module connects; `name` where the user's code itself does."""
    for caller in callers(sys._getframe(2)):
        file = caller.f_code.co_filename
        package = (caller.f_globals.get("__name__") or "").partition(".")[0]
        if is_user_code(file):
            return name
        if package not in _CONNECT_FOR_OTHERS:
            if is_installed(file):
                return _NAMES.get(package, package)
            name = package
    return "this process"
