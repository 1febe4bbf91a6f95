"""Streamlit, Gradio and Django Channels: what `render_async` and `render_sync` show, recorded and replayed."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django.conf
import gradio
import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator
from gradio_client import Client as GradioClient
from streamlit.testing.v1 import AppTest

from aquila_cassette.api import Block
from aquila_cassette.client import AsyncClient, Chunk, Client
from aquila_cassette.live import render_async, render_sync
from aquila_cassette.provider import Provider

LAST_WORDS = "What shall we look at first?"
MODEL: dict[str, Any] = {"model": "gpt-4o-mini", "api_key": "sk-own"}

django.conf.settings.configure(CHANNEL_LAYERS={})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(gap=0.02) as provider:
        yield provider


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cassettes")


@pytest.fixture(params=["once", "none"])
def opened(
    request: pytest.FixtureRequest, aquila_cassette: Callable[..., Block], folder: Path
) -> Callable[..., Block]:
    """Open a cassette: each test records, and then replays."""
    return functools.partial(aquila_cassette, mode=request.param, cassette_dir=folder)


async def test_channels_all_that_a_consumer_sends_in_answer_to_a_message(
    opened: Callable[..., Block], provider: Provider
) -> None:
    class Chat(AsyncWebsocketConsumer):
        async def receive(self, text_data: str = "", bytes_data: bytes | None = None) -> None:
            if text_data == "fail":
                raise LookupError("out of luck")
            async with AsyncClient(base_url=f"{provider.url}/v1", **MODEL) as client:
                async for event in client.stream(text_data):
                    if isinstance(event, Chunk):
                        await self.send(text_data=event.text)

    async with opened("channels"):
        page = WebsocketCommunicator(Chat.as_asgi(), "/")
        await page.connect()
        for prompt in ("Say hello", "Say hello again"):
            await page.send_to(text_data=prompt)
            assert LAST_WORDS in "".join(await render_async(page))
        assert await render_async(page) == []
        await page.send_to(text_data="fail")
        with pytest.raises(LookupError):
            await render_async(page)


def test_streamlit_the_texts_of_the_page(
    opened: Callable[..., Block], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def app() -> None:
        import os

        import streamlit as st

        from aquila_cassette.client import Chunk, Client

        st.title("A chat")
        if prompt := st.chat_input("Ask"):
            url = os.environ["PROVIDER"]
            with Client(model="gpt-4o-mini", api_key="sk-own", base_url=url) as client:
                events = client.stream(prompt)
                st.write_stream(one.text for one in events if isinstance(one, Chunk))
        st.sidebar.caption("beside it")

    monkeypatch.setenv("PROVIDER", f"{provider.url}/v1")
    with opened("streamlit"):
        page = AppTest.from_function(app, default_timeout=60).run()
        assert render_sync(page) == "A chat\nbeside it"
        page.chat_input[0].set_value("Say hello").run()
        title, answer, beside = render_sync(page).split("\n")
    assert (title, beside) == ("A chat", "beside it")
    assert answer.endswith(LAST_WORDS)


def test_gradio_the_last_output_of_a_job(
    opened: Callable[..., Block], provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chat(message: str, _history: object) -> Iterator[str]:
        text = ""
        with Client(base_url=f"{provider.url}/v1", **MODEL) as client:
            for event in client.stream(message):
                if isinstance(event, Chunk):
                    text += event.text
                    yield text

    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    page = gradio.ChatInterface(chat)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = GradioClient(url, verbose=False)
        with opened("gradio", ignore_hosts=[url.split("/")[2]]):
            job = client.submit("Say hello", api_name="/chat")
            assert str(render_sync(job)).endswith(LAST_WORDS)
    finally:
        page.close()
