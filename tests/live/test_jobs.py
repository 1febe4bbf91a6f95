"""Jobs: in the background, one of a name at a time, each with one outcome."""

import asyncio
import logging
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest
import trio

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient, Client, StreamRef
from aquila_cassette.errors import StreamError, UsageError
from aquila_cassette.live import Completed, Exited, Failed, Outcome, View
from aquila_cassette.provider import Provider
from aquila_cassette.waiting.notifier import notifier
from tests.live.loops import in_each_loop, settled
from tests.live.rows import seed_row
from tests.live.script import Script, chunk


class Bench(View):
    """A view that runs whatever job it is given, and keeps the outcomes."""

    def mount(self) -> None:
        self.outcomes: list[tuple[str, Outcome]] = []

    def handle_event(self, name: str, params: Any) -> None:
        self.start_async(name, params)

    def handle_async(self, name: str, outcome: Outcome) -> None:
        self.outcomes.append((name, outcome))


class Held:
    """A job that waits until it is let go, and tells how it was left."""

    def __init__(self, value: object = None) -> None:
        self.go = anyio.Event()
        self.started = anyio.Event()
        self.left = anyio.Event()
        self._value = value

    async def run(self) -> object:
        self.started.set()
        try:
            await self.go.wait()
        finally:
            self.left.set()
        return self._value


@seed_row(17, 18, 34)
@in_each_loop
async def test_a_job_that_returns_is_completed_and_one_that_raises_has_failed_or_exited(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream_error, error = StreamError("Overloaded", kind="provider"), KeyError("no such thing")

    async def complete() -> tuple[str, str]:
        return "a ref", "Hello"

    async def fail(with_error: Exception) -> None:
        raise with_error

    async with Bench.mounted() as view:
        for job in (partial(fail, error), partial(fail, stream_error), complete):
            await view.event("job", job)
            await settled(view)
    assert view.outcomes == [
        ("job", Exited(error)),
        ("job", Failed(stream_error)),
        ("job", Completed(("a ref", "Hello"))),
    ]
    record, _ = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.getMessage() == "job 'job' of Bench raised KeyError('no such thing')."
    assert record.exc_info is not None


@seed_row(17)
@pytest.mark.parametrize("how", ["cut", "raised", "cancelled"])
@in_each_loop
async def test_an_outcome_has_the_ref_of_its_stream_and_what_came_until_then(how: str) -> None:
    script, ref = Script(), StreamRef()
    script.say("Hello", chunk("Hel"))
    came = anyio.Event()

    async def job() -> None:
        async with script.client() as client, client.stream("Hello", ref=ref) as stream:
            async for _ in stream:
                came.set()
                if how == "raised":
                    raise KeyError("no such thing")
            await stream.result()

    async with Bench.mounted() as view:
        await view.event("job", job)
        await came.wait()
        if how == "cancelled":
            view.cancel_async("job")
        elif how == "cut":
            script.end("Hello")
        await settled(view)
        ((_, outcome),) = view.outcomes
    one = outcome.error if how == "cut" else outcome
    assert type(outcome) is (Failed if how == "cut" else Exited)
    assert one.ref is ref
    assert one.text == "Hel"
    assert one.meta.response_id == "c_1"


async def test_a_future_that_was_cancelled_is_no_cancelled_job() -> None:
    async def wait() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    async with Bench.mounted() as view:
        await view.event("job", wait)
        await settled(view)
        ((_, outcome),) = view.outcomes
        assert isinstance(outcome.reason, asyncio.CancelledError)


@seed_row(18)
@in_each_loop
async def test_a_cancelled_job_has_exited_with_the_reason_when_it_has_left() -> None:
    async with Bench.mounted() as view:
        for reason in ("cancelled", "stopped"):
            held = Held()
            await view.event("job", held.run)
            await held.started.wait()
            view.cancel_async("job", *[reason] * (reason != "cancelled"))
            assert not held.left.is_set()
            await settled(view)
            assert held.left.is_set()
            assert view.outcomes.pop() == ("job", Exited(reason))
        view.cancel_async("job")
        view.cancel_async("another")
        await settled(view)
        assert view.outcomes == []


@seed_row(18)
@in_each_loop
async def test_a_job_that_is_cancelled_while_its_outcome_waits_has_exited() -> None:
    class Slow(Bench):
        async def handle_event(self, name: str, params: Any) -> None:
            self.start_async(name, params)
            while any("job 'job'" in one.what for one in self.pending()):
                await notifier.wait(notifier.count)
            self.cancel_async(name, "too late")

    held = Held("a value")
    held.go.set()
    async with Slow.mounted() as view:
        await view.event("job", held.run)
        await settled(view)
    assert view.outcomes == [("job", Exited("too late"))]


@in_each_loop
async def test_a_job_that_nobody_handles_fails_the_view_and_a_cancelled_one_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Careless(View):
        def handle_event(self, name: str, params: Any) -> None:
            self.start_async(name, params)

    async def fail() -> None:
        raise KeyError("lost")

    async with Careless.mounted() as view:
        await view.event("held", Held().run)
        view.cancel_async("held")
        await settled(view)
        await view.event("job", fail)
        with pytest.raises(KeyError, match="lost"):
            await settled(view)
        assert view.take_failure() is None
        assert len([one for one in caplog.records if one.levelno >= logging.ERROR]) == 1


@in_each_loop
async def test_a_thread_that_is_cancelled_is_let_go_and_a_closed_view_starts_no_job() -> None:
    def wait() -> str:
        assert go.wait(10)
        return "too late"

    go = threading.Event()
    async with Bench.mounted() as view:
        await view.event("job", wait)
        view.cancel_async("job")
        with anyio.fail_after(5):
            await settled(view)
        assert view.outcomes == [("job", Exited("cancelled"))]
        await view.event("job", wait)
    go.set()
    assert len(view.outcomes) == 1
    with pytest.raises(UsageError, match="needs Bench to be mounted"):
        view.start_async("job", wait)


@in_each_loop
async def test_a_job_cannot_close_the_view_that_would_wait_for_it() -> None:
    async with Bench.mounted() as view:
        await view.event("job", view.aclose)
        await settled(view)
        ((_, outcome),) = view.outcomes
        assert "aclose was called inside job 'job' of Bench" in str(outcome.reason)


@seed_row(21)
@in_each_loop
async def test_a_job_of_the_same_name_supersedes_the_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second, other = Held("first"), Held("second"), Held("other")
    async with Bench.mounted() as view:
        await view.event("job", first.run)
        await view.event("other", other.run)
        await first.started.wait()
        await view.event("job", second.run)
        with anyio.fail_after(5):
            await first.left.wait()
        second.go.set()
        other.go.set()
        await settled(view)
    assert sorted(view.outcomes) == [("job", Completed("second")), ("other", Completed("other"))]
    assert caplog.messages == []


@seed_row(26)
@in_each_loop
async def test_three_jobs_are_waited_for_without_a_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> Any:
        raise AssertionError("nothing may sleep here")

    for module in (anyio, asyncio, trio, time):
        monkeypatch.setattr(module, "sleep", refuse)
    one, two, go = Held(1), Held(2), threading.Event()

    def third() -> int:
        assert go.wait(10)
        return 3

    async with Bench.mounted() as view:
        for name, job in (("one", one.run), ("two", two.run), ("three", third)):
            await view.event(name, job)
        await one.started.wait()
        pending = view.pending()
        assert [job.what for job in pending] == [
            f"job {name!r} of Bench" for name in ("one", "two", "three")
        ]
        for name, let_go in (("two", two.go.set), ("three", go.set), ("one", one.go.set)):
            assert name not in dict(view.outcomes)
            let_go()
            await notifier.until(lambda name=name: name in dict(view.outcomes))  # type: ignore[misc]
        await settled(view)
        assert view.outcomes == [
            (n, Completed(v)) for n, v in (("two", 2), ("three", 3), ("one", 1))
        ]


@seed_row(24)
@in_each_loop
async def test_the_cassette_of_the_test_is_in_force_in_jobs_their_tasks_and_threads(
    tmp_path: Path,
) -> None:
    async def in_a_grandchild(client: dict[str, Any]) -> str:
        texts: list[str] = []

        async def ask() -> None:
            async with AsyncClient(**client) as one:
                texts.append((await one.ask("in a task")).text)

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
        return texts[0]

    def in_a_thread(client: dict[str, Any]) -> str:
        with Client(**client) as one:
            return one.ask("in a thread").text

    async def run(view: Bench, mode: Any, url: str) -> list[tuple[str, Outcome]]:
        client = {"base_url": f"{url}/v1", "model": "gpt-4o-mini"}
        async with aquila_cassette("jobs", mode=mode, cassette_dir=tmp_path) as cassette:
            await view.event("task", partial(in_a_grandchild, client))
            await view.event("thread", partial(in_a_thread, client))
            await settled(view)
            assert len(cassette.interactions) == 2
        outcomes, view.outcomes = sorted(view.outcomes), []
        assert [type(outcome) for _, outcome in outcomes] == [Completed, Completed]
        return outcomes

    with Provider(gap=0) as provider:
        async with Bench.mounted() as view:  # mounted outside of the cassette
            recorded = await run(view, "once", provider.url)
    async with Bench.mounted() as view:
        assert await run(view, "none", provider.url) == recorded
