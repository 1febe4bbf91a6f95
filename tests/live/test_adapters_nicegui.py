"""A simulated user of NiceGUI through its adapter, without any stream."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from nicegui import ui
from nicegui.testing import user_simulation

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapter import adapter_for


async def shown(page: Callable[[], object]) -> str:
    async with user_simulation(page) as user:
        await user.open("/")
        adapter = adapter_for(user)
        assert adapter.pending() == ()
        await adapter.settle()
        text: str = await adapter.render()
        return text


async def test_the_texts_of_the_page_are_read_in_its_order() -> None:
    def page() -> None:
        ui.chat_message("It's <b> & more\non two lines", name="Model")
        ui.markdown("**bold**")
        ui.input("Prompt", placeholder="Ask", value="Hello")
        ui.input(placeholder="Ask")
        ui.number("How many", value=3)
        ui.checkbox("All", value=True)
        ui.button("Send", icon="send")
        ui.notification("it failed", timeout=None)

    assert (await shown(page)).split("\n") == [
        "Model",
        "It's <b> & more",
        "on two lines",
        "**bold**",
        "Prompt",
        "Hello",
        "Ask",
        "How many",
        "3",
        "All",
        "Send",
        "it failed",
    ]


async def test_notifications_come_last() -> None:
    async def page() -> None:
        ui.button("Send", on_click=lambda: ui.notify("it failed"))

    async with user_simulation(page) as user:
        await user.open("/")
        user.find("Send").click()
        assert await adapter_for(user).render() == "Send\nit failed"


async def test_a_value_bound_to_a_plain_attribute_is_up_to_date_at_once() -> None:
    model = SimpleNamespace(answer="")

    def page() -> None:
        ui.label().bind_text_from(model, "answer")

    async with user_simulation(page) as user:
        await user.open("/")
        adapter = adapter_for(user)
        model.answer = "all of it"
        await adapter.settle()
        assert await adapter.render() == "all of it"


async def test_a_user_without_a_page_is_told_to_open_one() -> None:
    async with user_simulation(lambda: None) as user:
        with pytest.raises(UsageError) as refused:
            await adapter_for(user).render()
    assert str(refused.value) == (
        'This NiceGUI user has opened no page.\nFix: open one first: await user.open("/")'
    )
