"""What may be rendered, and what nothing is known of."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.lowlevel
import pytest

from aquila_cassette.errors import RenderTimeout, UsageError
from aquila_cassette.live import render_async, render_sync
from aquila_cassette.live.adapter import Adapter, adapter_for, register_view


class Page:
    def render(self) -> str:
        return "a page"


class SlowPage:
    async def render(self) -> str:
        return "a page"


@pytest.mark.parametrize("view", [Page(), SlowPage(), Page().render, SlowPage().render])
async def test_a_view_shows_what_it_renders(view: object) -> None:
    assert await render_async(view) == "a page"


def test_a_sync_view_shows_what_it_renders_without_a_loop_and_an_async_one_is_refused() -> None:
    assert render_sync(Page()) == "a page"
    register_view(Sheet, SheetAdapter)
    for view in (SlowPage(), Sheet()):
        with pytest.raises(UsageError, match="render_sync runs no event loop"):
            render_sync(view)


async def test_what_fits_nothing_is_refused_and_so_is_a_class_although_it_can_be_called() -> None:
    for view in ([1, 2], Page):
        with pytest.raises(UsageError, match="There is no adapter to render"):
            await render_async(view)


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
    assert await render_async(sheet) is sheet
    register_view(Sheet, LaterAdapter)
    assert type(adapter_for(sheet)) is LaterAdapter


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
    assert "or a view that still draws" in str(raised.value)


def test_importing_live_and_rendering_a_function_imports_no_framework_nor_pytest_nor_yaml() -> None:
    code = """
import sys
for name in ("pytest", "yaml", "textual", "nicegui", "playwright", "starlette", "rich", "trio"):
    sys.modules[name] = None
from aquila_cassette.live import render_sync
render_sync(print)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
