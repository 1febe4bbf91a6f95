"""Components: parts of a view, in its event loop and inbox."""

import threading
from typing import Any

import anyio
import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.live import Completed, Component, Exited, Outcome, View
from tests.live.loops import in_each_loop, refused, settled
from tests.live.rows import seed_row


class Counter(Component):
    """Counts its clicks."""

    temporary_assigns = {"fresh": []}  # noqa: RUF012 - as its users write it

    def mount(self) -> None:
        self.assign(count=0, label="", threads={threading.get_ident()})

    async def handle_event(self, name: str, params: Any) -> None:
        before = self.assigns.count
        await anyio.lowlevel.checkpoint()
        # No other handler of the view or its components has run meanwhile.
        self.assign(count=before + 1)
        self.update("threads", lambda threads: {*threads, threading.get_ident()})
        self.update("fresh", lambda fresh: [*fresh, before + 1])

    def render(self) -> str:
        return f"{self.assigns.label} {self.assigns.count}"


class Panel(View):
    """Two counters, and whatever they told it."""

    def mount(self) -> None:
        self.assign(told=[])
        self.component(Counter, "left", label="Left:")
        self.component(Counter, "right", label="Right:")

    def handle_event(self, name: str, params: Any) -> None:
        self.component(*params)

    def handle_info(self, message: Any) -> None:
        self.update("told", lambda told: [*told, message])

    def render(self) -> str:
        return ", ".join(component.render() for component in self.components.values())


@seed_row(23)
@in_each_loop
async def test_a_component_shares_the_loop_and_the_inbox_of_its_view() -> None:
    async with Panel.mounted() as view:
        left = view.components["left"]
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(left.event, "click")
        assert left.assigns.fresh == [1, 2, 3, 4, 5]
        assert await view.rendered() == "Left: 5, Right: 0"
        assert left.assigns.fresh == []
        assert left.assigns.threads == {threading.get_ident()}
        left.send("from the left")
        await settled(view)
        assert view.assigns.told == ["from the left"]
        left.put_flash("info", "Counted.")
        left.push_event("counted", {"count": 5})
        assert (view.flash["info"], view.pushed[0].name) == ("Counted.", "counted")


@seed_row(30)
@in_each_loop
async def test_an_update_that_is_sent_changes_its_target_only() -> None:
    async with Panel.mounted() as view:
        left, right = view.components.values()
        before = dict(right.assigns)
        view.send_update(left, label="West:")
        await settled(view)
        assert left.assigns.label == "West:"
        assert dict(right.assigns) == before
        view.send_update("right", label="East:", count=3)
        await settled(view)
        assert await view.rendered() == "West: 0, East: 3"


@seed_row(30)
@in_each_loop
async def test_an_unknown_component_and_an_id_of_another_class_are_refused() -> None:
    async with Panel.mounted() as view, Panel.mounted() as other:
        for target in ("middle", other.components["left"]):
            with pytest.raises(UsageError, match="Panel has no component"):
                view.send_update(target, label="?")
        with refused("Counter 'left' of Panel is no Worker.", "Fix: use another id"):
            await view.event("add", (Worker, "left"))


class Worker(Component):
    """Keeps how its jobs ended."""

    def mount(self) -> None:
        self.assign(outcomes=[])

    def handle_event(self, name: str, params: Any) -> None:
        if name == "cancel":
            self.cancel_async("job")
        else:
            self.start_async("job", params)

    def handle_async(self, name: str, outcome: Outcome) -> None:
        self.update("outcomes", lambda outcomes: [*outcomes, outcome])


class Workshop(View):
    def mount(self) -> None:
        self.workers = [self.component(Worker, name) for name in ("one", "two")]


@in_each_loop
async def test_components_have_their_own_jobs_of_the_same_name_which_their_view_waits_for() -> None:
    async def work() -> str:
        await anyio.lowlevel.checkpoint()
        return "done"

    async with Workshop.mounted() as view:
        one, two = view.workers
        await one.event("work", anyio.sleep_forever)
        await two.event("work", anyio.sleep_forever)
        assert [job.what for job in view.pending()] == [
            "job 'job' of Worker 'one' of Workshop",
            "job 'job' of Worker 'two' of Workshop",
        ]
        await one.event("cancel")
        await two.event("work", work)
        await settled(view)
        assert one.assigns.outcomes == [Exited("cancelled")]
        assert two.assigns.outcomes == [Completed("done")]
        await one.event("work", anyio.sleep_forever)
    assert view.pending() == []
