"""A Textual app, rendered: its workers, messages and scrolls, without any stream."""

import asyncio
import threading

import pytest
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, Label
from textual.worker import WorkerFailed

from aquila_cassette.errors import RenderTimeout, UsageError
from aquila_cassette.live import render_async
from aquila_cassette.live.adapter import adapter_for


class Told(App[None]):
    """Runs what a test tells it, in workers and handlers."""

    def compose(self) -> ComposeResult:
        yield Label("", id="said", markup=False)
        yield Input(placeholder="Ask")

    def say(self, text: str) -> None:
        self.query_one("#said", Label).update(text)


async def test_the_screen_is_read_as_people_see_it() -> None:
    async with Told().run_test(size=(40, 5)) as pilot:
        pilot.app.say("<b> & [b]  two spaces\n你好 then \x1b more")  # type: ignore[attr-defined]
        assert (await render_async(pilot)).split("\n")[:2] == [
            "<b> & [b]  two spaces",
            "你好 then \x1b more",
        ]


async def test_running_workers_are_pending_until_their_end_is_drawn() -> None:
    app, go = Told(), threading.Event()

    def work_in_a_thread() -> None:
        go.wait()
        app.call_from_thread(app.say, "it worked")

    async with app.run_test() as pilot:
        adapter = adapter_for(pilot)
        app.run_worker(work_in_a_thread, name="stream", thread=True)
        await adapter.settle()
        (pending,) = adapter.pending()
        assert pending.what == "worker 'stream' of Told"
        assert isinstance(pending.driver, asyncio.Task)
        assert "it worked" not in await adapter.render()
        go.set()
        assert "it worked" in await render_async(pilot)


async def test_cancelled_workers_are_not_pending_and_nobody_who_waits_cancels_one() -> None:
    app, never = Told(), asyncio.Event()

    async def work() -> None:
        await never.wait()

    async with app.run_test():
        worker = app.run_worker(work(), name="stream")
        with pytest.raises(RenderTimeout) as late:
            await render_async(app, timeout=0.1)
        assert late.value.facts == ("pending: worker 'stream' of Told",)
        assert worker.is_running
        worker.cancel()
        await render_async(app)
        assert worker.is_finished


class Hop(Message):
    def __init__(self, left: int) -> None:
        self.left = left
        super().__init__()


class Relay(Told):
    """Follows each message by another, after a wait."""

    async def on_hop(self, hop: Hop) -> None:
        await asyncio.to_thread(lambda: None)
        self.say(f"hop {hop.left}")
        if hop.left:
            self.post_message(Hop(hop.left - 1))


async def test_messages_that_follow_from_messages_are_handled_and_drawn() -> None:
    async with Relay().run_test() as pilot:
        for _ in range(5):
            pilot.app.post_message(Hop(9))
            assert "hop 0" in await render_async(pilot)
            pilot.app.say("-")  # type: ignore[attr-defined]


class Broken(Told):
    """Fails in a message handler, or in a worker."""

    def on_hop(self, hop: Hop) -> None:
        if hop.left:
            self.run_worker(self.fail())
        else:
            raise LookupError("out of luck")

    async def fail(self) -> None:
        raise LookupError("out of luck")


@pytest.mark.parametrize("in_worker", [False, True])
async def test_the_error_of_a_worker_or_handler_is_raised_when_the_app_is_rendered(
    in_worker: bool,
) -> None:
    app, raised = Broken(), None
    with pytest.raises((LookupError, WorkerFailed)):  # by Textual, when the app ends
        async with app.run_test():
            app.post_message(Hop(in_worker))
            try:
                await render_async(app)
            except LookupError as error:
                raised = error
    assert repr(raised) == "LookupError('out of luck')"


async def test_an_app_that_does_not_run_is_refused() -> None:
    with pytest.raises(UsageError, match="Told does not run"):
        await render_async(Pilot(Told()))


class Dashboard(Told):
    """Draws what a task has left, a few times a second."""

    text = ""

    def on_mount(self) -> None:
        self.set_interval(0.05, lambda: self.say(self.text))
        self.set_interval(60, lambda: self.say("a minute later"))

    async def work(self) -> None:
        await asyncio.to_thread(lambda: None)
        self.text = "it worked"


async def test_a_timer_that_redraws_has_drawn_the_last_change() -> None:
    app = Dashboard()
    async with app.run_test():
        app.run_worker(app.work())
        assert "it worked" in await render_async(app)


class Gauge(Label):
    """Reads its text when it is drawn, which a timer of Textual's own has it do."""

    def on_mount(self) -> None:
        self.auto_refresh = 60

    def render(self) -> str:
        return str(vars(self.app).get("text", "nothing yet"))


async def test_a_widget_that_refreshes_itself_shows_the_last_change() -> None:
    class Page(App[None]):
        def compose(self) -> ComposeResult:
            yield Gauge()

    async with Page().run_test() as pilot:
        assert "it worked" not in await render_async(pilot)
        pilot.app.text = "it worked"  # type: ignore[attr-defined]
        assert "it worked" in await render_async(pilot)
