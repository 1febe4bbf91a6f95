"""The shape that `render_async` and `render_sync` see of whatever they are given."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.pending import Pending

__all__ = ["Adapter"]


class Adapter(Protocol):
    """Says what a view still has going on, lets it draw, and gives what it shows.

    Subclass it and write `render`; the rest has defaults that fit a view which draws at once.

    Example:
        >>> class Sheet(Adapter):
        ...     async def render(self):
        ...         return "what the sheet shows"
        >>> list(Sheet().pending())
        []
    """

    def pending(self) -> Sequence[Pending]:
        """List what the framework itself has going on that will end; it calls `notify` when that changes.

        Jobs and streams are known without it: this is for workers of a framework's own.
        """
        return ()

    async def settle(self) -> None:
        """Let the framework draw what it has been told, and wait no longer than that takes."""
        return

    @abstractmethod
    async def render(self) -> Any:
        """Give what the view shows."""

    def settle_sync(self) -> None:
        """Do what `settle` does, where no event loop runs."""
        return

    def render_sync(self) -> Any:
        """Do what `render` does, where no event loop runs.

        Raises:
            UsageError: This view can only be rendered in an event loop.
        """
        raise UsageError(
            f"{type(self).__name__} renders in an event loop only, and render_sync runs none.",
            fix="Make the test async: await render_async(view)",
        )
