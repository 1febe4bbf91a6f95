"""Views that draw at once: objects with `render()`, and functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapters.adapter import Adapter

__all__ = ["Called", "Rendered"]


class Called(Adapter):
    """A function, sync or async, that gives what is shown."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    async def render(self) -> Any:
        """Call it, and await what it returns if that can be awaited."""
        shown = self._function()
        return await shown if inspect.isawaitable(shown) else shown

    def render_sync(self) -> Any:
        """Call it.

        Raises:
            UsageError: It is async.
        """
        shown = self._function()
        if not inspect.isawaitable(shown):
            return shown
        if inspect.iscoroutine(shown):
            shown.close()
        name = getattr(self._function, "__qualname__", repr(self._function))
        raise UsageError(
            f"{name} is async, and render_sync runs no event loop.",
            fix="Make the test async: await render_async(view)",
        )


class _HasRender(Protocol):
    def render(self) -> Any: ...


class Rendered(Called):
    """An object with `render()`, sync or async; a `View` drops its temporary assigns after it."""

    def __init__(self, view: Any) -> None:
        shown: _HasRender = view
        super().__init__(shown.render)
        self._after: Callable[[], None] = getattr(view, "drop_temporary_assigns", _nothing)

    async def render(self) -> Any:
        """Render it, and await what that returns if it can be awaited."""
        shown = await super().render()
        self._after()
        return shown

    def render_sync(self) -> Any:
        """Render it.

        Raises:
            UsageError: Its `render` is async.
        """
        shown = super().render_sync()
        self._after()
        return shown


def _nothing() -> None:
    pass
