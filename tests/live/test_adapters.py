"""What may be rendered, and what nothing is known of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.lowlevel
import pytest

from aquila_cassette.errors import RenderTimeout, UsageError
from aquila_cassette.live import render_async, render_sync
from aquila_cassette.live.adapter import Adapter, adapter_for, register_view
from tests.live.loops import refused


class Page:
    def render(self) -> str:
        return "a page"


class SlowPage:
    async def render(self) -> str:
        return "a slow page"


async def slow_function() -> str:
    return "a slow function"


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (Page(), "a page"),
        (SlowPage(), "a slow page"),
        (lambda: "a function", "a function"),
        (slow_function, "a slow function"),
    ],
)
async def test_a_view_shows_what_it_renders(view: object, shown: str) -> None:
    assert await render_async(view) == shown


def test_a_sync_view_shows_what_it_renders_without_a_loop_and_an_async_one_is_refused() -> None:
    assert render_sync(Page()) == "a page"
    register_view(Sheet, SheetAdapter)
    for view in (SlowPage(), slow_function, Sheet()):
        with refused(
            "render_sync runs no event loop, and what it was given needs one.",
            "Fix: make the test async: await render_async(view)",
        ):
            render_sync(view)


async def test_what_fits_nothing_is_refused_and_so_is_a_class_although_it_can_be_called() -> None:
    with refused(
        "There is no adapter to render [1, 2].",
        "  expected: an object with render(), a function, or a view of a known framework",
        "Fix: register_view(list, MyAdapter)",
    ):
        await render_async([1, 2])
    with pytest.raises(UsageError, match="There is no adapter to render"):
        await render_async(Page)


class Sheet:
    def __init__(self, draw: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint) -> None:
        self.draw = draw

    def render(self) -> str:
        return "not asked"


class SheetAdapter(Adapter):
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    async def settle(self) -> None:
        await self.sheet.draw()

    async def render(self) -> Any:
        return self.sheet


class LaterAdapter(SheetAdapter):
    pass


async def test_the_latest_registered_adapter_comes_first() -> None:
    sheet = Sheet()
    register_view(Sheet, SheetAdapter)
    assert type(adapter_for(sheet)) is SheetAdapter
    register_view(lambda view: view is sheet, LaterAdapter)
    assert type(adapter_for(sheet)) is LaterAdapter
    assert type(adapter_for(Sheet())) is SheetAdapter
    assert await render_async(sheet) is sheet


async def test_what_a_view_raises_while_it_draws_is_raised_and_one_that_never_stops_is_named() -> (
    None
):
    async def fail() -> None:
        raise LookupError("no screen")

    register_view(Sheet, SheetAdapter)
    with pytest.raises(LookupError, match="no screen"):
        await render_async(Sheet(fail))
    with pytest.raises(RenderTimeout) as raised:
        await render_async(Sheet(anyio.sleep_forever), timeout=0.05)
    assert str(raised.value).splitlines()[1] == "  pending: the view still draws"


def test_importing_live_and_rendering_a_function_imports_no_framework_nor_pytest_nor_yaml() -> None:
    code = """
import sys
for name in ("pytest", "yaml", "textual", "nicegui", "playwright", "starlette", "rich", "trio"):
    sys.modules[name] = None
from aquila_cassette.live import render_sync
render_sync(print)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
