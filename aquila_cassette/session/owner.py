"""`Owner`: the test or script that blocks belong to: opens and closes them, fails for misses and unplayed."""

from __future__ import annotations

import atexit
import builtins
import functools
import inspect
import os
import shlex
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any, Literal

from aquila_cassette.dialects.providers import KEYS
from aquila_cassette.errors import MissError, UnplayedError, UnplayedWarning
from aquila_cassette.model import TEARDOWN, Interaction
from aquila_cassette.options import Layer, Mode, environment_layer, resolve
from aquila_cassette.session import saving
from aquila_cassette.session.failures import how_failed
from aquila_cassette.session.miss import Rerecord, combined, ignore_own_server
from aquila_cassette.session.run_folder import THIS_PROCESS, Change, RunFolder
from aquila_cassette.session.session import Session
from aquila_cassette.session.unrecorded import warn_that_nothing_came
from aquila_cassette.transcript.humanize import count
from aquila_cassette.waiting.frames import callers, is_user_code

Outcome = Literal["passed", "failed", "skipped", "xfailed"]


@dataclass(eq=False)
class Owner:
    """The owner of blocks. What is on file after its end, `saving` decides."""

    name: str | None  # as `recorded_by` has it: a pytest node id, ``script.py::function``
    rerecord: Rerecord = lambda _mode: "do it again"
    above: Sequence[Layer] = ()  # settings stronger than those of a call
    below: Sequence[Layer] = ()  # weaker ones
    root: Path = field(default_factory=Path.cwd)
    run: RunFolder = THIS_PROCESS
    is_test: bool = True  # must replay what it recorded; a wider owner and a script run in part
    is_shared: bool = False  # by several processes, which `saving.settle` brings together
    sets_keys: bool = True  # gives placeholder keys to a block that can only replay
    noted_as: str | None = None  # what `record --failed` runs, if not its name
    was_edited: bool = False  # missed when it ran last
    # Its blocks do not see the exception that ends it, so `check` alone raises unseen misses.
    defers_misses: bool = False

    outcome: Outcome = "passed"  # so far
    goes_on = True  # tasks and threads of one of its blocks may go on in the next

    def __post_init__(self) -> None:
        self.noted_as = self.noted_as or self.name
        self.signature = self.name  # what is written to ``recorded_by``
        self.sessions: list[Session] = []
        self._decided = 0  # of the sessions, those that `end` has decided about
        self._pid = os.getpid()

    @property
    def _has_forked_blocks(self) -> bool:
        """Whether a child opened blocks of its own, of which this process knows nothing else."""
        return self.name in self.run

    def in_this_process(self) -> Owner:
        """Return who owns a block that is opened now: in a forked child each decides itself."""
        if os.getpid() == self._pid:
            return self
        how = self.above, self.below, self.root, self.run
        return BlockOwner(self.signature, self.rerecord, *how, is_whole=False)

    @property
    def succeeded(self) -> bool:
        """Whether what it recorded is good: what an xfail leads to is as expected."""
        return self.outcome in ("passed", "xfailed")

    def begin_teardown(self) -> None:
        """Sign what fixtures ask for from now on as such: when the test's part ends, it is not due."""
        self.signature = f"{self.name}{TEARDOWN}"

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
        session = Session(name, resolve([*self.above, call, *self.below], os.environ), self)
        session.keeps_old = session.mode == "all"
        for earlier in self.sessions:
            if earlier.path == session.path:
                session.played_before |= earlier.index.played
        self.sessions.append(session)
        if self.sets_keys and not session.may_record:
            KEYS.switch("models", "accounts", on=True)
        return session

    def close(self, session: Session, error: BaseException | None) -> None:
        """End a block: save, and raise the misses that nobody saw.

        An `error` that leaves the block gets notes instead of being replaced.
        """
        __tracebackhide__ = True
        if not session.is_open:  # its owner ended before it
            return
        if session.is_forked:  # the process that opened it saves
            session.close_streams()
            return
        self._stop(session)
        # A consumer that lets a decorated generator go is no failure.
        raised = error is not None and not isinstance(error, GeneratorExit)
        self._save_block(session, raised=raised)
        if error is None and self.defers_misses:
            return
        if missed := session.take_failure(error):
            if error is None:
                raise missed
            error.add_note(str(missed))

    def _stop(self, session: Session) -> None:
        session.stop()
        if self.sets_keys and not session.may_record:
            KEYS.switch("models", "accounts", on=False)

    def _save_block(self, session: Session, *, raised: bool) -> None:
        if session.mode != "all":
            saving.save_block(session, raised=raised)

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

        It counts in all blocks of a test together. A cassette that mode ``all`` re-records has nothing
        unplayed.
        """
        rows = []
        is_due = self.is_test and not self._has_forked_blocks
        for sessions in _by_path(self.sessions) if is_due else ():
            played = set().union(*(session.index.played for session in sessions))
            left = [
                (place + 1, one)
                for place, one in enumerate(sessions[0].index.interactions)
                if place not in played
                and self.owns(one)
                and not (one.is_unfinished or sessions[0].is_ignored(one.request.url))
            ]
            if left and all(session.mode != "all" for session in sessions):
                rows.append((sessions[0], left))
        return rows

    def end(self, *, passed: bool, is_whole: bool = True) -> None:
        """Let the outcome decide what is saved; see `saving`.

        A wider owner may end several times, each time its tests are over for now, and not be run as
        a whole; the run as a whole decides about it once more (`saving.settle`).
        """
        if os.getpid() != self._pid:
            return
        sessions, self._decided = self.sessions[self._decided :], len(self.sessions)
        for session in sessions:
            if session.is_open and self.is_test:  # an interrupt, or nobody leaves it
                self._stop(session)
            if not session.is_open:
                session.give_up_streams()
            if self.is_shared and session.unfinished:
                self.run.note(Change(self.name or "", session.path, is_all=False))
        self._decide(sessions, passed=passed, is_whole=is_whole and not self._has_forked_blocks)
        for session in sessions:
            session.warns_if_empty = False  # a request that comes now is of somebody else

    def _decide(self, sessions: Sequence[Session], *, passed: bool, is_whole: bool) -> None:
        """Save; mode ``all`` replaces all cassettes or none: one may hold what led to another."""
        for some in _by_path(sessions, mode_all=False):
            for session in some:
                session.discard_failed(not passed)
            if passed or not self.is_shared:
                saving.save_outcome(some, passed=passed, is_whole=is_whole)
        if not passed:
            return
        self._refuse_losses(sessions, is_whole=is_whole)
        for some in _by_path(sessions, mode_all=True):
            saving.replace_old(some, is_whole=is_whole)
        for session in sessions:
            session.keeps_old = False
        if self.is_test and self.outcome != "xfailed":
            for some in _by_path(sessions):
                if all(session.warns_if_empty for session in some):
                    warn_that_nothing_came(some[0])

    def withdraw(self) -> None:
        """Take back what a failed attempt of this test saved: the next one records again."""
        for some in _by_path(self.sessions, mode_all=False):
            saving.withdraw(some)

    def _refuse_losses(self, sessions: Sequence[Session], *, is_whole: bool = True) -> None:
        __tracebackhide__ = True
        for some in _by_path(sessions, mode_all=True):
            if not any(session.is_open for session in some):
                saving.refuse_loss(some, is_whole=is_whole)

    def recorded_in_mode_all(self, path: Path) -> list[Interaction]:
        sessions = [one for one in self.sessions if one.path == path and one.mode == "all"]
        return [one for session in sessions for one in session.recorded]

    def owns(self, interaction: Interaction) -> bool:
        """Return whether this owner recorded it, and not in a teardown that did not begin yet."""
        return self.name is not None and interaction.signed_by in (self.name, self.signature)

    def _unplayed_error(
        self, session: Session, left: Sequence[tuple[int, Interaction]]
    ) -> UnplayedError:
        missing = [one.request for _, one in left]
        options = (ignore_own_server(one.request.url, missing) for one in session.played)
        option = next(filter(None, options), None)
        return UnplayedError(
            f"{self.name} did not play {count(len(left), 'interaction')} that it recorded.",
            facts=[
                f"cassette: {session.shown_path} (mode {session.mode})",
                *(f"unplayed: {saving.numbered(*pair)}" for pair in left),
            ],
            fix=f"Fix: {option or self.rerecord('all')}",
        )


def _by_path(some: Sequence[Session], *, mode_all: bool | None = None) -> list[list[Session]]:
    grouped: dict[Path, list[Session]] = {}
    for session in some:
        if mode_all in (None, session.mode == "all"):
            grouped.setdefault(session.path, []).append(session)
    return list(grouped.values())


_pid = os.getpid()
_unsaved: dict[Session, Callable[[], None]] = {}
_writing = threading.Lock()


def _in_child() -> None:
    global _writing
    _writing = threading.Lock()  # a thread of the parent may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


@dataclass(eq=False)
class BlockOwner(Owner):
    """An owner of which each block decides itself what is saved: of a script, or a forked child.

    In mode ``all`` a block replaces what it asked again. What no block asks any more goes when the
    process ends, if nothing failed; where the owner may have run in part (`is_whole` is False), it
    stays.
    """

    is_test: bool = False
    is_whole: bool = True
    goes_on = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._replaced: list[Session] = []  # the blocks in mode `all` that are over

    def close(self, session: Session, error: BaseException | None) -> None:
        __tracebackhide__ = True
        super().close(session, error)
        # A run of tests shows at its end what was not kept.
        if error is not None and (note := saving.discarded_note(session)):
            error.add_note(note)
        if error is None and session.warns_if_empty:
            warn_that_nothing_came(session)

    def _save_block(self, session: Session, *, raised: bool) -> None:
        if self.name:  # else the run counts it at its end; a script may open too many to keep
            self.sessions.remove(session)
        if session.may_record:
            with _writing:
                self._save(session, raised=raised)
        session.end_journal()
        if os.getpid() != _pid:
            self.run.add(self.name)  # its parent did not see all of it
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
        sessions = [session]
        if session.mode == "all":
            if raised:
                self.is_whole = False
            if raised or session.is_recording:
                return
            before = [one for one in self._replaced if one is not session]
            sessions = [*(one for one in before if one.path == session.path), session]
            self._replaced = before
        try:
            self._decide(sessions, passed=not raised, is_whole=False)
        except BaseException:
            self.is_whole = False
            raise
        session.saved = session.recorded
        if session.mode == "all":
            self._replaced.append(session)

    def recorded_in_mode_all(self, path: Path) -> list[Interaction]:
        return [one for each in self._replaced if each.path == path for one in each.recorded]

    def end_process(self) -> None:
        """Remove what no block asks any more."""
        has_failed = any(how_failed(one) for each in self._replaced for one in each.recorded)
        if self.is_whole and not has_failed and not self._has_forked_blocks:
            for some in _by_path(self._replaced):
                saving.replace_old(some)


# Outside pytest.

_owners: dict[str, Owner] = {}


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
    rerecord = _command
    is_cell = "get_ipython" in names
    here = Path.cwd()
    if code is None or code.co_filename.startswith("<") or is_cell:
        name, is_cell = "notebook", True
    else:
        inside = "" if code.co_qualname == "<module>" else f"::{code.co_qualname}"
        name = f"{_file(code.co_filename, here)}{inside}"
    if is_cell or hasattr(builtins, "get_ipython"):
        is_whole, rerecord = False, _edit
    if name not in _owners:
        _owners[name] = BlockOwner(name, rerecord, is_whole=is_whole)
    owner = _owners[name]
    owner.above = environment_layer(os.environ)  # a notebook changes it
    owner.root = here
    return owner


def _owner_in_unittest(module: str, run: Mapping[str, Any], code: CodeType | None) -> Owner:
    """Return the owner of the blocks of a test, class or module, where plain unittest `run`s it.

    Its outcome is known when its cleanups run. Of a class or module only some tests may run.
    """
    is_test = module == "unittest.case"
    case, result = run["self"] if is_test else run["test"], run["result"]
    kind, add_cleanup = type(case), case.addCleanup
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or "notebook"
    parts = [_file(file, Path.cwd()), *kind.__qualname__.split("."), case.id().rpartition(".")[2]]
    if not is_test:
        is_module = code is not None and code.co_name in ("setUpModule", "tearDownModule")
        add_cleanup = (
            sys.modules["unittest"].addModuleCleanup if is_module else kind.addClassCleanup
        )
        parts = parts[:1] if is_module else parts[:-1]
    name = "::".join(parts)
    if name not in _owners:
        above = environment_layer(os.environ)
        _owners[name] = Owner(name, _command, above, is_test=False)
        failed_before = len(result.failures) + len(result.errors)

        def end() -> None:
            passed = len(result.failures) + len(result.errors) == failed_before
            _owners.pop(name).end(passed=passed, is_whole=is_test)

        add_cleanup(end)
    return _owners[name]


@functools.lru_cache(maxsize=64)
def _file(path: str, here: Path) -> str:
    """Return the path of a file of code as `recorded_by` has it: below the current folder."""
    file = Path(path).absolute()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name


def _command(mode: Mode) -> str:
    command = shlex.join([Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]])
    return f"AQUILA_RECORD={mode} {command}"


def _edit(mode: Mode) -> str:
    return f'run it once with mode="{mode}" in its aquila_cassette(...)'


@atexit.register
def _end() -> None:
    if os.getpid() != _pid:  # a forked child, which ends before the script
        return
    for session, save in list(_unsaved.items()):  # of streams that are still read
        session.give_up_streams()
        save()
    if getattr(sys, "last_value", None) is None:  # else an exception ended the script half-way
        for owner in _owners.values():
            if isinstance(owner, BlockOwner):
                owner.end_process()
    THIS_PROCESS.remove()
