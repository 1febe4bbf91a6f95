"""What a test sees while it records: the frameworks' own waits end early, `render_async` does not.

On replay everything passes: a test that waits too little breaks on the day of the next recording.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import user_simulation
from textual import on
from textual.app import App, ComposeResult
from textual.widgets import Button, Label

from aquila_cassette.api import Block
from aquila_cassette.client import AsyncClient, Chunk
from aquila_cassette.live import render_async
from aquila_cassette.provider import Provider

Open = Callable[..., Block]

GAP = 0.06  # makes the answer take 0.8 s
LAST_WORDS = "What shall we look at first?"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(gap=GAP) as provider:
        yield provider


@pytest.fixture
async def client(provider: Provider) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(
        model="gpt-4o-mini", base_url=f"{provider.url}/v1", api_key="sk-own"
    ) as client:
        yield client


class Asks(App[None]):
    def __init__(self, client: AsyncClient) -> None:
        super().__init__()
        self.client = client

    def compose(self) -> ComposeResult:
        yield Button("Ask")
        yield Label("")

    @on(Button.Pressed)
    def ask(self) -> None:
        self.run_worker(self.answer())

    async def answer(self) -> None:
        text = ""
        async for event in self.client.stream("Say hello"):
            match event:
                case Chunk(chunk):
                    text += chunk
                    self.query_one(Label).update(text)


async def test_textuals_pause_sees_no_whole_answer_and_render_async_sees_it(
    aquila_cassette: Open, client: AsyncClient, tmp_path: Path
) -> None:
    async with (
        aquila_cassette("textual", mode="all", cassette_dir=tmp_path),
        Asks(client).run_test() as pilot,
    ):
        pilot.app.query_one(Button).press()
        await pilot.pause()
        assert LAST_WORDS not in str(pilot.app.query_one(Label).content)
        assert LAST_WORDS in await render_async(pilot)


async def test_niceguis_should_see_sees_no_whole_answer_and_render_async_sees_it(
    aquila_cassette: Open, client: AsyncClient, tmp_path: Path
) -> None:
    def page() -> None:
        label = ui.label()

        async def ask() -> None:
            async for event in client.stream("Say hello"):
                match event:
                    case Chunk(chunk):
                        label.text += chunk

        ui.button("Ask", on_click=ask)

    async with (
        aquila_cassette("nicegui", mode="all", cassette_dir=tmp_path),
        user_simulation(page) as user,
    ):
        await user.open("/")
        user.find("Ask").click()
        with pytest.raises(AssertionError):
            await user.should_see(LAST_WORDS)
        assert LAST_WORDS in await render_async(user)
