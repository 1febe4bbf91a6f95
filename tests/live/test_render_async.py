"""`render_async` with an SDK that people use, in tasks and in threads, recorded and replayed."""

import asyncio
import threading
import time
from collections.abc import Iterator
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


def completions(prompt: str) -> dict[str, Any]:
    model = BROKEN if prompt == BROKEN else "gpt-4o-mini"
    return {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}


@contextmanager
def new_line(page: Page) -> Iterator[int]:
    page.lines.append("")
    try:
        yield len(page.lines) - 1
    except openai.OpenAIError:
        page.lines.append("Something went wrong.")


async def ask(url: str, page: Page, prompt: str) -> None:
    with new_line(page) as place:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
            async for chunk in await client.chat.completions.create(**completions(prompt)):
                page.lines[place] += chunk.choices[0].delta.content or ""
    await asyncio.sleep(WORK)
    page.lines[place] += " (saved)"


def ask_sync(url: str, page: Page, prompt: str) -> None:
    with new_line(page) as place:
        with openai.OpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0) as client:
            for chunk in client.chat.completions.create(**completions(prompt)):
                page.lines[place] += chunk.choices[0].delta.content or ""
    time.sleep(WORK)
    page.lines[place] += " (saved)"


def start(threads: bool, url: str, page: Page, prompts: list[str], *, at_once: bool) -> object:
    """Have an application ask by itself, in tasks or threads; each answer is a line of the page."""

    async def work() -> None:
        if at_once:
            await asyncio.gather(*(ask(url, page, prompt) for prompt in prompts))
        else:
            for prompt in prompts:
                await ask(url, page, prompt)

    if not threads:
        return asyncio.create_task(work())

    def work_in_turns() -> None:
        for prompt in prompts:
            ask_sync(url, page, prompt)

    made = [threading.Thread(target=work_in_turns)]
    if at_once:
        made = [threading.Thread(target=ask_sync, args=[url, page, one]) for one in prompts]
    for thread in made:
        thread.start()
    return made


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Provider(gap=0.001) as provider:
        yield provider.url


@pytest.mark.parametrize("scenario", ["rounds", "at once", "failing"])
@pytest.mark.parametrize("threads", [False, True])
async def test_the_page_is_whole_while_recording_and_on_replay(
    threads: bool, scenario: str, tmp_path: Path, url: str
) -> None:
    prompts = [BROKEN] if scenario == "failing" else ["one", "two", "three"]
    for mode in ("once", "none"):
        page = Page()
        with aquila_cassette("whole", mode=mode, cassette_dir=tmp_path):  # type: ignore[arg-type]
            running = start(threads, url, page, prompts, at_once=scenario == "at once")
            # The request of a plain thread may not have been made yet.
            shown = await render_async(page, streams=len(prompts) if threads else None)
            answers = [line for line in shown.splitlines() if line.endswith(" (saved)")]
            assert len(answers) == len(prompts), mode
            assert len(page.lines) - len(answers) == (scenario == "failing")
        del running


async def test_a_stream_that_hangs_is_named_with_its_reader_when_the_time_is_up(
    tmp_path: Path, url: str
) -> None:
    page = Page()
    with aquila_cassette("hang", mode="once", cassette_dir=tmp_path):
        await ask(url, page, "Say hello")
    with aquila_cassette("hang", mode="none", cassette_dir=tmp_path, hold=True) as cassette:
        task = asyncio.create_task(ask(url, page, "Say hello"))
        await cassette.advance()  # the stream is open, and its reader wants more
        with pytest.raises(RenderTimeout) as raised:
            await render_async(page, timeout=0.2)
        cassette.release()
        await render_async(page)
        assert task.done()
    text = str(raised.value)
    assert text.startswith("render_async: 1 thing still going on after 0.2 s.\n  pending: POST ")
    assert "    prompt: 'Say hello'\n" in text
    assert "    events: 1 of " in text
    assert "    held:   until advance() or release()\n" in text
    assert "    reader: tests/live/test_render_async.py:" in text
    assert raised.value.fix.startswith("Fix: let the held stream through first: ")
