"""Decide what is saved: after a test passed or failed, in mode `all`, and what may be overwritten.

At the end of a block its answers are saved, the good ones only where an exception leaves it. At the
end of the owner its outcome decides: one that passed keeps everything, expected errors included; one
that failed keeps its good answers only. Mode ``all`` replaces the owner's interactions at its end, and
only if it passed; a good answer is never replaced by a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from textwrap import shorten

from aquila_cassette import importers
from aquila_cassette.errors import OverwriteError, SecretLeakError
from aquila_cassette.model import Interaction, Request
from aquila_cassette.redaction import Redaction
from aquila_cassette.session.failures import how_failed
from aquila_cassette.session.session import Session
from aquila_cassette.storage import files
from aquila_cassette.storage.files import Created
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

Owns = Callable[[Interaction], bool]
"""Returns whether an interaction on file is the owner's own."""

Numbered = tuple[int, Interaction]


def save_block(session: Session, created: Created | None, *, raised: bool) -> None:
    """Save what a block recorded at its end, its failed answers only if no exception leaves it."""
    session.discard_failed(raised)
    if recorded := session.recorded:
        session.saved = recorded
        _write(session, recorded, created)


def save_outcome(sessions: Sequence[Session], created: Created | None, *, passed: bool) -> None:
    """Correct what the blocks of one file saved, now that their owner's outcome is known."""
    saved = [one for session in sessions for one in session.saved]
    for session in sessions:
        session.discard_failed(not passed)
    recordings = [pair for session in sessions for pair in session.recordings()]
    kept = [one for _, one in sorted(recordings, key=lambda pair: pair[0])]
    if {id(one) for one in kept} == {id(one) for one in saved}:
        return
    marks = set(map(mark, saved))
    left = _write(sessions[-1], kept, created, drop=lambda old: mark(old) in marks)
    if not left and sessions[0].state == "absent":
        sessions[0].path.unlink(missing_ok=True)


def mark(one: Interaction) -> Hashable:
    request = one.request
    return one.recorded_at, one.recorded_by, request.method, request.url, request.body


def replace_old(sessions: Sequence[Session], created: Created | None, owns: Owns) -> None:
    """Save what the blocks of one file recorded in mode ``all``, in place of what it replaces.

    The file stays as it is where all answers are the same, ids, dates and padding aside.
    """
    new = [one for session in sessions for one in session.recorded]
    if not new:
        return
    last = sessions[-1]
    is_replaced = _is_replaced(sessions, owns)
    old = [one for one in _on_file(last) if is_replaced(one)]
    if old:
        from aquila_cassette.transcript import comparison  # only mode `all` needs it

        if comparison.is_same_recording(old, new, last.recorded_key):
            last.is_unchanged = True
            return
    _write(last, new, created, drop=is_replaced)
    last.replaced = tuple(old), tuple(new)


def refuse_loss(sessions: Sequence[Session], owns: Owns) -> None:
    """Raise where failures of the blocks of one file would replace good answers."""
    __tracebackhide__ = True
    last = sessions[-1]
    new = [one for session in sessions for one in session.answers]
    if not any(map(how_failed, new)):
        return
    is_replaced = _is_replaced(sessions, owns)
    old = [(number, one) for number, one in enumerate(_on_file(last), 1) if is_replaced(one)]
    if loss := find_loss(old, new, last.recorded_key):
        raise _overwrite_error(*loss, path=last.path, fix=last.fix)


def _is_replaced(sessions: Sequence[Session], owns: Owns) -> Callable[[Interaction], bool]:
    """Return what says of an interaction on file whether mode ``all`` replaces it.

    The owner's own are replaced; of those that nobody signed, those that it asked again.
    """
    key_of = sessions[-1].recorded_key
    again = {key_of(one.request) for session in sessions for one in session.recorded}
    return lambda old: owns(old) or (old.recorded_by is None and key_of(old.request) in again)


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


def _write(
    session: Session,
    interactions: Sequence[Interaction],
    created: Created | None,
    drop: Callable[[Interaction], bool] | None = None,
) -> tuple[Interaction, ...]:
    """Save, and return what is on file now."""

    def check(data: bytes) -> None:
        refuse_secrets(data, session.options.redact, session.path)

    def note() -> None:
        if created is not None:
            created.add(session.path)

    saved = files.save(session.path, interactions, drop=drop, check=check, on_create=note)
    return saved.interactions


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
) -> tuple[list[Numbered], list[Interaction]] | None:
    """Return the good answers among `old`, which is replaced, that are lost, and the failures.

    `new` is all that was asked now. Where fewer good answers came than before, and a failure, the
    others are lost: for one request, and for those that are no longer asked together with those
    that are new (a prompt that was edited, the next turn of a conversation).
    """
    was, now = _by_key(old, key_of), _by_key(enumerate(new, 1), key_of)
    lost: list[Numbered] = []
    failures: list[Interaction] = []
    for key in [key for key in was if key in now]:
        before, after = _good(was[key]), _good(now[key])
        bad = [one for _, one in now[key] if how_failed(one)]
        if len(before) > len(after) and bad:
            lost += before[len(after) :]
            failures += bad[-1:]
    gone = _good(one for key in was if key not in now for one in was[key])
    came = [one for key in now if key not in was for one in now[key]]
    bad = [one for _, one in came if how_failed(one)]
    if bad and len(_good(came)) < len(gone):
        lost += gone
        failures += bad
    return (sorted(lost, key=lambda one: one[0]), failures) if lost else None


def _by_key(
    numbered: Iterable[Numbered], key_of: Callable[[Request], Hashable]
) -> dict[Hashable, list[Numbered]]:
    grouped: dict[Hashable, list[Numbered]] = {}
    for number, one in numbered:
        grouped.setdefault(key_of(one.request), []).append((number, one))
    return grouped


def _good(some: Iterable[Numbered]) -> list[Numbered]:
    return [pair for pair in some if how_failed(pair[1]) is None]


_SHOWN = 3
_LONG = 160  # characters


def _overwrite_error(
    lost: list[Numbered], failures: list[Interaction], *, path: Path, fix: str
) -> OverwriteError:
    hows = [(one, how) for one in failures if (how := how_failed(one))]
    kinds = escape_control_chars(" and ".join(dict.fromkeys(how.kind for _, how in hows)))
    was = []
    for number, one in lost:
        dated = f", recorded {one.recorded_at[:10]}" if one.recorded_at else ""
        answer = f"{_asked(one)}: HTTP {one.response.status}"
        was.append(f"on cassette: interaction {number}{dated}, {answer}")
    now = []
    for one, how in hows:
        words = shorten(escape_control_chars(how.words), _LONG, placeholder="...")
        now.append(f"now:         {_asked(one)}: {words}")
    return OverwriteError(
        f"{display_path(path)} stays as it was: {count(len(lost), 'good answer')} would have been "
        f"replaced by {kinds}.",
        path=path,
        facts=[
            *was[:_SHOWN],
            *([f"             and {len(was) - _SHOWN} more"] if len(was) > _SHOWN else []),
            *now[:_SHOWN],
            "to store the failure instead: delete what is on cassette first",
        ],
        fix="Fix: check the provider, the API key and its limits, then run: "
        + fix.removeprefix("Fix: "),
    )


def _asked(one: Interaction) -> str:
    return f"{one.request.method} {one.request.url}"
