"""Report what no cassette holds: connections that no adapter makes, and blocks without requests."""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import TYPE_CHECKING

from aquila_cassette.errors import ReplayError, UnrecordedError, UnrecordedWarning
from aquila_cassette.session.hosts import is_listed, is_public
from aquila_cassette.waiting import inspection

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

_LOOPS = ("aquila_cassette", "contextlib", "anyio", "trio", "uvloop", "aiohappyeyeballs")


def report_connection(
    session: Session, host: str, name: str, port: int | None, is_lookup: bool = False
) -> None:
    """Report a connection to a public host, by the `name` it was looked up by; mode none refuses it.

    While a block records, its adapters look up names in threads that do not know of them, so there
    only connections count.
    """
    __tracebackhide__ = True
    if not session.reports_unrecorded or not is_public(host) or (is_lookup and session.may_record):
        return
    if any(is_listed(session.options.ignore_hosts, one, port) for one in (name, host)):
        return
    refuses = session.mode == "none"
    library, level = _library(sys._getframe(1))
    error = UnrecordedError(
        f"A connection to {name} {'was refused' if refuses else 'is not recorded'}: "
        f"no cassette can hold what {library} sends.",
        method="CONNECT",
        url=name,
        path=session.path,
        facts=session.facts(),
        fix=f'Fix: aquila_cassette(..., ignore_hosts=["{name}"]) lets it pass; or send it with a '
        "library that docs/libraries.md lists",
    )
    if refuses:
        raise session.missed(error)
    warnings.warn(UnrecordedWarning(str(error)), stacklevel=level)


def warn_that_nothing_came(session: Session) -> None:
    error = ReplayError(
        f"No request came to the block of {session.shown_path} (mode {session.mode}).",
        facts=["what no adapter intercepts passes unseen: docs/libraries.md"],
        fix="Fix: send with a library that docs/libraries.md lists, or take the block out",
    )
    warnings.warn(UnrecordedWarning(str(error)), stacklevel=5)


def _library(frame: FrameType) -> tuple[str, int]:
    """Return which package or standard module connects, and how far up the user's code is."""
    installed, standard = "", "socket"
    for level, caller in enumerate(inspection.callers(frame), 2):
        package = (caller.f_globals.get("__name__") or "").partition(".")[0]
        if inspection.is_user_code(caller.f_code.co_filename):
            return installed or standard, level
        if package not in _LOOPS and not installed:
            is_installed = inspection.is_installed(caller.f_code.co_filename)
            installed, standard = (package, "") if is_installed else ("", package)
    return installed or "this process", 2
