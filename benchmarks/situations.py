"""What an application may be doing when a test asks for its page: the situations of the waits.

Each row starts something that changes the page later, the last time with `END`; or, where it is
`idle`, something that goes on and is not waited for. tests/live/test_situations.py plays each once,
``make waiting`` (`benchmarks.waiting`) 200 times.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import queue
import sys
import textwrap
import threading
import time
import types
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.from_thread
import anyio.to_thread
import httpx
import trio

from aquila_cassette import (
    Interaction,
    Piece,
    RenderTimeout,
    Request,
    Response,
    SettleTimeout,
    aquila_cassette,
)
from aquila_cassette.client import AsyncClient, Chunk, Client
from aquila_cassette.live import View, render_async, track, wait_settled
from aquila_cassette.storage import files

URL = "http://127.0.0.1:8199/v1/chat/completions"
BODY = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
CHUNK = 'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "%s"}, "finish_reason": %s}]}\n\n'
FRAMES = (
    CHUNK % ("Hel", "null") + CHUNK % ("lo", "null") + CHUNK % ("", '"stop"') + "data: [DONE]\n\n"
)
W = 0.004
"""How long work takes, in seconds."""

LATE = 0.05
"""How long after the last change, in seconds, the wait is late."""

END = "END"


@dataclass
class Page:
    lines: list[str] = field(default_factory=list)
    changed: float = 0.0

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.changed = time.perf_counter()

    def render(self) -> str:
        return "|".join(self.lines)


@dataclass(frozen=True)
class Row:
    """One situation in one kind of event loop; `streams` goes to the wait, `options` to the block."""

    start: Callable[..., Any]
    loop: str
    idle: bool = False
    streams: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.start.__name__}-{self.loop}"


ROWS: list[Row] = []

ASYNCIO = ("asyncio", "uvloop", *(("eager",) if sys.version_info >= (3, 12) else ()))


def row(*loops: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add a situation to the table, once for each kind of event loop; options go to the block."""
    fields = {name: how.pop(name) for name in ("idle", "streams") if name in how}

    def add(start: Callable[..., Any]) -> Callable[..., Any]:
        ROWS.extend(Row(start, loop, **fields, options=how) for loop in loops or ASYNCIO)
        return start

    return add


def task(*loops: str, **how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add what a task does."""

    def add(work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        async def start(app: App) -> None:
            app.start(functools.partial(work, app))

        return row(*loops, **how)(start)

    return add


def thread(**how: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add what a thread does, beside a test without an event loop."""

    def add(work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def start(app: App) -> None:
            app.thread(functools.partial(work, app))

        return row("threads", **how)(start)

    return add


@asynccontextmanager
async def stream() -> AsyncIterator[httpx.Response]:
    client = httpx.AsyncClient(verify=False)
    async with client, client.stream("POST", URL, json=BODY) as response:
        yield response


@dataclass
class App:
    """An application: its page, and ways to start things that end with the row."""

    page: Page
    stack: Any
    cassette: Any
    group: Any = None
    """The nursery of trio."""
    view: Any = None
    """What is rendered, where it is not the page."""
    tasks: list[Any] = field(default_factory=list)

    def task(self, coroutine: Any) -> Any:
        self.tasks.append(asyncio.get_running_loop().create_task(coroutine))
        return self.tasks[-1]

    def start(self, work: Callable[[], Any]) -> None:
        self.task(work()) if self.group is None else self.group.start_soon(work)

    def end_tasks(self) -> None:
        for task in self.tasks:
            task.cancel()

    def thread(self, work: Callable[[], object], stop: Callable[[], object] = bool) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        self.stack.callback(thread.join)
        self.stack.callback(stop)

    def pool(self) -> ThreadPoolExecutor:
        return self.stack.enter_context(ThreadPoolExecutor(2))

    async def end(self, seconds: float = W) -> None:
        """Work, and change the page for the last time."""
        await anyio.sleep(seconds)
        self.page.add(END)

    def end_sync(self, seconds: float = W) -> None:
        time.sleep(seconds)
        self.page.add(END)

    async def ask(self) -> None:
        async with stream() as response:
            async for line in response.aiter_lines():
                self.page.add(line)

    def ask_sync(self) -> None:
        client = httpx.Client(verify=False)
        with client, client.stream("POST", URL, json=BODY) as response:
            for line in response.iter_lines():
                self.page.add(line)

    async def run(self) -> None:
        """Ask, then work: what most handlers do."""
        await self.ask()
        await self.end()

    def run_sync(self) -> None:
        self.ask_sync()
        self.end_sync()


def lay_cassette(folder: Path) -> None:
    """Write the cassette that answers what all rows ask."""
    request = Request("POST", URL, body=json.dumps(BODY).encode())
    pieces = (Piece(0, FRAMES.encode()),)
    response = Response(200, (("content-type", "text/event-stream"),), pieces)
    files.save(folder / "hello.yaml", [Interaction(request, response)])


@contextmanager
def opened(folder: Path, **options: Any) -> Iterator[Any]:
    how = {"mode": "none", "repeats": True, "match_on": ("method", "url", "body")}
    how |= {"on_unplayed": "ignore", "cassette_dir": folder}
    with aquila_cassette("hello", **{**how, **options}) as cassette:
        yield cassette


async def _play(row: Row, folder: Path, timeout: float) -> str:
    async with AsyncExitStack() as stack:
        with opened(folder, **row.options) as cassette:
            app = App(Page(), stack, cassette)
            if row.loop == "trio":
                app.group = await stack.enter_async_context(trio.open_nursery())
                stack.callback(app.group.cancel_scope.cancel)
            stack.callback(app.end_tasks)
            await row.start(app)
            try:
                shown = app.page if app.view is None else app.view
                await render_async(shown, timeout=timeout, streams=row.streams)
            except RenderTimeout as error:
                return f"hang: {error}"
            finally:
                cassette.release()
            return verdict(row, app.page)


def _play_sync(row: Row, folder: Path, timeout: float) -> str:
    with ExitStack() as stack, opened(folder, **row.options) as cassette:
        app = App(Page(), stack, cassette)
        row.start(app)
        try:
            wait_settled(timeout=timeout, streams=row.streams)
        except SettleTimeout as error:
            return f"hang: {error}"
        return verdict(row, app.page)


def verdict(row: Row, page: Page) -> str:
    """Return what was wrong, or nothing."""
    late = time.perf_counter() - page.changed
    if row.idle:
        return "" if END not in page.lines else "what is not waited for has ended"
    if page.lines[-1:] != [END]:
        return f"early: {page.lines[-1:]}"
    return f"late: {late * 1000:.0f} ms" if late > LATE else ""


def play(row: Row, folder: Path, timeout: float = 5.0) -> str:
    """Play a situation once; return what was wrong: early, late, hang; nothing where all is well."""
    if row.loop == "threads":
        return _play_sync(row, folder, timeout)

    async def main() -> str:
        if row.loop == "eager":
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
        return await _play(row, folder, timeout)

    if row.loop == "trio":
        return trio.run(main)
    return anyio.run(main, backend_options={"use_uvloop": row.loop == "uvloop"})


# Tasks.


@row()
async def a_handler_in_a_task(app: App) -> None:
    app.task(app.run())


@row("trio")
async def a_handler_in_a_nursery(app: App) -> None:
    app.group.start_soon(app.run)


@task()
async def a_task_that_asks_late(app: App) -> None:
    await asyncio.sleep(W)
    await app.run()


@task("trio")
async def a_trio_task_that_asks_late(app: App) -> None:
    await trio.sleep(W)
    await app.run()


@task()
async def a_tool_loop(app: App) -> None:
    for _ in range(3):
        await app.ask()
        await asyncio.sleep(W)
    await app.end()


@row()
async def a_task_that_never_asks(app: App) -> None:
    app.task(app.end())


@task()
async def fire_and_forget_after_the_answer(app: App) -> None:
    await app.ask()
    app.task(app.end())


@row()
async def a_callback_of_a_task_that_starts_another(app: App) -> None:
    app.task(app.ask()).add_done_callback(lambda _task: app.task(app.end()))


@row()
async def a_callback_that_starts_a_task_a_few_turns_later(app: App) -> None:
    loop = asyncio.get_running_loop()

    def later(turns: int) -> None:
        if turns:
            loop.call_soon(later, turns - 1)
        else:
            app.task(app.end())

    app.task(app.ask()).add_done_callback(lambda _task: later(8))


@row()
async def a_sleeping_task_with_a_callback(app: App) -> None:
    app.task(asyncio.sleep(W)).add_done_callback(lambda _task: app.page.add(END))


@task()
async def gather_with_a_slower_member(app: App) -> None:
    await asyncio.gather(app.ask(), asyncio.sleep(2 * W))
    app.page.add(END)


@task()
async def a_group_with_a_slower_member(app: App) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(app.ask())
        group.create_task(asyncio.sleep(2 * W))
    app.page.add(END)


@task("asyncio", "trio", "uvloop")
async def a_group_of_anyio_with_a_slower_member(app: App) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(app.ask)
        group.start_soon(anyio.sleep, 2 * W)
    app.page.add(END)


@task()
async def as_completed(app: App) -> None:
    for one in asyncio.as_completed([app.ask(), asyncio.sleep(W), asyncio.sleep(2 * W)]):
        await one
    await app.end()


@task()
async def wait_for_the_first(app: App) -> None:
    tasks = [asyncio.create_task(app.ask()), asyncio.create_task(asyncio.sleep(3 * W))]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(tasks)
    app.page.add(END)


@task()
async def a_shielded_task_within_a_time_out(app: App) -> None:
    async with asyncio.timeout(10):
        await asyncio.wait_for(asyncio.shield(asyncio.create_task(app.run())), 10)


# Producers and consumers.


@task()
async def producer_and_consumer(app: App) -> None:
    words: asyncio.Queue[str | None] = asyncio.Queue()

    async def produce() -> None:
        await app.ask()
        for word in ("a", "b", None):
            await asyncio.sleep(W)
            await words.put(word)

    async def consume() -> None:
        while word := await words.get():
            await asyncio.sleep(W)
            app.page.add(word)
        app.page.add(END)

    async with asyncio.TaskGroup() as group:
        group.create_task(produce())
        group.create_task(consume())


@task("asyncio", "trio", "uvloop")
async def a_channel_between_two_tasks(app: App) -> None:
    sender, receiver = anyio.create_memory_object_stream[str]()

    async def produce() -> None:
        async with sender:
            await app.ask()
            await anyio.sleep(W)
            await sender.send("a")

    async def consume() -> None:
        async with receiver:
            async for word in receiver:
                await anyio.sleep(W)
                app.page.add(word)
        app.page.add(END)

    async with anyio.create_task_group() as group:
        group.start_soon(produce)
        group.start_soon(consume)


@row("trio")
async def a_trio_channel_and_an_event(app: App) -> None:
    sender, receiver = trio.open_memory_channel[str](0)
    shown = trio.Event()

    async def produce() -> None:
        await app.ask()
        await sender.send("a")
        await shown.wait()
        await app.end()

    async def consume() -> None:
        app.page.add(await receiver.receive())
        await trio.sleep(W)
        shown.set()

    app.group.start_soon(produce)
    app.group.start_soon(consume)


@row()
async def a_full_queue(app: App) -> None:
    words: asyncio.Queue[str] = asyncio.Queue(1)

    async def read() -> None:
        async with stream() as response:
            async for line in response.aiter_lines():
                await words.put(line)
        await words.put(END)

    async def show() -> None:
        while (word := await words.get()) != END:
            await asyncio.sleep(W / 4)
            app.page.add(word)
        app.page.add(END)

    app.task(read())
    app.task(show())


@row()
async def a_response_that_another_task_reads(app: App) -> None:
    handed: asyncio.Queue[Any] = asyncio.Queue()

    async def read() -> None:
        response = await handed.get()
        async for line in response.aiter_lines():
            app.page.add(line)
        await app.end()

    async def ask() -> None:
        client = await app.stack.enter_async_context(httpx.AsyncClient(verify=False))
        request = client.build_request("POST", URL, json=BODY)
        handed.put_nowait(await client.send(request, stream=True))

    app.task(read())
    app.task(ask())


@row()
async def an_event_a_condition_and_a_lock(app: App) -> None:
    event, lock, condition = asyncio.Event(), asyncio.Lock(), asyncio.Condition()

    async def first() -> None:
        async with lock:
            await app.ask()
            await asyncio.sleep(W)
        event.set()

    async def second() -> None:
        await event.wait()
        async with lock, condition:
            await asyncio.sleep(W)
            condition.notify_all()

    async def third() -> None:
        async with condition:
            await condition.wait()
        await app.end()

    for work in (third, second, first):
        app.task(work())


@row()
async def a_future_of_the_application(app: App) -> None:
    answered = asyncio.get_running_loop().create_future()

    async def ask() -> None:
        await app.ask()
        await asyncio.sleep(W)
        answered.set_result("a")

    async def show() -> None:
        app.page.add(await answered)
        await app.end()

    app.task(show())
    app.task(ask())


# Threads that an event loop waits for.


@task()
async def to_thread(app: App) -> None:
    await asyncio.to_thread(app.ask_sync)
    await app.end()


@task()
async def to_thread_at_once(app: App) -> None:
    await asyncio.to_thread(bool)
    await app.end()


@task()
async def run_in_executor(app: App) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(loop.run_in_executor(None, app.ask_sync), asyncio.sleep(W))
    await loop.run_in_executor(app.pool(), time.sleep, W)
    await app.end()


@task("asyncio", "uvloop", "trio")
async def a_thread_of_anyio(app: App) -> None:
    await anyio.to_thread.run_sync(app.run_sync)
    await anyio.to_thread.run_sync(time.sleep, W)
    await app.end()


@task("trio")
async def a_thread_of_trio(app: App) -> None:
    await trio.to_thread.run_sync(app.ask_sync)
    await app.end()


@task()
async def pools_that_end_in_a_thread(app: App) -> None:
    """As langgraph: a pool for each step; the end of one joins a thread that is about to end."""

    def work() -> None:
        for _ in range(4):
            with ThreadPoolExecutor(1) as pool:
                pool.submit(app.ask_sync)

    await asyncio.to_thread(work)
    await app.end()


@row("asyncio", "uvloop", "trio")
async def a_thread_that_calls_back(app: App) -> None:
    def work() -> None:
        app.ask_sync()
        anyio.from_thread.run(app.end)

    if app.group is None:
        app.task(anyio.to_thread.run_sync(work))
    else:
        app.group.start_soon(anyio.to_thread.run_sync, work)


@row()
async def a_pool_whose_result_wakes_a_task(app: App) -> None:
    loop = asyncio.get_running_loop()
    future = app.pool().submit(app.ask_sync)
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(lambda: app.task(app.end())))


@row()
async def a_thread_beside_the_event_loop(app: App) -> None:
    app.thread(app.run_sync)


@row()
async def a_thread_that_gives_the_loop_work(app: App) -> None:
    loop = asyncio.get_running_loop()

    def work() -> None:
        time.sleep(W)
        asyncio.run_coroutine_threadsafe(app.run(), loop).result()

    threading.Thread(target=work).start()


@row()
async def a_queue_between_a_thread_and_a_task(app: App) -> None:
    words: queue.Queue[str] = queue.Queue()

    def work() -> None:
        app.ask_sync()
        time.sleep(W)
        words.put("a")

    async def handler() -> None:
        app.page.add(await asyncio.to_thread(words.get))
        await app.end()

    app.task(handler())
    app.thread(work)


# Threads and pools, without an event loop here.


@row("threads", streams=1)
def a_thread(app: App) -> None:
    app.thread(app.run_sync)


@thread()
def a_thread_that_asks_late(app: App) -> None:
    time.sleep(W)
    app.run_sync()


@row("threads")
def a_thread_that_never_asks(app: App) -> None:
    app.thread(app.end_sync)


@thread()
def a_thread_that_starts_and_joins_another(app: App) -> None:
    other = threading.Thread(target=app.ask_sync)
    other.start()
    other.join()
    app.end_sync()


@row("threads")
def a_timer(app: App) -> None:
    timer = threading.Timer(W, app.run_sync)
    timer.start()
    app.stack.callback(timer.join)


@row("threads")
def a_pool(app: App) -> None:
    pool = app.pool()
    others = list(map(pool.submit, [app.ask_sync] * 4))

    def end(_future: Any) -> None:
        futures.wait(others)  # whose lines might come after the end
        app.end_sync()

    pool.submit(app.ask_sync).add_done_callback(end)


@thread()
def a_pool_that_maps(app: App) -> None:
    pool = app.pool()

    list(pool.map(time.sleep, [W, W, W]))
    app.end_sync()


@row("threads")
def two_threads_and_a_queue(app: App) -> None:
    words: queue.Queue[str] = queue.Queue()

    def produce() -> None:
        app.ask_sync()
        for word in ("a", "b", END):
            time.sleep(W)
            words.put(word)

    def consume() -> None:
        while (word := words.get(timeout=10)) != END:
            time.sleep(W)
            app.page.add(word)
        app.page.add(END)

    app.thread(consume)
    app.thread(produce)


@row("threads")
def two_threads_an_event_and_a_condition(app: App) -> None:
    event, condition = threading.Event(), threading.Condition()

    def first() -> None:
        app.ask_sync()
        time.sleep(W)
        event.set()
        time.sleep(W)
        with condition:
            condition.notify()

    def second() -> None:
        with condition:
            event.wait(10)
            condition.wait(10)
        app.end_sync()

    app.thread(second)
    app.thread(first)


@row("threads")
def an_old_thread_that_gets_an_order(app: App) -> None:
    """Its thread is parked before the wait, and is notified right before it."""
    orders: queue.Queue[int] = queue.Queue()
    waits = threading.Event()

    def work() -> None:
        waits.set()
        orders.get()
        app.run_sync()

    app.thread(work)
    waits.wait()
    orders.put(1)


@row("threads")
def a_loop_in_a_thread(app: App) -> None:
    app.thread(lambda: asyncio.run(app.run()))


@thread()
def code_after_a_loop_in_a_thread(app: App) -> None:
    asyncio.run(app.ask())
    time.sleep(W)
    trio.run(app.ask)
    app.end_sync()


@row("threads")
def a_task_given_to_a_loop_in_a_thread(app: App) -> None:
    loop = asyncio.new_event_loop()
    app.stack.callback(loop.close)
    app.thread(loop.run_forever, lambda: loop.call_soon_threadsafe(loop.stop))
    asyncio.run_coroutine_threadsafe(app.run(), loop)


@row("threads")
def a_portal(app: App) -> None:
    portal = app.stack.enter_context(anyio.from_thread.start_blocking_portal())
    portal.start_task_soon(app.run)


# Our own client and views.


def client_of(app: App) -> AsyncClient:
    return AsyncClient(base_url="http://127.0.0.1:8199/v1", model="m", endpoint="chat")


OPTIONS: dict[str, Any] = {"extra_body": {"stream_options": None}}


@task()
async def our_client(app: App) -> None:
    async with client_of(app) as client, client.stream("hi", **OPTIONS) as stream:
        async for event in stream:
            app.page.add(repr(event))
    await app.end()


@task("trio")
async def our_client_in_trio(app: App) -> None:
    async with client_of(app) as client, client.stream("hi", **OPTIONS) as stream:
        await stream.result()
    await app.end()


@row()
async def our_client_with_a_slow_sink(app: App) -> None:
    async def show(event: Any) -> None:
        await asyncio.sleep(W / 4)
        app.page.add(event.text if isinstance(event, Chunk) else END)

    client = await app.stack.enter_async_context(client_of(app))
    app.stack.callback(client.stream("hi", sink=show, **OPTIONS).cancel)


@thread()
def our_sync_client(app: App) -> None:
    with Client(base_url="http://127.0.0.1:8199/v1", model="m", endpoint="chat") as client:
        for event in client.stream("hi", **OPTIONS):
            app.page.add(repr(event))
    app.end_sync()


class Chat(View):
    def mount(self, app: App) -> None:
        self.app = app

    async def handle_event(self, name: str, params: Any) -> None:
        self.start_async("job", getattr(self, name))

    async def task(self) -> None:
        asyncio.get_running_loop().create_task(self.app.run())

    async def group(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self.app.ask)
            group.start_soon(anyio.sleep, 2 * W)
        await self.app.end()

    def thread(self) -> None:
        self.app.ask_sync()
        self.send(None)

    def pool(self) -> None:
        self.app.pool().submit(self.app.run_sync)

    def handle_info(self, message: Any) -> None:
        self.app.page.add(END)

    def render(self) -> str:
        return self.app.page.render()


async def mounted(app: App, event: str) -> None:
    app.view = await app.stack.enter_async_context(Chat.mounted(app))
    await app.view.event(event)


@row()
async def a_job_of_a_view_that_leaves_a_task(app: App) -> None:
    await mounted(app, "task")


@row("asyncio", "uvloop", "trio")
async def a_job_of_a_view_with_a_group(app: App) -> None:
    await mounted(app, "group")


@row("asyncio", "uvloop", "trio")
async def a_job_of_a_view_in_a_thread(app: App) -> None:
    await mounted(app, "thread")


@row()
async def a_job_of_a_view_that_leaves_a_call_in_a_pool(app: App) -> None:
    await mounted(app, "pool")


@row()
async def a_view_beside_another_that_is_busy(app: App) -> None:
    """What others do is not waited for, where a view is rendered."""
    app.task(never())
    await mounted(app, "group")


# Shapes of libraries.


@task()
async def an_agent_that_streams_by_a_queue(app: App) -> None:
    """As openai-agents: a task of the library's runs the model, the user's task reads a queue."""
    library = as_library(
        """
        import asyncio

        class Run:
            def __init__(self, ask):
                self.events = asyncio.Queue()
                self.task = asyncio.create_task(self.run(ask))

            async def run(self, ask):
                await asyncio.sleep(0)
                await ask()
                await asyncio.sleep(0.004)
                for event in "abc":
                    self.events.put_nowait(event)
                self.events.put_nowait(None)

            async def stream(self):
                while event := await self.events.get():
                    yield event
        """
    )

    async for event in library.Run(app.ask).stream():
        app.page.add(event)
    await app.end()


@task("asyncio", "uvloop", "trio")
async def a_library_that_streams_by_a_channel(app: App) -> None:
    """As pydantic-ai and langchain: a group, a memory channel, an async generator in a context manager."""
    library = as_library(
        """
        import anyio, contextlib

        @contextlib.asynccontextmanager
        async def streaming(ask):
            sender, receiver = anyio.create_memory_object_stream(2)
            async def run():
                async with sender:
                    await ask()
                    for event in "abcdef":
                        await sender.send(event)
                        await anyio.sleep(0.001)
            async def events():
                async for event in receiver:
                    yield event
            async with anyio.create_task_group() as group:
                group.start_soon(run)
                async with receiver:
                    yield events()
        """
    )

    async with library.streaming(app.ask) as events:
        async for event in events:
            app.page.add(event)
    await app.end()


@task()
async def a_library_that_gathers(app: App) -> None:
    """As langgraph: the library makes tasks of its own coroutines and waits for the first."""
    library = as_library(
        """
        import asyncio

        async def step(seconds):
            await asyncio.sleep(seconds)

        async def batch(ask):
            await asyncio.gather(step(0.004), step(0.008))
            tasks = {asyncio.create_task(step(0.004)), asyncio.create_task(ask())}
            while tasks:
                _, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        """
    )

    await library.batch(app.ask)
    await app.end()


@task()
async def a_library_that_runs_an_event_loop_in_a_thread(app: App) -> None:
    """As dspy: a sync stream, of an async one that it reads in a thread."""
    library = as_library(
        """
        import asyncio, queue, threading

        def sync(events):
            found = queue.Queue()
            async def run():
                try:
                    async for event in events:
                        found.put(event)
                finally:
                    found.put(None)
            threading.Thread(target=lambda: asyncio.run(run())).start()
            yield from iter(found.get, None)
        """
    )

    async def events() -> AsyncIterator[str]:
        await app.ask()
        yield "a"

    await asyncio.to_thread(lambda: [app.page.add(event) for event in library.sync(events())])
    await app.end()


@task()
async def a_library_with_a_future_of_its_own(app: App) -> None:
    library = as_library(
        """
        import asyncio

        async def query(seconds):
            loop = asyncio.get_running_loop()
            answered = loop.create_future()
            loop.call_later(seconds, answered.set_result, 1)
            return await answered
        """
    )

    await app.ask()
    await library.query(W)
    await app.end()


@functools.cache
def as_library(source: str) -> Any:
    """Make a module as if it were installed, so that its code is not the user's."""
    module = types.ModuleType("library")
    code = compile(
        textwrap.dedent(source), f"/usr/lib/site-packages/lib_{abs(hash(source))}.py", "exec"
    )
    exec(code, vars(module))
    return module


# What is not waited for.


async def never() -> None:
    while True:
        await asyncio.sleep(W)


@task(idle=True)
async def a_worker_that_waits_for_orders(app: App) -> None:
    orders: asyncio.Queue[int] = asyncio.Queue()

    await app.ask()
    while await orders.get():
        await app.run()


@task(idle=True)
async def a_worker_that_waits_with_a_time_out(app: App) -> None:
    orders: asyncio.Queue[int] = asyncio.Queue()

    await app.ask()
    await asyncio.wait_for(orders.get(), 100)
    await app.end()


@row("asyncio", "uvloop", "trio", idle=True)
async def workers_that_wait_for_an_event(app: App) -> None:
    event, lock = anyio.Event(), anyio.Lock()

    async def work() -> None:
        await app.ask()
        async with lock:
            await event.wait()
        await app.end()

    for _ in range(2):
        app.start(work)


@task(idle=True)
async def a_worker_that_waits_for_a_future(app: App) -> None:
    await app.ask()
    await asyncio.get_running_loop().create_future()
    await app.end()


@row("threads", idle=True, streams=1)
def a_thread_that_waits_for_orders(app: App) -> None:
    orders: queue.Queue[int] = queue.Queue()

    def work() -> None:
        app.ask_sync()
        while orders.get():
            app.run_sync()

    app.thread(work, lambda: orders.put(0))


@row("threads", idle=True, streams=1)
def a_thread_that_polls_its_queue(app: App) -> None:
    orders: queue.Queue[int] = queue.Queue()
    stop = threading.Event()

    def work() -> None:
        app.ask_sync()
        while not stop.is_set():
            with contextlib.suppress(queue.Empty):
                orders.get(timeout=W)

    app.thread(work, stop.set)


@row(idle=True)
async def a_task_whose_thread_waits_for_orders(app: App) -> None:
    orders: queue.Queue[int] = queue.Queue()

    async def work() -> None:
        await app.ask()
        await asyncio.to_thread(orders.get)

    app.task(work())
    app.stack.callback(orders.put, 0)


@row("asyncio", "uvloop", "trio", idle=True)
async def a_task_whose_thread_of_anyio_waits_for_orders(app: App) -> None:
    orders: queue.Queue[int] = queue.Queue()

    async def work() -> None:
        await app.ask()
        await anyio.to_thread.run_sync(orders.get)

    app.start(work)
    app.stack.callback(orders.put, 0)


@task(idle=True)
async def a_library_that_receives(app: App) -> None:
    """As a WebSocket's handler."""
    library = as_library(
        """
        import asyncio

        class Socket:
            async def receive_text(self):
                return await asyncio.get_running_loop().create_future()
        """
    )

    await app.ask()
    await library.Socket().receive_text()
    await app.end()


@row(idle=True)
async def a_timer_of_a_library(app: App) -> None:
    library = as_library(
        """
        import asyncio

        async def tick():
            while True:
                await asyncio.sleep(0.001)

        def start():
            return asyncio.create_task(tick())
        """
    )
    app.tasks.append(library.start())
    app.task(app.ask())


@row(idle=True, background=("*never*",))
async def a_ticker_that_is_named(app: App) -> None:
    app.task(never())


@row(idle=True, background=("*prices*",), hold=True)
async def a_function_that_is_named_and_its_open_stream(app: App) -> None:
    async def prices() -> None:
        await app.run()

    app.task(prices())
    await asyncio.sleep(0)


@row(idle=True, background=(URL,))
async def a_url_that_is_named(app: App) -> None:
    async def watch() -> None:
        while True:
            await app.ask()
            await asyncio.sleep(W)

    app.task(watch())
    await asyncio.sleep(W)


@row("threads", idle=True, background=("*ticker*",))
def a_thread_that_is_named(app: App) -> None:
    stop = threading.Event()

    def ticker() -> None:
        while not stop.is_set():
            time.sleep(W)

    app.thread(ticker, stop.set)


@row(idle=True)
async def a_task_older_than_the_block(app: App) -> None:
    """The waiter's own caller, too."""
    old = asyncio.current_task()
    assert old is not None


# Given to `track`: what the rule leaves out.


@row()
async def call_later_that_is_tracked(app: App) -> None:
    loop = asyncio.get_running_loop()
    done = track(loop.create_future())
    loop.call_later(W, lambda: (app.page.add(END), done.set_result(None)))


@task()
async def a_future_that_call_later_sets(app: App) -> None:
    loop = asyncio.get_running_loop()
    done = track(loop.create_future())
    loop.call_later(W, done.set_result, None)

    await done
    await app.end()


@row(idle=True)
async def a_server_of_the_application(app: App) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await app.ask()
        await reader.readline()
        writer.close()
        await writer.wait_closed()
        over.set()

    over = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    app.stack.callback(server.close)
    app.stack.push_async_callback(over.wait)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    app.stack.callback(writer.close)
    await asyncio.sleep(W)
