"""Which cassette is in force here: of this task, else of the process if there is but one."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from aquila_cassette.errors import ScopeError

if TYPE_CHECKING:
    from aquila_cassette.session.session import Session

__all__ = ["current_session", "enter", "leave", "opened"]

# A context may outlive its block (a task that was started inside), so what it names may be closed.
# That is looked up, not undone: blocks of several tasks end in any order, and a token of one
# context cannot be reset in another.
_here: ContextVar[Session | None] = ContextVar("aquila_cassette", default=None)
_open: tuple[Session, ...] = ()
_lock = threading.RLock()


def enter(cassette: Session) -> None:
    """Put `cassette` in force in this context, inside whichever was in force before."""
    global _open
    cassette.parent = _innermost_open(_here.get())
    with _lock:
        _open = (*_open, cassette)
    _here.set(cassette)


def leave(cassette: Session) -> None:
    """Take `cassette` out of force, in whichever context and order that happens."""
    global _open
    with _lock:
        _open = tuple(other for other in _open if other is not cassette)
    if _here.get() is cassette:
        _here.set(_innermost_open(cassette.parent))


def opened() -> tuple[Session, ...]:
    """List the cassettes that are open in this process, in the order they were opened."""
    return _open


def current_session() -> Session | None:
    """Tell which cassette answers a request made here, or None while none is open.

    Raises:
        ScopeError: Called where no block was entered (a plain thread) while several are open.
    """
    all_open = _open
    if not all_open:
        return None
    here = _here.get()
    if here is not None and here in all_open:
        return here
    return _innermost_open(here) or _only_line(all_open)


def _innermost_open(cassette: Session | None) -> Session | None:
    while cassette is not None and cassette not in _open:
        cassette = cassette.parent
    return cassette


def _only_line(all_open: tuple[Session, ...]) -> Session:
    """Give the innermost of `all_open` if they are nested in one line."""
    parents = {id(cassette.parent) for cassette in all_open}
    leaves = [cassette for cassette in all_open if id(cassette) not in parents]
    outermost = [cassette for cassette in all_open if cassette.parent not in all_open]
    if len(leaves) == len(outermost) == 1:
        return leaves[0]
    raise ScopeError(
        "A request was made outside every block while several cassettes are open side by side.",
        facts=[
            f"thread: {threading.current_thread().name}",
            *(f"open:   {cassette.shown_path}" for cassette in leaves),
        ],
        fix=(
            "Fix: enter the block in that thread, or start it with "
            "contextvars.copy_context().run(...) or asyncio.to_thread(...)"
        ),
    )
