"""Decide what is saved: after a test passed or failed, in mode `all`, and what may be overwritten.

At the end of a block its answers are saved, the good ones only where an exception leaves it. At the
end of the owner its outcome decides: one that passed keeps everything, expected errors included; one
that failed keeps its good answers only. Mode ``all`` replaces the owner's interactions at its end, and
only if it passed; a good answer is never replaced by a failure.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path

from aquila_cassette import importers
from aquila_cassette.errors import OverwriteError, SecretLeakError
from aquila_cassette.model import Interaction, Request
from aquila_cassette.redaction import Redaction
from aquila_cassette.session.failures import how_failed
from aquila_cassette.session.session import Session
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

IsReplaced = Callable[[Interaction, bool], bool]
"""Returns whether an interaction on file is replaced, given whether its request was sent again."""

Numbered = tuple[int, Interaction]


class Created:
    """The cassettes created in this run, shared by its processes through a folder.

    Eight tests of one run, on eight workers, may record into one new cassette in mode ``once``: the
    file that the first one creates does not close it for the other seven.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._here: set[Path] = set()

    def add(self, path: Path) -> None:
        self._here.add(path)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._mark(self._folder, path).touch()

    def __contains__(self, path: object) -> bool:
        in_folder = self._folder is not None and self._mark(self._folder, path).exists()
        return path in self._here or in_folder

    @staticmethod
    def _mark(folder: Path, path: object) -> Path:
        return folder / hashlib.sha256(str(path).encode()).hexdigest()


def save_block(session: Session, created: Created | None, *, raised: bool) -> None:
    """Save what a block recorded at its end, its failed answers only if no exception leaves it."""
    session.discard_failed(raised)
    if recorded := session.recorded:
        _write(session, recorded, created)


def save_outcome(sessions: Sequence[Session], created: Created | None, *, passed: bool) -> None:
    """Correct what the blocks of one file saved, now that their owner's outcome is known."""
    saved = [one for session in sessions for one in session.recorded]
    for session in sessions:
        session.discard_failed(not passed)
    recordings = [pair for session in sessions for pair in session.recordings(kept=True)]
    kept = [one for _, one in sorted(recordings, key=lambda pair: pair[0])]
    if {id(one) for one in kept} == {id(one) for one in saved}:
        return
    marks = {_mark_of(one) for one in saved}
    left = _write(sessions[-1], kept, created, drop=lambda old: _mark_of(old) in marks)
    if not left and sessions[0].state == "absent":
        sessions[0].path.unlink(missing_ok=True)


def replace_old(
    sessions: Sequence[Session], created: Created | None, is_replaced: IsReplaced
) -> None:
    """Save what the blocks of one file recorded in mode ``all``, in place of what it replaces.

    The file stays as it is where all answers are the same, ids, dates and padding aside.
    """
    new = [one for session in sessions for one in session.recorded]
    if not new:
        return
    last = sessions[-1]
    change = _Change(sessions, is_replaced)
    old = change.of_file()
    if old:
        from aquila_cassette.transcript import comparison  # only mode `all` needs it

        if comparison.is_same_recording(old, new, last.recorded_key):
            last.is_unchanged = True
            _note_saved(old)
            return
    change = _Change(sessions, is_replaced)
    _write(last, new, created, drop=change.drops, check=change.refuse_loss)
    last.replaced = tuple(old for _, old in change.gone), tuple(new)


def refuse_loss(sessions: Sequence[Session], is_replaced: IsReplaced) -> None:
    """Raise where failures of the blocks of one file would replace good answers."""
    __tracebackhide__ = True
    if any(how_failed(one) for session in sessions for one in session.answers):
        change = _Change(sessions, is_replaced)
        change.of_file()
        change.refuse_loss()


def discarded_note(session: Session) -> str | None:
    """Return a note on the answers of a session that were not kept; None if all were."""
    if not session.discarded:
        return None
    because = "the test failed" if session.signature else "the block raised"
    lines = [f"aquila: not kept in {session.shown_path}, since {because}:"]
    for one in session.discarded:
        error = one.response.error
        how = f"failed: {error.type or error.message}" if error else one.response.ended
        lines.append(f"  {_asked(one)} ({one.response.status or 'no answer'}, {how})")
    return "\n".join(lines)


class _Change:
    """What mode ``all`` would do to a file."""

    def __init__(self, sessions: Sequence[Session], is_replaced: IsReplaced) -> None:
        self.gone: list[Numbered] = []
        self._session = sessions[-1]
        self._is_replaced = is_replaced
        self._seen = 0
        self._answers = [one for session in sessions for one in session.answers]
        recorded = [one.request for session in sessions for one in session.recorded]
        self._again = set(map(self._session.recorded_key, recorded))

    def of_file(self) -> list[Interaction]:
        """Return what is replaced of the interactions that are on file now."""
        path = self._session.path
        loaded = importers.load(path).interactions if path.exists() else ()
        return [one for one in loaded if self.drops(one)]

    def drops(self, old: Interaction) -> bool:
        """Return whether the next interaction on file is replaced."""
        self._seen += 1
        asked_again = self._session.recorded_key(old.request) in self._again
        if drops := self._is_replaced(old, asked_again):
            self.gone.append((self._seen, old))
        return drops

    def refuse_loss(self) -> None:
        __tracebackhide__ = True
        session = self._session
        if loss := find_loss(self.gone, self._answers, session.recorded_key):
            whole = len(self.gone) == self._seen
            raise _overwrite_error(loss, path=session.path, fix=session.fix, whole=whole)


def _write(
    session: Session,
    interactions: Sequence[Interaction],
    created: Created | None,
    drop: Callable[[Interaction], bool] | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[Interaction, ...]:
    """Save, and return what is on file now."""

    def look(data: bytes) -> None:
        check()
        refuse_secrets(data, session.options.redact, session.path)

    def note() -> None:
        if created is not None:
            created.add(session.path)

    saved = files.save(session.path, interactions, drop=drop, check=look, on_create=note)
    _note_saved(interactions)
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


# What this process saved itself: outside pytest nothing signs an interaction, and a block of mode
# `all` there must not replace what blocks that ran at the same time have saved.

_Mark = tuple[str, str | None, str, str, bytes]
_saved_at: dict[_Mark, float] = {}


def _note_saved(interactions: Sequence[Interaction]) -> None:
    now = time.monotonic()
    _saved_at.update((_mark_of(interaction), now) for interaction in interactions)


def saved_since(interaction: Interaction, since: float) -> bool:
    """Return whether this process saved `interaction`, as it is on file, after `since`."""
    return _saved_at.get(_mark_of(interaction), -1.0) >= since


def _mark_of(one: Interaction) -> _Mark:
    request = one.request
    body = hashlib.sha256(request.body).digest()
    return one.recorded_at, one.recorded_by, request.method, request.url, body


# The guard of good answers.


Loss = tuple[list[Numbered], list[Interaction]]
"""Good answers on the cassette, with their numbers, and the failures that came instead."""


def find_loss(
    old: Iterable[Numbered], new: Sequence[Interaction], key_of: Callable[[Request], Hashable]
) -> Loss | None:
    """Return the good answers among `old`, which is to be replaced, that failures would replace.

    A request that failed and was answered when it was sent again is answered. Of a request that
    was asked before, any failure counts; of another one (a prompt that was edited, the next turn
    of a conversation), only outages: no connection, a stream that broke off, a key, a limit, the
    provider's own errors. `new` is all that was asked now, in the order of the requests.
    """
    old = list(old)
    if not old or not any(how_failed(one) for one in new):
        return None
    was, now = _by_key(old, key_of), _by_key(enumerate(new, 1), key_of)
    good: list[Numbered] = []
    failures: list[Interaction] = []
    for key in [key for key in was if key in now]:
        before, after = _good(was[key]), _good(now[key])
        bad = [one for _, one in now[key] if how_failed(one)]
        if len(before) > len(after) and bad and not _asked_less(was[key], now[key], after):
            good += before[len(after) :]
            failures += bad[-1:]
    gone = [one for key in was if key not in now for one in was[key]]
    came = [one for key in now if key not in was for one in now[key]]
    # The failures that the same request, sent again and again, ended in.
    last_of_others = [asked[-1][1] for key, asked in now.items() if key not in was]
    outages = [one for one in last_of_others if (how := how_failed(one)) and how.is_outage]
    good_gone = _good(gone)
    if good_gone and outages:
        spare = len(gone) - len(good_gone)
        if len(_good(came)) < len(good_gone) or len(outages) > spare:
            good += good_gone
            failures += outages
    return (sorted(good, key=lambda one: one[0]), failures) if good else None


def _by_key(
    numbered: Iterable[Numbered], key_of: Callable[[Request], Hashable]
) -> dict[Hashable, list[Numbered]]:
    grouped: dict[Hashable, list[Numbered]] = {}
    for number, one in numbered:
        grouped.setdefault(key_of(one.request), []).append((number, one))
    return grouped


def _good(some: Iterable[Numbered]) -> list[Numbered]:
    return [pair for pair in some if how_failed(pair[1]) is None]


def _asked_less(was: list[Numbered], now: list[Numbered], after: list[Numbered]) -> bool:
    """Return whether a request that is asked until something is ready, or gone, ended as it should."""
    if len(now) >= len(was):
        return False
    then, last = how_failed(was[-1][1]), how_failed(now[-1][1])
    return last is None or bool(after and then and then.kind == last.kind)


_SHOWN = 3
_LONG = 160  # characters


def _overwrite_error(loss: Loss, *, path: Path, fix: str, whole: bool) -> OverwriteError:
    good, failures = loss
    hows = [one for one in map(how_failed, failures) if one]
    was = []
    for number, one in good:
        dated = f", recorded {one.recorded_at[:10]}" if one.recorded_at else ""
        answer = f"{_asked(one)}: HTTP {one.response.status}"
        was.append(f"on cassette: interaction {number}{dated}, {answer}")
    now = [
        f"now:         {_asked(one)}: {_cut(how.words)}"
        for one, how in zip(failures, hows, strict=True)
    ]
    kinds = " and ".join(dict.fromkeys(one.kind for one in hows))
    advice = " and ".join(dict.fromkeys(one.advice for one in hows))
    numbers = ", ".join(str(number) for number, _ in good)
    which = f"interaction{'' if len(good) == 1 else 's'} {numbers} of it"
    return OverwriteError(
        f"{display_path(path)} stays as it was: {count(len(good), 'good answer')} would have been "
        f"replaced by {escape_control_chars(kinds)}.",
        path=path,
        facts=[
            *_shortened(was),
            *_shortened(now),
            f"to store the failure instead: delete {display_path(path) if whole else which} first",
        ],
        fix=f"Fix: {advice}, then run: {fix.removeprefix('Fix: ')}",
    )


def _asked(one: Interaction) -> str:
    return f"{one.request.method} {one.request.url}"


def _cut(text: str) -> str:
    text = " ".join(escape_control_chars(text).split())
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


def _shortened(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return lines if more <= 0 else [*lines[:_SHOWN], f"             and {more} more"]
