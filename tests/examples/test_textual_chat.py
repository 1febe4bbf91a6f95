"""The chat in the terminal, on recordings: no provider, no clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot
from textual.widgets import Input, Markdown

from aquila_cassette.client import AsyncClient
from aquila_cassette.live import render_async
from examples.textual_chat.app import ChatApp
from examples.textual_chat.conversation import Conversation
from tests.examples.conftest import HELLO, Open


@asynccontextmanager
async def chat(provider: str, width: int = 120) -> AsyncIterator[Pilot[None]]:
    """The chat in a terminal of its own."""
    async with (
        AsyncClient(model="gpt-4o-mini", base_url=f"{provider}/v1", api_key="sk-own") as client,
        ChatApp(client, where="the embedded provider").run_test(
            size=(width, 30), notifications=True
        ) as pilot,
    ):
        yield pilot


def current(pilot: Pilot[None]) -> Conversation:
    assert isinstance(pilot.app, ChatApp)
    return pilot.app.current


async def ask(pilot: Pilot[None], prompt: str) -> None:
    current(pilot).query_one(Input).value = prompt
    await pilot.press("enter")


def said(screen: str) -> list[str]:
    """The lines of the conversation that is open, without the list beside it."""
    lines = [line[30:].strip() for line in screen.splitlines()]
    return [line for line in lines if line]


async def test_the_screen_shows_what_the_assistant_said(
    aquila_cassette: Open, textual_provider: str
) -> None:
    async with aquila_cassette("textual_chat/responds"), chat(textual_provider) as pilot:
        await ask(pilot, "Say hello")
        shown = await render_async(pilot)
        assert shown.splitlines()[3].strip().startswith("Say hello")
        assert said(shown)[:3] == ["▌ Say hello", HELLO, "gpt-4o-mini · 22 tokens"]
        assert "Stop" not in shown


async def test_escape_stops_an_answer_and_what_came_stays(
    aquila_cassette: Open, textual_provider: str
) -> None:
    async with (
        aquila_cassette("textual_chat/stops", hold=True) as cassette,
        chat(textual_provider) as pilot,
    ):
        await ask(pilot, "Say hello")
        await cassette.advance(3)
        await pilot.press("escape")
        shown = await render_async(pilot)
        assert said(shown)[:3] == ["▌ Say hello", "Hello!", "Stopped. Ctrl+R tries again."]
        assert "No answer" not in shown

        await pilot.press("ctrl+r")
        cassette.release()
        shown = await render_async(pilot)
        assert said(shown)[:3] == ["▌ Say hello", HELLO, "gpt-4o-mini · 22 tokens"]


async def test_what_came_before_a_failure_stays_and_the_reason_is_told(
    aquila_cassette: Open, textual_provider: str
) -> None:
    async with aquila_cassette("textual_chat/error-midstream"), chat(textual_provider) as pilot:
        await ask(pilot, "error-midstream")
        shown = await render_async(pilot)
        assert current(pilot).query(Markdown).last().source == "Let me begin with “"
        assert "This answer broke off. Ctrl+R tries again." in shown
        assert "The server had an error while processing" in shown
        assert not pilot.app.query_one(Input).disabled
