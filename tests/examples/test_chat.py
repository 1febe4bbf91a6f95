"""The chat as a view, on recordings: no browser, no provider, no clock."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from aquila_cassette.client import AsyncClient
from aquila_cassette.live import ChatMessage, assert_flash, assert_push_event, render_async
from examples.chat.chat_live import ChatLive
from tests.examples.conftest import HELLO, Open, Read
from tests.live.rows import seed_row


@asynccontextmanager
async def _mounted(provider: str) -> AsyncIterator[ChatLive]:
    async with (
        AsyncClient(model="gpt-4o-mini", base_url=f"{provider}/v1", api_key="sk-own") as client,
        ChatLive.mounted(client=client) as view,
    ):
        yield view


def _texts(part: str) -> list[str]:
    """Give the texts that a part of the page shows, those for screen readers first among them."""
    return Read(part).texts


@seed_row(25)
async def test_the_page_shows_what_the_assistant_said(
    aquila_cassette: Open, chat_provider: str
) -> None:
    async with aquila_cassette("chat_live.responds"), _mounted(chat_provider) as view:
        await view.event("send", {"prompt": "Say hello"})
        assert HELLO in await render_async(view)
        assert _texts(view.fragments()["c1-0"]) == ["You said", "Say hello"]
        answer = ["The answer", HELLO, "gpt-4o-mini · 15 tokens"]
        assert _texts(view.fragments()["c1-1"]) == answer
        await assert_push_event(view, "say", {"text": HELLO})


async def test_the_model_is_told_what_was_said_before(
    aquila_cassette: Open, chat_provider: str
) -> None:
    async with aquila_cassette("chat_live.converses") as cassette, _mounted(chat_provider) as view:
        await view.event("send", {"prompt": "Say hello"})
        await render_async(view)
        await view.event("send", {"prompt": "Tell me about streams"})
        assert "“streams”" in await render_async(view)
        (_, second) = cassette.played or cassette.recorded
        asked = json.loads(second.request.body)
    assert asked["messages"] == [
        {"role": "user", "content": "Say hello"},
        {"role": "assistant", "content": HELLO},
        {"role": "user", "content": "Tell me about streams"},
    ]


async def test_a_stopped_answer_stays_as_far_as_it_came(held: Open, chat_provider: str) -> None:
    async with (
        held("chat_live.responds", repeats=True) as cassette,
        _mounted(chat_provider) as view,
    ):
        await view.event("send", {"prompt": "Say hello"})
        await cassette.advance(3)
        await view.event("stop")
        await render_async(view)
        assert view.current
        assert view.current.messages[1] == ChatMessage("assistant", "Hello!", ended="stopped")
        stopped = ["The answer", "Hello!", "You stopped this answer.", "Try again"]
        assert _texts(view.fragments()["c1-1"]) == stopped
        assert view.flash == {}

        await view.event("retry")
        cassette.release()
        await render_async(view)
        assert [one.text for one in view.current.messages] == ["Say hello", HELLO]
        assert view.current.messages[1].ended == "done"


@pytest.mark.parametrize(
    ("fault", "came", "reason"),
    [
        ("error-midstream", "Let me begin with “", "The server had an error while processing"),
        ("cut", "In short: “the", "The stream ended before data: [DONE]."),
        ("error-429", "", "Rate limit reached. Please try again in 20s."),
    ],
)
async def test_what_came_before_a_failure_stays_and_the_reason_is_flashed(
    aquila_cassette: Open, chat_provider: str, fault: str, came: str, reason: str
) -> None:
    async with aquila_cassette(f"chat_live.{fault}"), _mounted(chat_provider) as view:
        await view.event("send", {"prompt": fault})
        await assert_flash(view, "error", reason)
        shown = await render_async(view)
        assert view.current
        assert not view.current.loading
        assert view.current.messages[1:] == [ChatMessage("assistant", came, ended="failed")]
        assert "Something went wrong." in shown
        (flashed,) = _texts(view.fragments()["flash-error"])
        assert flashed.startswith(reason)

        await view.event("dismiss")
        assert "flash-error" not in view.fragments()
