"""`assert_push_event` and `assert_flash`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aquila_cassette.errors import AquilaError
from aquila_cassette.live.view import PushedEvent, View
from aquila_cassette.waiting.event_loops import time_limit
from aquila_cassette.waiting.notifier import notifier
from aquila_cassette.waiting.pending import forbid_inside_job

T = TypeVar("T")


async def assert_push_event(
    view: View, name: str, payload: Any = ..., *, timeout: float = 1.0
) -> PushedEvent:
    """Wait until the view has pushed an event, and remove it: another call needs another event.

    Args:
        view: The view.
        name: The event's name.
        payload: The payload, or a part of it: of a mapping some fields, for a text a compiled
            pattern, ``...`` for anything.
        timeout: The longest wait, in seconds; then an `AssertionError` says what came instead.
    """
    __tracebackhide__ = True

    def take() -> PushedEvent | None:
        for event in list(view.pushed):
            if event.name == name and _fits(payload, event.payload):
                view.pushed.remove(event)
                return event
        return None

    if event := await _wait_for("assert_push_event", take, timeout):
        return event
    expected = repr(name) if payload is ... else f"{name!r} {payload!r}"
    got = [f"{event.name!r} {dict(event.payload)!r}" for event in view.pushed]
    raise _missing(view, f"push {name!r}", timeout, expected, got)


async def assert_flash(
    view: View, kind: str, pattern: str | re.Pattern[str] = "", *, timeout: float = 1.0
) -> str:
    """Wait until the view shows a flash, and return its text; it stays.

    Args:
        view: The view.
        kind: The flash's kind: ``error``, ``info``.
        pattern: A text that it contains, or a compiled pattern that is found in it.
        timeout: The longest wait, in seconds; then an `AssertionError` says what is shown instead.
    """
    __tracebackhide__ = True

    wanted = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern

    def is_shown() -> bool:
        return kind in view.flash and wanted.search(view.flash[kind]) is not None

    if await _wait_for("assert_flash", is_shown, timeout):
        return view.flash[kind]
    expected = f"{kind!r} {pattern!r}" if pattern else repr(kind)
    got = [f"{kind!r} {message!r}" for kind, message in view.flash.items()]
    raise _missing(view, f"show the flash {kind!r}", timeout, expected, got)


async def _wait_for(called: str, condition: Callable[[], T | None], timeout: float) -> T | None:
    forbid_inside_job(called)
    with time_limit(timeout):
        return await notifier.until(condition)
    return None


def _fits(expected: Any, got: Any) -> bool:
    if expected is ...:
        return True
    if isinstance(expected, re.Pattern) and isinstance(got, str):
        return expected.search(got) is not None
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return all(name in got and _fits(one, got[name]) for name, one in expected.items())
    return bool(expected == got)


def _missing(
    view: View, what: str, timeout: float, expected: str, got: Sequence[str]
) -> AssertionError:
    pending = [one.what for one in view.pending()]
    facts = [
        f"expected: {expected}",
        *(f"got:      {one}" for one in got or ["nothing"]),
        *(f"pending:  {one}" for one in pending),
    ]
    fix = "wait longer: timeout=..." if pending else "nothing is pending that could bring it"
    what = f"{view._title} did not {what} within {timeout:g} s."
    return AssertionError(str(AquilaError(what, facts=facts, fix=f"Fix: {fix}")))
