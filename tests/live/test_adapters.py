"""What may be rendered, and what nothing is known of."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapter import Adapter, adapter_for, register_view


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
    adapter = adapter_for(view)
    assert adapter.pending() == ()
    await adapter.settle()
    assert await adapter.render() == shown


@pytest.mark.parametrize(
    ("view", "shown"), [(Page(), "a page"), (lambda: "a function", "a function")]
)
def test_a_sync_view_shows_what_it_renders_without_a_loop(view: object, shown: str) -> None:
    adapter = adapter_for(view)
    adapter.settle_sync()
    assert adapter.render_sync() == shown


@pytest.mark.parametrize(
    ("view", "name"), [(SlowPage(), "SlowPage.render"), (slow_function, "slow_function")]
)
def test_an_async_view_is_refused_without_a_loop(view: object, name: str) -> None:
    with pytest.raises(UsageError) as refused:
        adapter_for(view).render_sync()
    assert str(refused.value) == (
        f"{name} is async, and render_sync runs no event loop.\n"
        "Fix: make the test async: await render_async(view)"
    )


def test_what_fits_nothing_is_refused_with_what_it_may_be() -> None:
    with pytest.raises(UsageError) as refused:
        adapter_for([1, 2])
    assert str(refused.value) == (
        "There is no adapter to render [1, 2].\n"
        "  it may be: an object with render(), sync or async\n"
        "             a function without arguments, sync or async\n"
        "             a Textual Pilot or App\n"
        "             a NiceGUI User\n"
        "             a Playwright Page\n"
        "Fix: register_view(list, MyAdapter)"
    )


def test_a_class_is_refused_although_it_can_be_called() -> None:
    with pytest.raises(UsageError) as refused:
        adapter_for(Page)
    assert str(refused.value) == (
        "Page is a class, and what is rendered is an object of it.\n"
        "Fix: pass the Page that your test has made"
    )


class Sheet:
    def render(self) -> str:
        return "not asked"


class SheetAdapter(Adapter):
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

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
    assert await adapter_for(sheet).render() is sheet


def test_an_adapter_without_a_sync_form_says_so() -> None:
    adapter = SheetAdapter(Sheet())
    with pytest.raises(UsageError) as refused:
        adapter.settle_sync()
    assert str(refused.value) == (
        "What SheetAdapter renders lives in an event loop, and render_sync runs none.\n"
        "Fix: make the test async: await render_async(view)"
    )


def test_no_framework_is_imported_for_a_view_of_another_kind() -> None:
    code = (
        "import sys; from aquila_cassette.live.adapter import adapter_for; adapter_for(print)\n"
        "assert not {'textual', 'nicegui', 'playwright'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
