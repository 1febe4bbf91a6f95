"""A simulated user of NiceGUI through its adapter, without any stream."""

from __future__ import annotations

from types import SimpleNamespace

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
