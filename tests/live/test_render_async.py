"""`render_async` with an SDK that people use, in tasks and in threads, recorded and replayed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from aquila_cassette import RenderTimeout, aquila_cassette
from aquila_cassette.live import render_async
from aquila_cassette.provider import Provider
from tests.live.loops import WORK, Page

BROKEN = "error-midstream"


def _completions(prompt: str) -> dict[str, Any]:
    model = BROKEN if prompt == BROKEN else "gpt-4o-mini"
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}


async def _openai(url: str, prompt: str) -> AsyncIterator[str]:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        async for chunk in await client.chat.completions.create(**_completions(prompt)):
            yield chunk.choices[0].delta.content or "" if chunk.choices else ""


def _openai_sync(url: str, prompt: str) -> Iterator[str]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
        for chunk in client.chat.completions.create(**_completions(prompt)):
            yield chunk.choices[0].delta.content or "" if chunk.choices else ""


SDKS: dict[str, Any] = {"openai": _openai, "openai-threads": _openai_sync}


def start(sdk: str, url: str, page: Page, prompts: list[str], *, at_once: bool = False) -> object:
    """Have an application ask by itself, in a task or thread; each answer is a line of the page."""
    texts = SDKS[sdk]

    @contextmanager
    def new_line() -> Iterator[int]:
        page.lines.append("")
        try:
            yield len(page.lines) - 1
        except openai.OpenAIError:
            page.lines.append("Something went wrong.")

    async def say(prompt: str) -> None:
        with new_line() as place:
            async for text in texts(url, prompt):
                page.lines[place] += text
        await asyncio.sleep(WORK)
        page.lines[place] += " (saved)"

    async def work() -> None:
        if at_once:
            await asyncio.gather(*map(say, prompts))
        else:
            for prompt in prompts:
                await say(prompt)

    def say_sync(prompt: str) -> None:
        with new_line() as place:
            for text in texts(url, prompt):
                page.lines[place] += text
        time.sleep(WORK)
        page.lines[place] += " (saved)"

    def work_sync() -> None:
        if at_once:
            threads = [threading.Thread(target=say_sync, args=[prompt]) for prompt in prompts]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:
            for prompt in prompts:
                say_sync(prompt)

    if not sdk.endswith("-threads"):
        return asyncio.create_task(work())
    thread = threading.Thread(target=work_sync)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cassettes")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Provider(gap=0.001) as provider:
        yield provider.url


@pytest.mark.parametrize("scenario", ["rounds", "at once", "failing"])
@pytest.mark.parametrize("sdk", SDKS)
async def test_the_page_is_whole_while_recording_and_on_replay(
    sdk: str, scenario: str, folder: Path, url: str
) -> None:
    prompts = [BROKEN] if scenario == "failing" else ["one", "two", "three"]
    for mode in ("once", "none"):
        page = Page()
        with aquila_cassette(f"{sdk}-{scenario}", mode=mode, cassette_dir=folder):  # type: ignore[arg-type]
            running = start(sdk, url, page, prompts, at_once=scenario == "at once")
            # The request of a plain thread may not have been made yet.
            streams = len(prompts) if sdk.endswith("-threads") else None
            shown = await render_async(page, streams=streams)
            assert shown == page.render()
            answers = [line for line in page.lines if line != "Something went wrong."]
            assert [line.endswith(" (saved)") for line in answers] == [True] * len(prompts), mode
            assert len(page.lines) - len(answers) == (scenario == "failing")
        del running


@pytest.mark.parametrize("sdk", SDKS)
async def test_a_stream_that_hangs_is_named_with_its_reader_when_the_time_is_up(
    sdk: str, folder: Path, url: str
) -> None:
    with aquila_cassette(f"{sdk}-hang", mode="once", cassette_dir=folder):
        page = Page()
        running = start(sdk, url, page, ["Say hello"])
        await render_async(page, streams=1)
    with aquila_cassette(f"{sdk}-hang", mode="none", cassette_dir=folder, hold=True) as cassette:
        running = start(sdk, url, Page(), ["Say hello"])
        await cassette.advance()  # the stream is open, and its reader wants more
        with pytest.raises(RenderTimeout) as raised:
            await render_async(page, timeout=0.2)
        cassette.release()
        await render_async(page)
        del running
    text = str(raised.value)
    assert text.startswith("render_async: 1 thing still going on after 0.2 s.\n  pending: POST ")
    assert "    prompt: 'Say hello'\n" in text
    assert "    events: 1 of " in text
    assert "    reader: tests/live/test_render_async.py:" in text
