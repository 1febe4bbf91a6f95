"""`Owner`: the test or script of a block: what it must replay, what mode `all` replaces; calls `saving`."""

from __future__ import annotations

import atexit
import builtins
import inspect
import os
import shlex
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any, Literal

from aquila_cassette.dialects.providers import KEYS
from aquila_cassette.errors import MissError, UnplayedError, UnplayedWarning
from aquila_cassette.model import TEARDOWN, UNFINISHED, Interaction
from aquila_cassette.options import Layer, environment_layer, resolve
from aquila_cassette.session import saving
from aquila_cassette.session.failures import how_failed
from aquila_cassette.session.miss import combined
from aquila_cassette.session.run_folder import Change, RunFolder, mark
from aquila_cassette.session.session import Session
from aquila_cassette.storage import files
from aquila_cassette.waiting.inspection import callers, is_user_code

Kind = Literal["test", "wider", "block"]
"""A test must replay what it recorded; a wider owner (a class, a module, a package, the session) and
a block outside pytest run in part. A block decides at its own end what is saved."""


class Owner:
    """The owner of blocks: what they recorded and must replay.

    `name` is the pytest node id; without one a block is its own owner. `fix` is the command that
    records again; `above` and `below` are settings stronger and weaker than those of a call.
    One that `sets_keys` gives placeholder keys to a block that can only replay. `record --failed`
    runs what it is `noted_as`. One that `was_edited` missed when it ran last; one that
    `defers_misses` raises those that nobody saw in `check` alone, since its blocks do not see the
    exception that ends it. One that `is_shared` is the owner in several processes of one run, which
    `saving.settle` brings together.
    """

    def __init__(
        self,
        name: str | None,
        *,
        fix: str,
        kind: Kind = "test",
        above: Sequence[Layer] = (),
        below: Sequence[Layer] = (),
        root: Path | None = None,
        run: RunFolder | None = None,
        sets_keys: bool = True,
        noted_as: str | None = None,
        was_edited: bool = False,
        defers_misses: bool = False,
        is_shared: bool = False,
    ) -> None:
        self.name = name
        self.fix = fix
        self.kind: Kind = kind if name else "block"
        self.above = list(above)
        self.below = list(below)
        self.root = root or Path.cwd()
        self.sessions: list[Session] = []
        self.in_teardown = False
        self._pid = os.getpid()
        self.failed = False
        self.xfailed = False
        self.skipped = False
        self._run = run
        self._sets_keys = sets_keys
        self.noted_as = noted_as or name
        self._was_edited = was_edited
        self._defers_misses = defers_misses
        self._is_shared = is_shared
        self._decided = 0  # of the sessions, those that `end` has decided about

    @property
    def _has_forked_blocks(self) -> bool:
        """Whether a child opened blocks of its own, of which this process knows nothing else."""
        return self._run is not None and self.name in self._run

    def in_this_process(self) -> Owner:
        """Return who owns a block that is opened now: in a forked child each decides itself."""
        if os.getpid() == self._pid:
            return self
        how: dict[str, Any] = {"above": self.above, "below": self.below, "root": self.root}
        return BlockOwner(self._signature, is_whole=False, fix=self.fix, run=self._run, **how)

    def begin_teardown(self) -> None:
        """Sign what fixtures ask for from now on as such: when the test's part ends, it is not due."""
        self.in_teardown = True
        for session in self.sessions:
            session.signature = self._signature

    @property
    def _signature(self) -> str | None:
        """What is written to ``recorded_by`` now."""
        return f"{self.name}{TEARDOWN}" if self.name and self.in_teardown else self.name

    @property
    def is_undecided(self) -> bool:
        """Whether `end` has to decide what is saved of some block."""
        return self._decided < len(self.sessions)

    @property
    def keeps_old(self) -> bool:
        """Whether mode ``all`` was to replace a cassette of this owner, and has not done so."""
        return any(session.keeps_old for session in self.sessions)

    def open(self, name: str, call: Layer) -> Session:
        """Open a cassette for one block, with the options of its call."""
        session = Session(
            name,
            resolve([*self.above, call, *self.below], os.environ),
            root=self.root,
            fix=self.fix,
            signature=self._signature,
            created=self._run or (),
            recorded_before=self._recorded_in_mode_all,
            is_shared=self._is_shared,
        )
        session.keeps_old = session.mode == "all"
        for earlier in self.sessions:
            if earlier.path == session.path:
                session.played_before |= earlier.index.played
        self.sessions.append(session)
        if self._sets_keys and not session.may_record:
            session.has_keys = True
            KEYS.switch_for_block(True)
        return session

    def close(self, session: Session, error: BaseException | None) -> None:
        """End a block: save, and raise the misses that nobody saw.

        An `error` that leaves the block gets notes instead of being replaced.
        """
        __tracebackhide__ = True
        if session.is_forked:  # the process that opened it saves
            session.close_streams()
            return
        session.stop()
        if session.has_keys:
            session.has_keys = False
            KEYS.switch_for_block(False)
        # A consumer that lets a decorated generator go is no failure.
        raised = error is not None and not isinstance(error, GeneratorExit)
        self._save_block(session, raised=raised)
        if error is None and self._defers_misses:
            return
        misses = session.take_swallowed(error)
        if error is None and misses:
            raise combined(misses)
        if error is not None:
            # A run of tests shows at its end what was not kept.
            note = saving.discarded_note(session) if self.kind == "block" else None
            for text in (str(combined(misses)) if misses else None, note):
                if text:
                    error.add_note(text)

    def _save_block(self, session: Session, *, raised: bool) -> None:
        if session.mode != "all":
            saving.save_block(session, self._run, raised=raised)
        if self.kind == "block":
            self.end(passed=not raised)

    def take_swallowed(self, error: BaseException | None = None) -> list[MissError]:
        """Return the misses that nobody reported yet, and that `error` does not deliver, once."""
        return [miss for session in self.sessions for miss in session.take_swallowed(error)]

    def check(self) -> None:
        """Raise what a test must fail with: swallowed misses, lost good answers, unplayed ones."""
        __tracebackhide__ = True
        if os.getpid() != self._pid:
            return
        if misses := self.take_swallowed():
            raise combined(misses)
        self._refuse_losses(self.sessions)
        if any(session.misses for session in self.sessions):
            return
        for session, left in self.unplayed():
            error = self._unplayed_error(session, left)
            if session.options.on_unplayed == "fail":
                raise error
            if session.options.on_unplayed == "warn":
                warnings.warn(UnplayedWarning(str(error)), stacklevel=1)

    def unplayed(self) -> list[tuple[Session, list[tuple[int, Interaction]]]]:
        """Return what this owner once recorded and did not replay now, a row for each cassette.

        It counts in all blocks of a test together. Only a test must replay what it recorded: wider
        owners and scripts run in part. A cassette that mode ``all`` re-records has nothing unplayed.
        """
        rows = []
        is_due = self.kind == "test" and not self._has_forked_blocks
        for sessions in _by_path(self.sessions) if is_due else ():
            played = set().union(*(session.index.played for session in sessions))
            left = [
                (place + 1, one)
                for place, one in enumerate(sessions[0].index.interactions)
                if place not in played and self._owns_and_is_due(one) and not one.is_unfinished
            ]
            if left and all(session.mode != "all" for session in sessions):
                rows.append((sessions[0], left))
        return rows

    def end(self, *, passed: bool, is_whole: bool = True) -> None:
        """Let the outcome decide what is saved; see `saving`.

        Mode ``all`` replaces all of this owner's cassettes or none: they may follow from each other.
        A wider owner may end several times, each time its tests are over for now, and not be run as
        a whole; the run as a whole decides about it once more (`saving.settle`).
        """
        if os.getpid() != self._pid:
            return
        is_whole &= not self._has_forked_blocks
        sessions, self._decided = self.sessions[self._decided :], len(self.sessions)
        for session in sessions:
            session.was_skipped = self.skipped
            if not session.is_open:
                session.give_up_streams()
            if self._is_shared and session.unfinished and self._run is not None:
                self._run.note(Change(self.name or "", session.path, is_all=False))
        for some in _by_path(sessions, mode_all=False):
            if passed or not self._is_shared:
                saving.save_outcome(some, self._run, passed=passed)
            for session in some:
                session.discard_failed(not passed)
        if not passed:
            return
        self._refuse_losses(sessions, is_whole=is_whole)
        for some in _by_path(sessions, mode_all=True):
            saving.replace_old(some, self._run, self._owns_and_is_due, is_whole=is_whole)
        for session in sessions:
            session.keeps_old = False

    def withdraw(self) -> None:
        """Take back what a failed attempt of this test saved: the next one records again."""
        for some in _by_path(self.sessions, mode_all=False):
            saving.withdraw(some)

    def _refuse_losses(self, sessions: Sequence[Session], *, is_whole: bool = True) -> None:
        __tracebackhide__ = True
        for some in _by_path(sessions, mode_all=True):
            if not any(session.is_open for session in some):
                saving.refuse_loss(
                    some,
                    self._run,
                    self._owns_and_is_due,
                    is_whole=is_whole,
                    was_edited=self._was_edited,
                )

    def _recorded_in_mode_all(self, path: Path) -> list[Interaction]:
        sessions = [one for one in self.sessions if one.path == path and one.mode == "all"]
        return [one for session in sessions for one in session.recorded]

    def _owns_and_is_due(self, interaction: Interaction) -> bool:
        """Return whether this owner recorded it, and not in a teardown that did not begin yet."""
        by = (interaction.recorded_by or "").removesuffix(UNFINISHED)
        return self.name is not None and (
            by == self.name or (self.in_teardown and by == f"{self.name}{TEARDOWN}")
        )

    def _unplayed_error(
        self, session: Session, left: Sequence[tuple[int, Interaction]]
    ) -> UnplayedError:
        facts = [f"cassette: {session.shown_path} (mode {session.mode})"]
        for number, one in left:
            dated = f", recorded {one.recorded_at[:10]}" if one.recorded_at else ""
            asked = f"{one.request.method} {one.request.url}"
            facts.append(f"unplayed: interaction {number}, {asked}{dated}")
        count = f"{len(left)} interaction{'s' if len(left) > 1 else ''}"
        return UnplayedError(
            f"{self.name} did not play {count} that it recorded.", facts=facts, fix=self.fix
        )


def _by_path(some: Sequence[Session], *, mode_all: bool | None = None) -> list[list[Session]]:
    grouped: dict[Path, list[Session]] = {}
    for session in some:
        if mode_all in (None, session.mode == "all"):
            grouped.setdefault(session.path, []).append(session)
    return list(grouped.values())


# Outside pytest.

_owners: dict[str, Owner] = {}
_unsaved: dict[Session, Callable[[], None]] = {}
_drops: dict[tuple[Owner, Path], Callable[[], None]] = {}
_writing = threading.Lock()
_pid = os.getpid()


def owner_here(function: Callable[..., Any] | None = None) -> Owner:
    """Return the owner of a block that is opened now: of `function`, which it decorates, if given.

    It is the test or class that plain unittest runs, else the function with the block, one owner
    for all of its blocks in this process.
    """
    code: CodeType | None = None
    names: Mapping[str, Any] = {}
    if function is not None:
        function = inspect.unwrap(function)
        code, names = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    for frame in callers(sys._getframe(1)):
        if code is None and is_user_code(frame.f_code.co_filename):
            code, names = frame.f_code, frame.f_globals
        module = str(frame.f_globals.get("__name__"))
        if module in ("unittest.case", "unittest.suite") and frame.f_code.co_name == "run":
            return _owner_in_unittest(module, frame.f_locals, code)
    return _owner_of_code(code, names)


def _owner_of_code(code: CodeType | None, names: Mapping[str, Any]) -> Owner:
    is_whole = not sys.argv[1:]  # with arguments it asks what they say, and not all
    fix = _command()
    is_cell = "get_ipython" in names
    if code is None or code.co_filename.startswith("<") or is_cell:
        name, is_cell = "notebook", True
    else:
        inside = "" if code.co_qualname == "<module>" else f"::{code.co_qualname}"
        name = f"{_file(code.co_filename)}{inside}"
    if is_cell or hasattr(builtins, "get_ipython"):
        is_whole, fix = False, 'Fix: run it once with mode="all" in its aquila_cassette(...)'
    owner = _owners.setdefault(name, BlockOwner(name, fix=fix, run=_run, is_whole=is_whole))
    owner.above = environment_layer(os.environ)  # a notebook changes it
    owner.root = Path.cwd()
    return owner


def _owner_in_unittest(module: str, run: Mapping[str, Any], code: CodeType | None) -> Owner:
    """Return the owner of the blocks of a test, class or module, where plain unittest `run`s it.

    Its outcome is known when its cleanups run. Of a class or module only some tests may run.
    """
    is_test = module == "unittest.case"
    case, result = run["self"] if is_test else run["test"], run["result"]
    kind, add_cleanup = type(case), case.addCleanup
    file = _file(getattr(sys.modules.get(kind.__module__), "__file__", None) or "notebook")
    parts = [file, *kind.__qualname__.split("."), case.id().rpartition(".")[2]]
    if not is_test:
        is_module = code is not None and code.co_name in ("setUpModule", "tearDownModule")
        add_cleanup = (
            sys.modules["unittest"].addModuleCleanup if is_module else kind.addClassCleanup
        )
        parts = parts[:1] if is_module else parts[:-1]
    name = "::".join(parts)
    if name not in _owners:
        above = environment_layer(os.environ)
        _owners[name] = Owner(name, fix=_command(), kind="wider", above=above, run=_run)
        failed_before = len(result.failures) + len(result.errors)

        def end() -> None:
            passed = len(result.failures) + len(result.errors) == failed_before
            _owners.pop(name).end(passed=passed, is_whole=is_test)

        add_cleanup(end)
    return _owners[name]


def _file(path: str) -> str:
    """Return the path of a file of code as `recorded_by` has it: below the current folder."""
    file, here = Path(path).absolute(), Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name


def _command() -> str:
    command = shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])
    return f"Fix: AQUILA_RECORD=all {command}"


def _in_child() -> None:
    global _writing
    _writing = threading.Lock()  # a thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def _temporary_folder() -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:  # nothing can be written here, so it only replays
        return ""


_folder = Path(_temporary_folder(), f"aquila-cassette-run-{os.urandom(16).hex()}")
_run = RunFolder(_folder)  # by this process and the children that it forks


@atexit.register
def _end() -> None:
    if os.getpid() != _pid:  # a forked child, which ends before the script
        return
    for session, save in list(_unsaved.items()):
        session.give_up_streams()
        save()
    if getattr(sys, "last_value", None) is None:  # else an exception ended the script half-way
        for drop in _drops.values():
            drop()
    shutil.rmtree(_folder, ignore_errors=True)


class BlockOwner(Owner):
    """An owner of which each block decides itself what is saved of it.

    In mode ``all`` a block replaces what it asked again. What no block asks any more goes when the
    process ends, if nothing failed; where the owner may have run in part (`is_whole` is False), it
    stays.
    """

    def __init__(self, name: str | None, *, is_whole: bool = True, **how: Any) -> None:
        super().__init__(name, kind="block", **how)
        self._is_whole = is_whole
        self._recorded: dict[Path, list[Interaction]] = {}  # by the blocks in mode `all` that ended

    def _save_block(self, session: Session, *, raised: bool) -> None:
        self.sessions.remove(session)
        with _writing:
            self._save(session, raised=raised)
        session.end_journal()
        if os.getpid() != _pid and self._run is not None:
            self._run.add(self.name)  # its parent did not see all of it
        if session.is_recording:  # a stream that was returned from the block is read after it
            session.on_late_end = lambda: self._save_late(session, raised=raised)
            _unsaved[session] = lambda: self._save(session, raised=raised)

    def _save_late(self, session: Session, *, raised: bool) -> None:
        # The garbage collector may end a stream within another save; then it is saved at the end.
        if _writing.acquire(blocking=False):
            try:
                self._save(session, raised=raised)
            finally:
                _writing.release()
            if not session.is_recording:
                _unsaved.pop(session, None)

    def _save(self, session: Session, *, raised: bool) -> None:
        if session.mode != "all":
            saving.save_outcome([session], self._run, passed=not raised, is_whole=False)
        elif raised:
            self._is_whole = False
        elif session.recorded and not session.is_recording:
            self._replace(session)
        session.saved = session.recorded

    def _replace(self, session: Session) -> None:
        """Put what a block recorded in mode ``all`` in the place of what it asked again."""
        new, key_of = session.recorded, session.recorded_key
        asked = {key_of(one.request) for one in new}
        before = self._recorded.setdefault(session.path, [])
        saved_now = set(map(mark, before))

        def is_asked_again(old: Interaction) -> bool:
            is_ours = self._owns(old) and mark(old) not in saved_now
            return is_ours and key_of(old.request) in asked

        saving.refuse_loss([session], self._run, is_asked_again)
        saving.replace_old([session], self._run, is_asked_again)
        session.keeps_old = False
        before += new
        self._is_whole &= not any(map(how_failed, new))
        _drops[self, session.path] = lambda: self._drop_no_longer_asked(session.path, key_of)

    def _recorded_in_mode_all(self, path: Path) -> list[Interaction]:
        return self._recorded.get(path, [])

    def _owns(self, old: Interaction) -> bool:
        return old.owner == self.name

    def _drop_no_longer_asked(self, path: Path, key_of: Callable[[Any], Hashable]) -> None:
        asked = {key_of(one.request) for one in self._recorded[path]}
        if self._is_whole and self.name not in _run:
            files.save(
                path, (), drop=lambda old: self._owns(old) and key_of(old.request) not in asked
            )
