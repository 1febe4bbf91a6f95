"""How misses are shown: each on one screen, and many of them once more, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from traceback import walk_tb
from types import TracebackType
from typing import TYPE_CHECKING

import pytest

from aquila_cassette.errors import AquilaError, UnrecordedError

if TYPE_CHECKING:
    from aquila_cassette.session.owner import Owner

MissRow = tuple[str, str, str, str]
"""Of a miss: the test, what was asked, the closest interaction, the fix."""

_MOST = 40


def on_one_screen(
    shown: pytest.ExceptionInfo[BaseException],
) -> pytest.ExceptionInfo[BaseException]:
    """Leave the user's code alone in the tracebacks of an error of ours, and of what it caused."""
    from aquila_cassette.session.miss import chain

    errors = list(chain(shown.value))
    if not any(isinstance(error, AquilaError) for error in errors):
        return shown
    for error in errors:
        error.__traceback__ = _users_part(error.__traceback__)
    return pytest.ExceptionInfo.from_exception(shown.value)


def _users_part(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the frames of libraries, unless there are no others."""
    from aquila_cassette.waiting.frames import is_user_code

    kept = None
    for frame, line in reversed(list(walk_tb(traceback))):
        if is_user_code(frame.f_code.co_filename):
            kept = TracebackType(kept, frame, frame.f_lasti, line)
    return kept or traceback


def rows_of(owner: Owner) -> Iterator[MissRow]:
    for session in owner.sessions if not owner.succeeded else ():
        for miss in session.misses:
            closest = next((one for one in miss.facts if one.startswith("closest:")), "")
            is_refused = isinstance(miss, UnrecordedError)
            other = miss.what if is_refused else "there is no cassette yet"
            why = closest.removeprefix("closest:").strip() or other
            yield owner.name or "", f"{miss.method} {miss.url}", why, miss.fix


def section(rows: Sequence[MissRow]) -> list[str]:
    """Return a line for each of many misses, and what to do; nothing for those of one test."""
    rows = list(dict.fromkeys(rows))
    if len({test for test, *_ in rows}) < 2:
        return []
    lines = [f"{test}: {asked}: {why}" for test, asked, why, _ in rows[:_MOST]]
    if len(rows) > _MOST:
        lines.append(f"... and {len(rows) - _MOST} more")
    fixes = [line for *_, fix in rows for line in fix.splitlines()]
    others = dict.fromkeys(fix for fix in fixes if not _is_done_by_record(fix))
    recorded = ["Fix: aquila-cassette record --failed"] if len(others) < len(set(fixes)) else []
    return [*lines, *others, *recorded]


def _is_done_by_record(fix: str) -> bool:
    """Return whether `aquila-cassette record` does what a fix says: not what is another plugin's."""
    return fix.startswith("Fix: pytest ") and "--aquila-record=" in fix
