"""A simulated user of NiceGUI through its adapter, without any stream."""

from types import SimpleNamespace

import pytest
from nicegui import ui
from nicegui.testing import user_simulation

from aquila_cassette.live import render_async


async def test_the_texts_of_the_page_are_read_in_its_order_and_then_the_notifications() -> None:
    model = SimpleNamespace(answer="")

    def page() -> None:
        ui.chat_message("It's <b> & more\non two lines", name="Model")
        ui.markdown("**bold**")
        ui.input("Prompt", placeholder="Ask", value="Hello")
        ui.input(placeholder="Ask")
        ui.number("How many", value=3)
        ui.checkbox("All", value=True)
        ui.label().bind_text_from(model, "answer")
        ui.notification("it failed", timeout=None)
        ui.button("Send", icon="send", on_click=lambda: ui.notify("it was sent"))

    async with user_simulation(page) as user:
        await user.open("/")
        user.find("Send").click()
        model.answer = "all of it"  # which a bound value follows at once
        assert (await render_async(user)).split("\n") == [
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
            "all of it",
            "Send",
            "it failed",
            "it was sent",
        ]


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_timer_that_redraws_has_drawn_the_last_change(is_async: bool) -> None:
    model = SimpleNamespace(answer="")

    def page() -> None:
        label = ui.label()

        def draw() -> None:
            label.text = model.answer

        async def draw_later() -> None:
            draw()

        ui.timer(0.05, draw_later if is_async else draw)
        ui.timer(60, lambda: label.set_text("a minute later"), immediate=False)

    async with user_simulation(page) as user:
        await user.open("/")
        for model.answer in ("it worked", "twice"):
            assert model.answer in await render_async(user)
