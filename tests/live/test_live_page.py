"""The examples of the page on views run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.client import AsyncClient
from aquila_cassette.live import assert_push_event
from aquila_cassette.provider import Provider
from tests.live.chat_live import ChatLive
from tests.live.loops import settled
from tests.live.script import Script
from tests.servers import CHAT_FRAMES

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "live.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


async def test_the_chat_of_the_page_is_the_one_that_the_tests_prove() -> None:
    assert (HERE / "chat_live.py").read_text("utf-8") == EXAMPLES[0]


def test_the_examples_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    # Dataclasses look up the module that they are defined in.
    scope: dict[str, Any] = {"__name__": __name__}
    with Provider(gap=0) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
        for source in EXAMPLES:
            exec(source, scope)


async def test_the_components_of_the_page_take_what_their_view_passes_on() -> None:
    scope: dict[str, Any] = {"__name__": __name__}
    (source,) = [one for one in EXAMPLES if "class Answers(View)" in one]
    exec(EXAMPLES[0], scope)
    exec(source, scope)
    script = Script()
    script.say("Hello", *CHAT_FRAMES)
    async with script.client() as client, scope["Answers"].mounted(client) as view:
        await view.event("ask", {"prompt": "Hello"})
        await settled(view)
        (answer,) = view.components.values()
        assert dict(answer.assigns) == {"text": "Hello, wörld", "done": True}


async def test_a_pushed_event_that_does_not_come_is_missed_as_the_page_says() -> None:
    (expected,) = re.findall(r"```\n(ChatLive did not push .*?)\n```", PAGE, re.DOTALL)
    script = Script()
    client: AsyncClient
    async with script.client() as client, ChatLive.mounted(client) as view:
        await view.event("send", {"prompt": "Hello"})
        with pytest.raises(AssertionError) as raised:
            await assert_push_event(view, "answered", {"response_id": "r_1"}, timeout=0.01)
        assert str(raised.value) == expected.replace("within 1 s", "within 0.01 s")
