"""Report what no cassette holds: connections that no adapter makes, and blocks without requests."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import TYPE_CHECKING

from aquila_cassette.errors import AquilaError, ReplayError, UnrecordedError, UnrecordedWarning
from aquila_cassette.session.hosts import Peer, is_public
from aquila_cassette.session.miss import cassette_line
from aquila_cassette.waiting import frames

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

_NAMES = {"urllib3": "urllib3-future"}  # in its place: the adapter sends for urllib3 itself
_LOOPS = ("aquila_cassette", "contextlib", "anyio", "trio", "uvloop", "aiohappyeyeballs")


def report_connection(session: Session, peer: Peer) -> None:
    """Report a connection to a public host; mode none refuses it.

    While a block records, its adapters look up names in threads that do not know of them, so there
    only connections count.
    """
    __tracebackhide__ = True
    if (
        not (session.reports_unrecorded and is_public(peer.host))
        or (peer.is_lookup and session.may_record)
        or peer.is_listed(session.options.ignore_hosts)
    ):
        return
    refuses = session.mode == "none"
    library, level = _library(sys._getframe(1), peer.library)
    error = UnrecordedError(
        f"A connection to {peer.name} {'was refused' if refuses else 'is not recorded'}: "
        f"no cassette can hold what {library} sends.",
        method="CONNECT",
        url=peer.name,
        path=session.path,
        facts=session.facts(),
        fix=f'Fix: aquila_cassette(..., ignore_hosts=["{peer.name}"]) lets it pass; or send it with a '
        "library that docs/libraries.md lists",
    )
    if refuses:
        raise session.missed(error)
    _warn_once(session, error, level)


def report_process(session: Session, kind: str) -> None:
    """Report a process of Python that is not forked, so that it does not know the block."""
    __tracebackhide__ = True
    if not session.reports_unrecorded:
        return
    session.has_been_asked = True  # it may be, in the process
    error = ReplayError(
        "A Python process was started that neither records nor replays what it sends.",
        facts=[cassette_line(session.shown_path, session.mode), f"started by: {kind}"],
        fix='Fix: open a block in that process: with aquila_cassette("name"): ...; or start it with '
        'multiprocessing.get_context("fork")',
    )
    _, level = _library(sys._getframe(1), kind)
    _warn_once(session, error, level)


def _warn_once(session: Session, error: AquilaError, level: int) -> None:
    if str(error) not in session.warned:
        session.warned.add(str(error))
        warnings.warn(UnrecordedWarning(str(error)), stacklevel=level + 1)


def warn_that_nothing_came(session: Session) -> None:
    error = ReplayError(
        f"No request came to the block of {session.shown_path} (mode {session.mode}).",
        facts=["what no adapter intercepts passes unseen: docs/libraries.md"],
        fix="Fix: send with a library that docs/libraries.md lists, or take the block out",
    )
    warnings.warn(UnrecordedWarning(str(error)), stacklevel=5)


def _library(frame: FrameType, standard: str) -> tuple[str, int]:
    """Return which package or standard module connects, and how far up the user's code is."""
    installed = ""
    for level, caller in enumerate(frames.callers(frame), 2):
        package = (caller.f_globals.get("__name__") or "").partition(".")[0]
        if frames.is_user_code(caller.f_code.co_filename):
            return _NAMES.get(installed, installed) or standard, level
        if package not in _LOOPS and not installed:
            is_installed = frames.is_installed(caller.f_code.co_filename)
            installed, standard = (package, "") if is_installed else ("", package)
    return installed or "this process", 2
