"""The base class of UI adapters, the adapter for plain objects, and how one is chosen."""

from __future__ import annotations

import inspect
import reprlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from aquila_cassette.errors import UsageError
from aquila_cassette.waiting.pending import Pending

LONGEST_INTERVAL = 1.0
"""Seconds. A framework's timer that ticks less often is not waited for."""


class Adapter(ABC):
    """Says what a view still has going on, lets it draw, and returns what it shows.

    Subclass it and write `render`; the rest has defaults that fit a view which draws at once. See
    `register_view`.
    """

    def pending(self) -> Sequence[Pending]:
        """List the framework's own workers that run and will end.

        Jobs and streams are known without it. `aquila_cassette.waiting.notifier.notify` must be
        called when the list changes.
        """
        return ()

    def take_failure(self) -> BaseException | None:
        """Return the next error to raise at once, while others are waited for; once."""
        return None

    async def settle(self) -> None:
        """Let the framework draw what has changed, and wait no longer than that takes."""
        return

    @abstractmethod
    async def render(self) -> Any:
        """Return what the view shows."""

    def settle_sync(self) -> None:
        """Do what `settle` does, where no event loop runs."""
        return

    def render_sync(self) -> Any:
        """Do what `render` does, where no event loop runs; by default a `UsageError`."""
        raise UsageError(
            "render_sync runs no event loop, and what it was given needs one.",
            fix="Fix: make the test async: await render_async(view)",
        )


class PlainAdapter(Adapter):
    """A function, or an object with `render()`; a `View` resets its temporary assigns after it."""

    def __init__(self, view: Any) -> None:
        self._render: Callable[[], Any] = getattr(view, "render", view)
        self._after: Callable[[], None] = getattr(view, "drop_temporary_assigns", lambda: None)

    async def render(self) -> Any:
        shown = self._render()
        if inspect.isawaitable(shown):
            shown = await shown
        self._after()
        return shown

    def render_sync(self) -> Any:
        shown = self._render()
        if inspect.isawaitable(shown):
            getattr(shown, "close", bool)()
            super().render_sync()
        self._after()
        return shown


def failure_of(future: Any) -> BaseException | None:
    """Return what a future of asyncio or of a pool failed with; None where it did not, or is not over."""
    is_over = future.done() and not future.cancelled()
    error: BaseException | None = future.exception() if is_over else None
    return error


def received(messages: Iterable[Mapping[str, Any]]) -> list[str | bytes]:
    """Return the texts and bytes that a WebSocket's application sent in ASGI messages."""
    sent = [one for one in messages if one["type"] == "websocket.send"]
    texts = [one.get("text") for one in sent]
    return [one["bytes"] if text is None else text for one, text in zip(sent, texts, strict=True)]


_registered: list[tuple[type, Callable[[Any], Adapter]]] = []

_FRAMEWORKS = (
    # Nothing is imported to find out: an object's class exists only where its module is loaded.
    ("textual.pilot", "Pilot", "textual_adapter", "TextualAdapter"),
    ("textual.app", "App", "textual_adapter", "TextualAdapter"),
    ("nicegui.testing", "User", "nicegui_adapter", "NiceguiAdapter"),
    ("playwright.async_api", "Page", "playwright_adapter", "AsyncPageAdapter"),
    ("playwright.sync_api", "Page", "playwright_adapter", "SyncPageAdapter"),
    ("starlette.testclient", "WebSocketTestSession", "starlette_adapter", "StarletteAdapter"),
    ("channels.testing", "WebsocketCommunicator", "channels_adapter", "ChannelsAdapter"),
    ("streamlit.testing.v1", "AppTest", "streamlit_adapter", "StreamlitAdapter"),
    ("gradio_client.client", "Job", "gradio_adapter", "GradioAdapter"),
)


def register_view(kind: type, make: Callable[[Any], Adapter]) -> None:
    """Have `render_async` and `render_sync` take one more kind of view; the latest comes first.

    `make` makes the adapter of a view of the class `kind`.
    """
    _registered.insert(0, (kind, make))


def adapter_for(view: object) -> Adapter:
    for kind, make in _registered:
        if isinstance(view, kind):
            return make(view)
    for module, name, ours, adapter_name in _FRAMEWORKS:
        if isinstance(view, getattr(sys.modules.get(module), name, ())):
            adapter: Adapter = getattr(import_module(f"{__package__}.{ours}"), adapter_name)(view)
            return adapter
    if callable(getattr(view, "render", view)) and not isinstance(view, type):
        return PlainAdapter(view)
    raise UsageError(
        f"There is no adapter to render {reprlib.repr(view)}.",
        facts=["expected: an object with render(), a function, or a view of a known framework"],
        fix=f"Fix: register_view({type(view).__name__}, MyAdapter)",
    )
