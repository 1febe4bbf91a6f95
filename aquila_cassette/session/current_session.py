"""Find the session and the owner for the running task or thread.

The pytest plugin imports this at the start of every run, so it imports nothing of the engine.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from aquila_cassette.errors import ScopeError

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

P = ParamSpec("P")
T = TypeVar("T")

# A context may outlive its block (a task that was started inside), so what it names may be closed:
# blocks of several tasks end in any order, and a token of one context cannot be reset in another.
_here: ContextVar[Session | None] = ContextVar("aquila_cassette", default=None)
_sends: ContextVar[bool] = ContextVar("aquila_adapter_sends", default=False)
_open: tuple[Session, ...] = ()
_left: Session | None = None  # which was in force last, if no request came to it
_lock = threading.RLock()


def enter(session: Session) -> None:
    """Put `session` in force in this context, inside the one that is in force now."""
    global _open
    session.parent = _innermost_open(_here.get())
    with _lock:
        _open = (*_open, session)
    _here.set(session)
    session.streams.begin()


def leave(session: Session) -> None:
    """Take `session` out of force, in any context and order."""
    global _open, _left
    _left = session if session.warns_if_empty else None
    with _lock:
        was_open = session in _open
        _open = tuple(other for other in _open if other is not session)
    if was_open:
        session.streams.end()
    if _here.get() is session:
        _here.set(_innermost_open(session.parent))


def real_disk() -> Any:
    """Return a context manager within which the disk is real, where pyfakefs has replaced it."""
    pyfakefs: Any = sys.modules.get("pyfakefs.fake_filesystem_unittest")
    patcher = pyfakefs and pyfakefs.Patcher.PATCHER
    return pyfakefs.Pause(patcher) if patcher and patcher.is_patching else nullcontext()


def opened() -> tuple[Session, ...]:
    """Return the open sessions of this process, in the order they were opened."""
    return _open


def current_session() -> Session | None:
    """Return the session that handles a request made here: of this task, else the only one.

    Where no block was entered (a plain thread) while several are open, that is a ScopeError.
    """
    __tracebackhide__ = True
    all_open = _open
    if not all_open:
        return None
    return _innermost_open(_here.get()) or _innermost_of(all_open)


@contextmanager
def sending() -> Iterator[None]:
    """Note that an adapter sends here: it has been decided about what is sent."""
    before = _sends.set(True)
    try:
        yield
    finally:
        _sends.reset(before)


def is_sending() -> bool:
    return _sends.get()


def ended_session() -> Session | None:
    """Return the session in which this task, thread or call of a pool was begun, if it is over.

    None while it, one around it, or another of the same test is open: work may go on in that.
    """
    begun = _here.get()
    if begun is None or _innermost_open(begun) is not None:
        return None
    owner = begun.owner
    return None if owner.goes_on and any(one.owner is owner for one in _open) else begun


def left_empty() -> Session | None:
    """Return the session that was in force last, if no request came to it."""
    return _left


def keep_block(function: Callable[P, T]) -> Callable[P, T]:
    """Have a function that another thread will call belong to the block that is in force here."""
    context = Context()
    context.run(_here.set, _here.get())
    context.run(_sends.set, _sends.get())
    return functools.partial(context.run, function)


def _innermost_open(session: Session | None) -> Session | None:
    while session is not None and session not in _open:
        session = session.parent
    return session


def _innermost_of(all_open: tuple[Session, ...]) -> Session:
    """Return the innermost session, if all are nested in each other."""
    __tracebackhide__ = True
    parents = {id(session.parent) for session in all_open}
    leaves = [session for session in all_open if id(session) not in parents]
    outermost = [session for session in all_open if session.parent not in all_open]
    if len(leaves) == len(outermost) == 1:
        return leaves[0]
    raise ScopeError(
        "A request was made outside every block while several cassettes are open at once.",
        facts=[
            f"thread: {threading.current_thread().name}",
            *(f"open:   {session.shown_path}" for session in leaves),
        ],
        fix=(
            "Fix: enter the block in that thread, or start it with "
            "contextvars.copy_context().run(...) or asyncio.to_thread(...)"
        ),
    )


def _before_fork() -> None:
    for session in _open:
        session.warns_if_empty = False  # it may be, in the child
        session.before_fork()


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()  # a thread of the parent may have held it
    for session in _open:
        session.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_child)

SESSION = "session"
"""The owner of fixtures of session scope."""


def is_within(test: str, owner: str) -> bool:
    """Return whether a test is the owner itself, or in the class, module or package that is."""
    return owner in (test, SESSION) or test.startswith((f"{owner}::", f"{owner}/"))


owner_finders: list[Callable[[], Any]] = [lambda: None]
"""The last one returns the `Owner` of a block that is opened now; a run of tests may be inside another."""
