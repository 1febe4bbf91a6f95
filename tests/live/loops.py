"""Tests that run in each event loop, a page for them, and waiting for what a view does."""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.live import View
from aquila_cassette.waiting.notifier import notifier

WORK = 0.005
"""How long the work between and after streams takes, in seconds."""


@dataclass
class Page:
    """What people see."""

    lines: list[str] = field(default_factory=list)

    def render(self) -> str:
        return "\n".join(self.lines)


def in_each_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make an async test one that runs in asyncio and in trio."""

    def run(backend: str, **fixtures: Any) -> None:
        anyio.run(partial(test, **fixtures), backend=backend)

    run.__name__, run.__qualname__ = test.__name__, test.__qualname__
    run.__module__, run.__doc__ = test.__module__, test.__doc__
    backend = inspect.Parameter("backend", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.signature(test)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[backend, *signature.parameters.values()]
    )
    return pytest.mark.parametrize("backend", ["asyncio", "trio"])(run)


@contextmanager
def refused(*lines: str) -> Iterator[None]:
    """Expect a UsageError with these lines."""
    with pytest.raises(UsageError) as raised:
        yield
    assert str(raised.value).splitlines() == [*lines]


async def settled(view: View) -> None:
    """Wait until the view has nothing to do; raise what failed."""
    while True:
        count = notifier.count
        if (failure := view.take_failure()) is not None:
            raise failure
        if not view.pending():
            return
        await notifier.wait(count)


async def until(view: View, true: Callable[[], bool]) -> None:
    """Wait until something is true of the view after one of its messages."""
    while not true():
        handled = anyio.Event()
        stop = view.on_render(handled.set)
        with anyio.fail_after(10):
            await handled.wait()
        stop()
