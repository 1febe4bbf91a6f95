"""Which adapter fits a view, without importing any framework to find out."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapters.adapter import Adapter
from aquila_cassette.live.adapters.plain import Called, Rendered

__all__ = ["adapter_for", "register_view"]

_registered: list[tuple[Callable[[object], bool], Callable[[Any], Adapter]]] = []

_FRAMEWORKS = (
    # An object of a class can only exist once the module of that class was imported, by somebody.
    ("textual.pilot", "Pilot", "textual", "TextualApp"),
    ("textual.app", "App", "textual", "TextualApp"),
    ("nicegui.testing", "User", "nicegui", "NiceguiUser"),
    ("playwright.async_api", "Page", "playwright", "AsyncPage"),
    ("playwright.sync_api", "Page", "playwright", "SyncPage"),
)

_KINDS = (
    "it may be: an object with render(), sync or async",
    "           a function without arguments, sync or async",
    "           a Textual Pilot or App",
    "           a NiceGUI User",
    "           a Playwright Page",
)


def register_view(matches: type | Callable[[object], bool], make: Callable[[Any], Adapter]) -> None:
    """Have `render_async` and `render_sync` take one more kind of view; the latest comes first.

    Args:
        matches: The class of such views, or a function that tells whether an object is one.
        make: Makes the adapter of such a view.

    Raises:
        UsageError: `matches` is neither, or `make` cannot be called.

    Example:
        >>> class Sheet:
        ...     text = "what the sheet shows"
        >>> class SheetAdapter(Adapter):
        ...     def __init__(self, sheet):
        ...         self.sheet = sheet
        ...     async def render(self):
        ...         return self.sheet.text
        >>> register_view(Sheet, SheetAdapter)
        >>> type(adapter_for(Sheet())).__name__
        'SheetAdapter'
    """
    if not callable(matches) or not callable(make):
        raise UsageError(
            "register_view takes a class or a function, and a function that makes the adapter.",
            facts=[f"got: {matches!r} and {make!r}"],
            fix="Write: register_view(MyView, MyAdapter)",
        )
    if isinstance(matches, type):
        kind = matches
        _registered.insert(0, (lambda view: isinstance(view, kind), make))
    else:
        _registered.insert(0, (matches, make))


def adapter_for(view: object) -> Adapter:
    """Find the adapter that fits `view`.

    Args:
        view: What shall be rendered.

    Raises:
        UsageError: Nothing fits.
    """
    for matches, make in _registered:
        if matches(view):
            return make(view)
    if isinstance(view, type):
        raise UsageError(
            f"{view.__name__} is a class, and what is rendered is an object of it.",
            fix=f"Pass the {view.__name__} that your test has made",
        )
    for module, name, ours, maker in _FRAMEWORKS:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(view, kind):
            adapters = import_module(f"{__package__}.{ours}")
            adapter: Adapter = getattr(adapters, maker)(view)
            return adapter
    if callable(getattr(view, "render", None)):
        return Rendered(view)
    if callable(view):
        return Called(view)
    raise UsageError(
        f"Nothing is known of how to render {reprlib.repr(view)}.",
        facts=_KINDS,
        fix=f"For others: register_view({type(view).__name__}, MyAdapter)",
    )
