"""Decide what is on file after a block, and after the outcome of its owner; refuse the loss of good answers.

At the end of a block its answers are saved, the good ones only where an exception leaves it. At the
end of the owner its outcome decides: one that passed keeps everything, expected errors included; one
that failed keeps its good answers only. Mode ``all`` replaces the owner's interactions at its end, and
only if it passed; a good answer is never replaced by a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from textwrap import shorten
from typing import Any

from aquila_cassette import importers
from aquila_cassette.errors import OverwriteError, SecretLeakError
from aquila_cassette.model import UNFINISHED, Interaction, Request
from aquila_cassette.redaction import Redaction
from aquila_cassette.session.failures import how_failed, is_good
from aquila_cassette.session.run_folder import Change, RunFolder, mark, marks_of
from aquila_cassette.session.session import Session
from aquila_cassette.storage import files
from aquila_cassette.storage.bodies import is_event_stream
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

Numbered = tuple[int, Interaction]


def save_block(session: Session, *, raised: bool) -> None:
    """Save what a block recorded at its end, its failed answers only if no exception leaves it."""
    session.discard_failed(raised)
    if recorded := session.recorded:
        session.saved = recorded
        _write(session, recorded)


def save_outcome(sessions: Sequence[Session], *, passed: bool, is_whole: bool) -> None:
    """Correct what the blocks of one file saved, now that their owner's outcome is known.

    What a failed run leaves is marked as unfinished: mode ``once`` records the rest next time. The
    run that succeeds takes over what it replayed of that, and removes the rest if it `is_whole`.
    """
    first = sessions[0]
    saved = [one for session in sessions for one in session.saved]
    recordings = [pair for session in sessions for pair in session.recordings()]
    kept = [one for _, one in sorted(recordings, key=lambda pair: pair[0])]
    new: Sequence[Interaction]
    if not passed:
        new = [as_unfinished(one) for one in kept]
    elif any(session.mode == "none" for session in sessions):
        return
    else:
        played = set().union(*(session.index.played for session in sessions))
        # Those of a shared owner are left to `settle`.
        unfinished = {} if first.owner.is_shared else first.unfinished
        taken_over = [one for place, one in unfinished.items() if place in played]
        old = [*unfinished.values()] if is_whole else taken_over
        if not old and kept == saved:
            return
        new = [*map(as_finished, taken_over), *kept]
        saved = [*saved, *old]
    if saved or new:
        _write(sessions[-1], new, drop=_is_among(saved))


def withdraw(sessions: Sequence[Session]) -> None:
    """Remove from one file what its blocks recorded."""
    recorded = [one for session in sessions for one in session.recorded]
    if recorded:
        _save(sessions[0].path, (), drop=_is_among(recorded))


def as_finished(one: Interaction) -> Interaction:
    return replace(one, recorded_by=one.signed_by)


def as_unfinished(one: Interaction) -> Interaction:
    by = one.recorded_by
    return replace(one, recorded_by=f"{by}{UNFINISHED}") if by and not one.is_unfinished else one


def replace_old(sessions: Sequence[Session], *, is_whole: bool = True) -> None:
    """Save what the blocks of one file recorded in mode ``all``, in place of what it replaces.

    The file stays as it is where all answers are the same, ids, dates and padding aside.
    """
    new = [one for session in sessions for one in session.recorded]
    if not new:
        return
    last = sessions[-1]
    is_replaced = _is_replaced(sessions, is_whole=is_whole)
    old = [one for one in _on_file(last) if is_replaced(one)]
    if old:
        from aquila_cassette.transcript import comparison  # only mode `all` needs it

        if comparison.is_same_recording(old, new, last.recorded_key):
            if last.owner.is_shared:
                kept = marks_of(old)
                change = Change(last.owner.signature or "", last.path, is_all=True, kept=kept)
                last.owner.run.note(change)
            return
    _write(last, new, drop=is_replaced)
    last.replaced = tuple(old), tuple(new)


def settle(run: RunFolder, owner: str, *, passed: bool, is_whole: bool) -> list[Path]:
    """Correct what all processes of a run saved for a wider `owner`, now that its tests are over.

    Where it failed, what mode ``all`` replaced is put back, and of what else was recorded the good
    answers stay, as unfinished. Where the whole of it passed, what it no longer asks is removed.
    Returns the files that were put back.
    """
    put_back = []
    all_changes = [one for one in run.changes() if one.owner == owner and one.path.exists()]
    for path in dict.fromkeys(one.path for one in all_changes):
        changes = [one for one in all_changes if one.path == path]
        new = {text for change in changes for text in change.new}
        in_mode_all = [change for change in changes if change.is_all]
        mine = [one for one in importers.load(path).interactions if one.owner == owner]
        gone: list[Interaction] = []
        put: list[Interaction] = []
        if not passed:
            gone = [one for one in mine if mark(one) in new]
            if in_mode_all:
                put = [one for change in in_mode_all for one in change.old]
                put_back.append(path)
            else:
                put = [as_unfinished(one) for one in gone if is_good(one)]
        elif is_whole and in_mode_all:
            known = new.union(*(change.kept for change in changes))
            gone = [one for one in mine if mark(one) not in known]
        elif is_whole:
            gone = [one for one in mine if one.is_unfinished]
            put = [as_finished(one) for one in gone]
        if gone or put:
            _save(path, put, drop=gone.__contains__)
    return put_back


def refuse_loss(sessions: Sequence[Session], *, is_whole: bool = True) -> None:
    """Raise where failures of the blocks of one file would replace good answers.

    An owner that was edited (it missed when it ran last) may lose answers to what it no longer
    asks: the failure may be what it expects now.
    """
    __tracebackhide__ = True
    last = sessions[-1]
    key_of = last.recorded_key
    new = [one for session in sessions for one in session.answers]
    if not any(map(how_failed, new)):
        return
    is_replaced = _is_replaced(sessions, is_whole=is_whole)
    old = [(number, one) for number, one in enumerate(_on_file(last), 1) if is_replaced(one)]
    if last.owner.was_edited:
        keys = {key_of(one.request) for one in new}
        old = [pair for pair in old if key_of(pair[1].request) in keys]
    lost, failures = find_loss(old, new, key_of)
    if lost:
        raise _overwrite_error(last, lost, failures)


def _is_replaced(sessions: Sequence[Session], *, is_whole: bool) -> Callable[[Interaction], bool]:
    """Return a function that tells whether mode ``all`` replaces an interaction on file.

    It replaces the owner's own, and unsigned ones that the owner asked again. Where the owner ran in
    part, it replaces only what was asked again; never what other processes recorded in this run.
    """
    last, owner = sessions[-1], sessions[-1].owner
    key_of = last.recorded_key
    again = {key_of(one.request) for session in sessions for one in session.recorded}
    recorded_now = owner.run.marks(owner.signature, last.path) if owner.is_shared else set()

    def is_replaced(old: Interaction) -> bool:
        is_own = owner.owns(old)
        may_be = is_own or old.recorded_by is None
        is_due = (is_own and is_whole) or (may_be and key_of(old.request) in again)
        return is_due and mark(old) not in recorded_now

    return is_replaced


def _is_among(some: Iterable[Interaction]) -> Callable[[Interaction], bool]:
    marks = set(marks_of(some))
    return lambda old: mark(old) in marks


def _on_file(session: Session) -> Sequence[Interaction]:
    return importers.load(session.path).interactions if session.path.exists() else ()


def discarded_note(session: Session) -> str | None:
    """Return a note on the answers of a session that were not kept; None if all were."""
    if not session.discarded:
        return None
    lines = [f"aquila: not kept in {session.shown_path}, since the test or block failed:"]
    for one in session.discarded:
        how = how_failed(one)
        lines.append(f"  {_asked(one)}: {how.words if how else one.response.ended}")
    return "\n".join(lines)


def _save(path: Path, new: files.New, *, drop: Callable[[Interaction], bool], **how: Any) -> None:
    """Take out what `drop` says, put `new` in, and remove a file of which nothing is left."""
    if not files.save(path, new, drop=drop, **how).interactions:
        path.unlink(missing_ok=True)


def _write(
    session: Session,
    interactions: Sequence[Interaction],
    drop: Callable[[Interaction], bool] = lambda old: False,
) -> None:
    """Save what a session recorded; for a shared owner, note the change for `settle`."""
    owner = session.owner

    def put_in(stays: Sequence[Interaction], gone: Sequence[Interaction]) -> Sequence[Interaction]:
        new = _not_stored(session, stays, interactions)
        is_all = session.mode == "all"
        owner.run.note(Change(owner.signature or "", session.path, is_all, marks_of(new), old=gone))
        return new

    _save(
        session.path,
        put_in if owner.is_shared else interactions,
        drop=drop,
        check=lambda data: refuse_secrets(data, session.options.redact, session.path),
        on_create=lambda: owner.run.add(session.path),
    )


def _not_stored(
    session: Session, stored: Iterable[Interaction], new: Iterable[Interaction]
) -> list[Interaction]:
    """Return what is `new` without what another process stored meanwhile for the same owner."""
    key_of = session.recorded_key
    known = set(marks_of(session.index.interactions))
    theirs = [
        one for one in stored if one.owner == session.owner.signature and mark(one) not in known
    ]
    count_of = Counter(key_of(one.request) for one in theirs)
    left = []
    for one in new:
        key = key_of(one.request)
        count_of[key] -= 1
        if count_of[key] < 0:
            left.append(one)
    return left


def refuse_secrets(data: bytes, redact: Redaction, path: Path) -> None:
    """Refuse to write `data` if it holds a known secret; the error names its kind, never itself."""
    if leaks := redact.leaks(data):
        raise SecretLeakError(
            f"{display_path(path)} was not written, since it would hold a secret.",
            path=path,
            facts=[f"line {leak.line}: {leak.kind}" for leak in leaks],
            fix="Fix: name it to redact=..., or let before_record_response take it out",
        )


# The guard of good answers.


def find_loss(
    old: Iterable[Numbered], new: Sequence[Interaction], key_of: Callable[[Request], Hashable]
) -> tuple[list[Numbered], list[Interaction]]:
    """Return the good answers among `old`, which is replaced, that are lost, and the failures.

    `new` is all that was asked now. A good answer is lost where a failure came in its place: to the
    same request, or to another one where a request was edited. With A and B on file, ``A: 500, B: 200``
    loses A's; ``A: 200, C: 500`` loses B's, since C may be B with another prompt. An event stream
    that said nothing is no loss: clients of MCP leave theirs when they like.
    """
    old = [pair for pair in old if pair[1].response.pieces or not is_event_stream(pair[1].response)]
    before = {key_of(one.request) for _, one in old}
    good: Counter[Hashable] = Counter()
    bad: dict[Hashable, Interaction] = {}  # the last failure of each request
    for one in new:
        if how_failed(one):
            bad[key_of(one.request)] = one
        else:
            good[key_of(one.request)] += 1
    now = good.keys() | bad.keys()
    came_well = sum(good[key] for key in now - before)
    lost: list[Numbered] = []
    gone: list[Numbered] = []
    causes: dict[Hashable, Interaction] = {}
    for pair in old:
        key = key_of(pair[1].request)
        if how_failed(pair[1]):
            continue
        if key not in now:
            gone.append(pair)
        elif not good[key] and key in bad:
            lost.append(pair)
            causes[key] = bad[key]
        else:
            good[key] -= 1
    edited = {key: one for key, one in bad.items() if key not in before}
    if edited and came_well < len(gone):
        lost += gone
        causes |= edited
    return sorted(lost, key=itemgetter(0)), [*causes.values()]


_SHOWN = 3
_LONG = 160  # characters


def _overwrite_error(
    session: Session, lost: list[Numbered], failures: list[Interaction]
) -> OverwriteError:
    command = session.owner.rerecord("all")
    hows = [(one, how) for one in failures if (how := how_failed(one))]
    kinds = escape_control_chars(" and ".join(dict.fromkeys(how.kind for _, how in hows)))
    was = [f"on cassette: {numbered(*pair)}: HTTP {pair[1].response.status}" for pair in lost]
    if len(was) > _SHOWN:
        was[_SHOWN:] = [f"             and {len(was) - _SHOWN} more"]
    now = [
        f"now:         {_asked(one)}: "
        + shorten(escape_control_chars(how.words), _LONG, placeholder="...")
        for one, how in hows[:_SHOWN]
    ]
    return OverwriteError(
        f"{session.shown_path} stays as it was: {count(len(lost), 'good answer')} would have been "
        f"replaced by {kinds}.",
        path=session.path,
        facts=[*was, *now, "to store the failure instead: delete what is on cassette first"],
        fix=f"Fix: check the provider, the API key and its limits, then run: {command}",
    )


def numbered(number: int, one: Interaction) -> str:
    """Return the line of an error on an interaction of a cassette."""
    dated = f", recorded {one.recorded_at[:10]}" if one.recorded_at else ""
    return f"interaction {number}{dated}, {_asked(one)}"


def _asked(one: Interaction) -> str:
    return f"{one.request.method} {one.request.url}"
