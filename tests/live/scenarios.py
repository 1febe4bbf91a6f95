"""Applications whose answer arrives by itself: what `render_async` has to wait for.

Each is one SDK, in tasks of the event loop or in threads. Its `Page` shows what has arrived; nobody
but `render_async` knows when that is all. ``python -m tests.live.stress`` runs them many times.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx
import openai

from aquila_cassette.client import AsyncClient, Chunk, Client, Error

__all__ = ["APPS", "SCENARIOS", "App", "Page", "Scenario", "opened"]

WORK = 0.005
"""How long the work between and after streams takes, in seconds."""


@dataclass
class Page:
    """What people see."""

    lines: list[str] = field(default_factory=list)
    worked_until: float = 0.0
    when_worked: Callable[[], None] = lambda: None

    def render(self) -> str:
        return "\n".join(self.lines)

    def worked(self) -> None:
        """Note that some work was done now."""
        self.when_worked()
        self.worked_until = time.perf_counter()


class App:
    """One SDK behind one face.

    Args:
        name: The SDK and the way it is used.
        texts: Streams the answer to a prompt of a model, as chunks of text.
    """

    threads = False

    def __init__(self, name: str, models: tuple[str, str]) -> None:
        self.name = name
        self.model, self.broken = models
        self.texts: Callable[[str, str], Any]

    def __repr__(self) -> str:
        return self.name


class InTasks(App):
    """Runs its work in tasks."""

    def start(self, work: Callable[[], Awaitable[None]]) -> None:
        self.task = asyncio.create_task(work())  # type: ignore[arg-type]

    async def texts_of(self, prompt: str, model: str) -> AsyncIterator[str]:
        async for text in self.texts(prompt, model):
            yield text


class InThreads(App):
    """Runs its work in threads that are told nothing of an event loop."""

    threads = True

    def start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name=self.name).start()


async def _openai(client: openai.AsyncOpenAI, prompt: str, model: str) -> AsyncIterator[str]:
    stream = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": prompt}], stream=True
    )
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


def _openai_sync(client: openai.OpenAI, prompt: str, model: str) -> Iterator[str]:
    stream = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": prompt}], stream=True
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content


def _messages(prompt: str, model: str) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": prompt}],
        "extra_headers": {} if model == "claude-sonnet-5-5" else {"x-provider-fault": model},
    }


async def _anthropic(
    client: anthropic.AsyncAnthropic, prompt: str, model: str
) -> AsyncIterator[str]:
    async with client.messages.stream(**_messages(prompt, model)) as stream:
        async for text in stream.text_stream:
            yield text


def _anthropic_sync(client: anthropic.Anthropic, prompt: str, model: str) -> Iterator[str]:
    with client.messages.stream(**_messages(prompt, model)) as stream:
        yield from stream.text_stream


async def _ours(client: AsyncClient, prompt: str, model: str) -> AsyncIterator[str]:
    async for event in client.stream(prompt, model=model):
        if isinstance(event, Chunk):
            yield event.text
        if isinstance(event, Error):
            raise RuntimeError(event.reason)


def _ours_sync(client: Client, prompt: str, model: str) -> Iterator[str]:
    for event in client.stream(prompt, model=model):
        if isinstance(event, Chunk):
            yield event.text
        if isinstance(event, Error):
            raise RuntimeError(event.reason)


@asynccontextmanager
async def opened(name: str, url: str) -> AsyncIterator[App]:
    """Open an application on the provider at `url`."""
    async with AsyncExitStack() as stack:
        openai_models = ("gpt-4o-mini", "error-midstream")
        claude = ("claude-sonnet-5-5", "error-midstream")
        app: App
        made: Any
        match name:
            case "openai":
                app = InTasks(name, openai_models)
                made = await stack.enter_async_context(
                    openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-own", max_retries=0)
                )
                app.texts = lambda prompt, model: _openai(made, prompt, model)
            case "anthropic":
                app = InTasks(name, claude)
                made = await stack.enter_async_context(
                    anthropic.AsyncAnthropic(base_url=url, api_key="sk-own", max_retries=0)
                )
                app.texts = lambda prompt, model: _anthropic(made, prompt, model)
            case "ours":
                app = InTasks(name, openai_models)
                http = await stack.enter_async_context(httpx.AsyncClient(verify=False))
                made = AsyncClient(http, base_url=f"{url}/v1", provider="openai")
                app.texts = lambda prompt, model: _ours(made, prompt, model)
            case "openai-threads":
                app = InThreads(name, openai_models)
                made = stack.enter_context(
                    openai.OpenAI(base_url=f"{url}/v1", api_key="sk-own", max_retries=0)
                )
                app.texts = lambda prompt, model: _openai_sync(made, prompt, model)
            case "anthropic-threads":
                app = InThreads(name, claude)
                made = stack.enter_context(
                    anthropic.Anthropic(base_url=url, api_key="sk-own", max_retries=0)
                )
                app.texts = lambda prompt, model: _anthropic_sync(made, prompt, model)
            case _:
                app = InThreads(name, openai_models)
                sync_http = stack.enter_context(httpx.Client(verify=False))
                made = Client(sync_http, base_url=f"{url}/v1", provider="openai")
                app.texts = lambda prompt, model: _ours_sync(made, prompt, model)
        yield app


APPS = ("openai", "anthropic", "ours", "openai-threads", "anthropic-threads", "ours-threads")


# The scenarios, each as people write it: once in tasks, once in threads.


async def _say(app: App, page: Page, prompt: str, model: str = "") -> None:
    place = len(page.lines)
    page.lines.append("")
    async for text in app.texts(prompt, model or app.model):
        page.lines[place] += text
    page.worked()


def _say_sync(app: App, page: Page, prompt: str, model: str = "") -> None:
    place = len(page.lines)
    page.lines.append("")
    for text in app.texts(prompt, model or app.model):
        page.lines[place] += text
    page.worked()


async def _text(app: App, page: Page) -> None:
    await _say(app, page, "Say hello")


def _text_sync(app: App, page: Page) -> None:
    _say_sync(app, page, "Say hello")


async def _rounds(app: App, page: Page) -> None:
    for prompt in ("Say hello", "Say more", "Say the rest"):
        await _say(app, page, prompt)
        await asyncio.sleep(WORK)
    page.worked()


def _rounds_sync(app: App, page: Page) -> None:
    for prompt in ("Say hello", "Say more", "Say the rest"):
        _say_sync(app, page, prompt)
        time.sleep(WORK)
    page.worked()


async def _five(app: App, page: Page) -> None:
    await asyncio.gather(*(_say(app, page, f"Say {number}") for number in range(5)))
    await asyncio.sleep(WORK)
    page.lines[-1] += " That makes five."
    page.worked()


def _five_sync(app: App, page: Page) -> None:
    threads = [
        threading.Thread(target=_say_sync, args=(app, page, f"Say {number}")) for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page.worked()


async def _saved(app: App, page: Page) -> None:
    await asyncio.wait_for(_say(app, page, "Say hello"), 10)
    await asyncio.sleep(WORK)
    page.lines.append("saved")
    page.worked()


def _saved_sync(app: App, page: Page) -> None:
    _say_sync(app, page, "Say hello")
    time.sleep(WORK)
    page.lines.append("saved")
    page.worked()


async def _late(app: App, page: Page) -> None:
    await asyncio.sleep(WORK)
    await _say(app, page, "Say hello")


def _late_sync(app: App, page: Page) -> None:
    time.sleep(WORK)
    _say_sync(app, page, "Say hello")


async def _failing(app: App, page: Page) -> None:
    try:
        await _say(app, page, "Say hello", app.broken)
    except Exception:
        await asyncio.sleep(WORK)
        page.lines.append("Something went wrong.")
        page.worked()


def _failing_sync(app: App, page: Page) -> None:
    try:
        _say_sync(app, page, "Say hello", app.broken)
    except Exception:
        time.sleep(WORK)
        page.lines.append("Something went wrong.")
        page.worked()


@dataclass(frozen=True, repr=False)
class Scenario:
    """Something an application does by itself.

    Args:
        work: It, in a task.
        work_sync: It, in a thread.
        streams: How many streams it opens in all.
        ends_with: What the page ends with.
        lines: How many lines the page has then.
    """

    name: str
    work: Callable[[App, Page], Awaitable[None]]
    work_sync: Callable[[App, Page], None]
    streams: int
    lines: int
    ends_with: str = ""
    starts_late: bool = False

    def __repr__(self) -> str:
        return self.name

    def start(self, app: App, page: Page) -> None:
        """Have the application do it."""
        if isinstance(app, InThreads):
            app.start(lambda: self.work_sync(app, page))
        elif isinstance(app, InTasks):
            app.start(lambda: self.work(app, page))

    def is_whole(self, page: Page) -> bool:
        """Tell whether the page shows all."""
        return (
            len(page.lines) == self.lines
            and all(page.lines)
            and page.lines[-1].endswith(self.ends_with)
        )


SCENARIOS = (
    Scenario("text", _text, _text_sync, 1, 1),
    Scenario("rounds", _rounds, _rounds_sync, 3, 3),
    Scenario("five", _five, _five_sync, 5, 5),
    Scenario("saved", _saved, _saved_sync, 1, 2, "saved"),
    Scenario("late", _late, _late_sync, 1, 1, starts_late=True),
    Scenario("failing", _failing, _failing_sync, 1, 2, "Something went wrong."),
)
