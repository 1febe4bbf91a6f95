"""What `render_async`, `render_sync`, `wait_settled` and `cassette.settled` wait for, and say."""

import asyncio
import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import anthropic
import anyio
import anyio.to_thread
import httpx
import pytest

from aquila_cassette import MissError, Piece, RenderTimeout, UsageError, aquila_cassette
from aquila_cassette.client import AsyncClient, Client
from aquila_cassette.live import View, render_async, render_sync, track, wait_settled
from aquila_cassette.waiting.idle import Idle
from tests.http.cassettes import lay, streamed
from tests.live.loops import WORK, Page
from tests.live.rows import seed_row
from tests.live.script import DONE, chunk

HERE = Path(__file__).relative_to(Path.cwd()).as_posix()
URL = "http://127.0.0.1:8199/v1/chat/completions"
BODY = {
    "model": "gpt-4o-mini",
    "stream": True,
    "messages": [{"role": "user", "content": "Say hello"}],
}
FRAMES = chunk("Hel") + chunk("lo") + chunk("!", "stop") + DONE


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, with one cassette that answers the same request any number of times."""
    monkeypatch.delenv("AQUILA_RECORD", raising=False)
    monkeypatch.setenv("AQUILA_CASSETTE_DIR", str(tmp_path))
    lay("hello", streamed(Piece(0, FRAMES), url=URL, asked=BODY))


def hello(**options: Any) -> Any:
    return aquila_cassette("hello", mode="none", repeats=True, on_unplayed="ignore", **options)


@contextmanager
def running(work: Callable[[], object]) -> Iterator[None]:
    """Run `work` in a thread for the time of a block."""
    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join()


async def ask(page: Page) -> None:
    async with httpx.AsyncClient(verify=False) as client:
        async with client.stream("POST", URL, json=BODY) as response:
            page.lines.append("")
            async for line in response.aiter_lines():
                page.lines[-1] += line


def ask_sync(page: Page) -> None:
    with httpx.Client(verify=False) as client, client.stream("POST", URL, json=BODY) as response:
        page.lines.append("".join(response.iter_lines()))


async def in_group(work: Callable[[], None]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.wait_for(asyncio.to_thread(work), 10))


async def in_shielded_task(work: Callable[[], None]) -> None:
    await asyncio.gather(asyncio.shield(asyncio.create_task(in_group(work))))


@pytest.mark.parametrize("wait", [asyncio.to_thread, anyio.to_thread.run_sync, in_shielded_task])
@pytest.mark.parametrize("is_python", [False, True])
def test_what_the_code_awaits_is_waited_for_before_and_after_it_has_asked(
    wait: Callable[[Callable[[], None]], Any], is_python: bool
) -> None:
    page = Page()

    def work() -> None:
        time.sleep(WORK)
        ask_sync(page)

    async def handler() -> None:
        await wait(work)
        await asyncio.wait_for(asyncio.create_task(ask(page)), 10)
        await asyncio.sleep(WORK)
        page.lines.append("saved")

    async def main() -> str:
        if is_python:  # tasks are no `asyncio.Task` then, as all are under nest_asyncio
            asyncio.get_running_loop().set_task_factory(
                lambda loop, coroutine, **more: asyncio.tasks._PyTask(coroutine, loop=loop, **more)  # type: ignore[attr-defined]
            )
        with hello():
            task = asyncio.create_task(handler())
            shown: str = await asyncio.create_task(render_async(page))
            await task
        return shown

    assert asyncio.run(main()).endswith("saved")
    assert len(page.lines) == 3


async def test_a_stream_that_nobody_reads_any_more_is_not_waited_for() -> None:
    page, kept, orders = Page(), list[Any](), asyncio.Queue[int]()

    async def handler(client: httpx.AsyncClient) -> None:
        request = client.build_request("POST", URL, json=BODY)
        response = await client.send(request, stream=True)
        pieces = response.aiter_raw()
        page.lines.append((await anext(pieces)).decode())
        kept.extend([response, pieces])
        await asyncio.sleep(WORK)
        page.lines.append("enough")

    async def pump() -> None:
        async with httpx.AsyncClient(verify=False) as client:
            while await orders.get():
                await handler(client)
            await kept[0].aclose()

    with hello():
        task = asyncio.create_task(pump())
        orders.put_nowait(1)
        assert (await render_async(page)).endswith("enough")
        orders.put_nowait(0)
        await task


@seed_row(27)
async def test_the_time_out_lists_what_goes_on_and_where_its_reader_waits() -> None:
    page = Page()

    async def slow() -> None:
        await ask(page)
        await asyncio.sleep(100)

    with hello():
        task = asyncio.create_task(slow())
        with pytest.raises(RenderTimeout) as raised:
            await render_async(page, timeout=0.2)
        task.cancel()
    line = slow.__code__.co_firstlineno + 2
    assert str(raised.value) == (
        "render_async: 1 thing still going on after 0.2 s.\n"
        f"  pending: {HERE}:{line} in {slow.__qualname__}\n"
        "Fix: end it, name what stays open on purpose to background=(...), or wait longer: "
        "render_async(..., timeout=...)"
    )


async def test_what_stays_open_on_purpose_is_not_waited_for() -> None:
    page = Page()

    async def watch_prices() -> None:
        while True:
            await ask(page)
            await asyncio.sleep(WORK)

    async def held_open() -> None:
        await ask(page)
        await asyncio.sleep(100)

    with hello(background=("*watch_prices*", "*held_open*")):
        tasks = [asyncio.create_task(work()) for work in (watch_prices, held_open)]
        await render_async(page)
        for task in tasks:
            task.cancel()
    with hello(background=(URL,)):
        task = asyncio.create_task(watch_prices())
        await render_async(page)
        task.cancel()


async def test_once_waits_for_what_goes_on_now_only() -> None:
    page = Page()

    async def chain(left: int) -> None:
        await ask(page)
        await asyncio.sleep(WORK)
        if left:
            tasks.append(asyncio.create_task(chain(left - 1)))

    tasks: list[Any] = []
    with hello():
        tasks.append(asyncio.create_task(chain(3)))
        await asyncio.sleep(0)
        await render_async(page, once=True)
        assert len(page.lines) < 4
        await render_async(page)
        assert len(page.lines) == 4


async def test_a_miss_is_raised_at_once_and_not_after_the_retries_of_an_sdk() -> None:
    async def handler() -> None:
        async with anthropic.AsyncAnthropic(api_key="sk-own", max_retries=2) as client:
            await client.messages.create(model="m", max_tokens=10, messages=[])

    with pytest.raises(MissError, match="No interaction matches POST https://api"):
        with hello():
            task = asyncio.create_task(handler())
            try:
                await render_async(Page())
            finally:
                with pytest.raises(MissError):
                    await task


async def test_a_tracked_job_is_waited_for_and_what_it_raised_is_raised() -> None:
    page = Page()

    async def job() -> None:
        await asyncio.sleep(WORK)
        raise LookupError("no such thing")

    track(asyncio.create_task(job()))
    with pytest.raises(LookupError, match="no such thing"):
        await render_async(page)
    with ThreadPoolExecutor() as pool:
        track(pool.submit(lambda: (time.sleep(WORK), page.lines.append("done"))))
        assert await render_async(page) == "done"
    with pytest.raises(UsageError, match="'job' cannot be tracked"):
        track("job")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("in_thread", [False, True])
async def test_what_a_task_or_thread_raises_and_nobody_retrieves_is_raised_once_by_its_own_block(
    in_thread: bool,
) -> None:
    def fail_sync() -> None:
        ask_sync(Page())
        raise LookupError("no such thing")

    async def fail() -> None:
        await ask(Page())
        raise LookupError("no such thing")

    with hello():
        task = None if in_thread else asyncio.create_task(fail())
        with running(fail_sync) if in_thread else nullcontext():
            with pytest.raises(LookupError, match="no such thing"):
                await render_async(Page(), streams=1)
        await render_async(Page())
        failing = asyncio.create_task(fail())
        await asyncio.wait([failing])
    with hello():
        await ask(Page())
        await render_async(Page())
    del task, failing


async def test_what_is_retrieved_is_not_raised() -> None:
    async def fail() -> None:
        await ask(Page())
        raise LookupError("no such thing")

    async def handler() -> None:
        with contextlib.suppress(LookupError):
            await asyncio.create_task(fail())
        assert isinstance((await asyncio.gather(fail(), return_exceptions=True))[0], LookupError)

    with hello():
        task = asyncio.create_task(handler())
        await render_async(Page())
        assert task.done()


async def test_advance_waits_for_who_shows_the_events_and_not_for_held_streams() -> None:
    page, events = Page(), asyncio.Queue[str]()

    async def read() -> None:
        async with httpx.AsyncClient(verify=False) as client:
            async with client.stream("POST", URL, json=BODY) as response:
                async for line in response.aiter_lines():
                    await events.put(line)

    async def show() -> None:
        while True:
            line = await events.get()
            await asyncio.sleep(WORK)
            page.lines += [line] if line else []

    with hello(hold=True) as cassette:
        tasks = [asyncio.create_task(work()) for work in (read, read, show)]
        for number in range(1, 4):
            await cassette.advance(of=1)
            assert len(page.lines) == number
        cassette.release()
        await render_async(page)
        assert len(page.lines) == 8
        tasks[-1].cancel()


@seed_row(26)
async def test_the_wait_looks_at_no_clock_and_asks_for_the_state_only_after_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    page, done = Page(), asyncio.Event()

    async def job() -> None:
        await asyncio.to_thread(release.wait)
        page.lines.append("done")

    async def look_later() -> None:
        await asyncio.to_thread(time.sleep, 0.2)
        done.set()
        release.set()

    original, release = Idle._pending_drivers, threading.Event()

    async def counted(self: Any, **how: Any) -> Any:
        nonlocal looks
        looks += not done.is_set()
        return await original(self, **how)

    monkeypatch.setattr(Idle, "_pending_drivers", counted)
    monkeypatch.setattr(anyio, "sleep", forbidden)
    with hello():
        tasks = [asyncio.create_task(work()) for work in (job, look_later)]
        try:
            assert await render_async(page) == "done"
        finally:
            release.set()
        await asyncio.gather(*tasks)
    assert looks < 12  # in 0.2 s


async def forbidden(*_: object) -> None:
    raise AssertionError("the wait sleeps")


@seed_row(19)
async def test_of_a_view_only_its_own_jobs_and_what_they_started_are_waited_for() -> None:
    class Slow(View):
        async def handle_event(self, name: str, params: Any) -> None:
            self.start_async(name, getattr(self, name), params)

        async def leave(self, page: Page) -> None:
            async def save() -> None:
                await ask(page)
                await asyncio.sleep(WORK)
                page.lines.append("saved")

            tasks.append(asyncio.create_task(save()))

        async def held(self, go: asyncio.Event) -> None:
            await go.wait()

    page, go, tasks = Page(), asyncio.Event(), list[Any]()
    with hello():
        async with Slow.mounted() as one, Slow.mounted() as other:
            await other.event("held", go)
            await one.event("leave", page)
            await render_async(one, timeout=2)
            assert page.lines[-1] == "saved"
            with pytest.raises(RenderTimeout, match="job 'held' of Slow"):
                await render_async(other, timeout=0.05)
            go.set()


async def test_a_number_of_streams_is_waited_for_and_needs_an_open_cassette() -> None:
    with pytest.raises(UsageError, match="streams=1 needs an open cassette"):
        await render_async(Page(), streams=1)
    with hello(), pytest.raises(RenderTimeout, match="pending: a stream that has not started"):
        await render_async(Page(), streams=1, timeout=0.05)


CLIENT = {
    "transport": httpx.MockTransport(
        lambda _request: httpx.Response(
            200, headers={"content-type": "text/event-stream"}, content=FRAMES
        )
    )
}


def test_a_thread_of_our_sync_client_is_waited_for() -> None:
    lines, begun = list[str](), threading.Event()

    def work() -> None:
        for event in Client(httpx.Client(**CLIENT), model="gpt-4o-mini").stream("Say hello"):
            begun.set()
            lines.append(repr(event))
        time.sleep(WORK)
        lines.append("saved")

    with running(work):
        begun.wait()
        wait_settled()
        assert lines[-1] == "saved"


def test_the_event_loop_of_our_client_is_forgotten_when_it_is_over() -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def work() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        http = httpx.AsyncClient(**CLIENT)
        assert (await AsyncClient(http, model="gpt-4o-mini").ask("Say hello")).text == "Hello!"

    asyncio.run(work())
    gc.collect()
    assert loops[0]() is None


# From threads.


def test_render_sync_waits_for_tasks_of_an_event_loop_in_another_thread() -> None:
    page = Page()

    async def handler() -> None:
        await asyncio.wait_for(ask(page), 10)
        await asyncio.sleep(WORK)
        page.lines.append("saved")

    with contextlib.closing(asyncio.new_event_loop()) as loop, hello(), running(loop.run_forever):
        asyncio.run_coroutine_threadsafe(handler(), loop)
        assert render_sync(page, streams=1).endswith("saved")
        loop.call_soon_threadsafe(loop.stop)


def test_a_thread_that_was_notified_is_waited_for_although_it_does_not_run_yet() -> None:
    page, condition, waits = Page(), threading.Condition(), threading.Event()

    def work() -> None:
        with condition:
            waits.set()
            condition.wait()
        page.lines.append("whole")

    with hello(), running(work):
        waits.wait()
        with condition:  # so it waits now
            assert render_sync(page) == ""
            condition.notify()
            with pytest.raises(RenderTimeout):
                render_sync(page, timeout=0.05)
        assert render_sync(page) == "whole"


def test_a_thread_that_is_about_to_run_an_event_loop_is_waited_for() -> None:
    page, begins, gate = Page(), threading.Event(), threading.Lock()

    class Loop(asyncio.SelectorEventLoop):
        def run_until_complete(self, future: Any) -> Any:
            begins.set()
            with gate:
                return super().run_until_complete(future)

    async def show() -> None:
        page.lines.append("whole")

    def work() -> None:
        with asyncio.Runner(loop_factory=Loop) as runner:
            runner.run(show())

    with hello(), gate, running(work):
        begins.wait()
        with pytest.raises(RenderTimeout):
            render_sync(page, timeout=0.05)
        gate.release()
        assert render_sync(page) == "whole"
        gate.acquire()


def test_a_thread_whose_event_loop_serves_others_is_not_waited_for() -> None:
    page, begun, end = Page(), threading.Event(), threading.Event()

    async def serve() -> None:
        task = asyncio.create_task(ask(page))
        begun.set()
        await asyncio.to_thread(end.wait)
        await task

    with hello(), running(lambda: asyncio.run(serve())):
        begun.wait()
        wait_settled(streams=1, timeout=2)
        assert len(page.lines) == 1
        end.set()


async def test_the_sync_forms_are_refused_in_an_event_loop() -> None:
    with pytest.raises(UsageError, match="render_sync was called in an event loop"):
        render_sync(Page())


# cassette.settled, and the end of `async with`.


@pytest.mark.parametrize("is_late", [False, True])
async def test_settled_and_async_with_let_a_tool_loop_make_its_next_request(is_late: bool) -> None:
    async def loop() -> None:
        if is_late:
            await asyncio.sleep(WORK)
        for _ in range(3):
            await ask(Page())
            await asyncio.sleep(WORK)

    async with hello() as cassette:
        task = asyncio.create_task(loop())
        if is_late:
            await cassette.settled(streams=1)
            assert task.done()
        await asyncio.sleep(0)
    assert task.done()
    assert len(cassette.played) == 3


def test_blocks_leave_the_methods_that_they_wrap_as_they_were() -> None:
    with aquila_cassette("unused", mode="none", on_unplayed="ignore"):
        pass  # the first block patches libraries for good
    before = vars(threading.Thread)["start"]
    for _ in range(3):
        patch = mock.patch.object(threading.Thread, "start", lambda thread: before(thread))
        with aquila_cassette("unused", mode="none", on_unplayed="ignore"):
            patch.start()
        patch.stop()  # which puts back what the block had wrapped
    with aquila_cassette("unused", mode="none", on_unplayed="ignore"):
        assert vars(threading.Thread)["start"].__wrapped__ is before
    assert vars(threading.Thread)["start"] is before
    other = mock.patch.object(threading.Thread, "start", lambda thread: before(thread))
    other.start()
    with aquila_cassette("unused", mode="none", on_unplayed="ignore"):
        other.stop()  # which takes out what the block has wrapped
    with aquila_cassette("unused", mode="none", on_unplayed="ignore"):
        assert vars(threading.Thread)["start"].__wrapped__ is before
