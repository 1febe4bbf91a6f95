"""A view: one inbox, one handler at a time, and what is shown after each."""

import gc
import logging
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.to_thread
import pytest

from aquila_cassette.errors import UsageError
from aquila_cassette.live import View, assert_flash, assert_push_event, render_async
from aquila_cassette.waiting.pending import sources
from tests.live.loops import in_each_loop, refused, settled, until
from tests.live.rows import seed_row


class Notes(View):
    """A view that notes what happens."""

    async def mount(self, *notes: Any) -> None:
        for note in notes:
            if isinstance(note, BaseException):
                raise note
        self.assign(notes=[*notes], loading=False)

    def note(self, what: object) -> None:
        self.update("notes", lambda notes: [*notes, what])

    async def handle_event(self, name: str, params: Any) -> None:
        if name == "raise":
            raise params
        self.note((name, params))

    def handle_info(self, message: Any) -> None:
        if isinstance(message, BaseException):
            raise message
        self.note(message)

    def render(self) -> str:
        return " ".join(map(str, self.assigns.notes))


@in_each_loop
async def test_a_view_is_mounted_with_what_it_is_given_and_closed_after_its_block() -> None:
    async with Notes.mounted("one", "two") as view:
        assert view.assigns.notes == ["one", "two"]
        assert view in sources()
    with refused(
        "handle_event of Notes needs Notes to be mounted.",
        "Fix: call it inside: async with Notes.mounted(...) as view",
    ):
        await view.event("add")
    view.send("nobody gets this")
    assert view.pending() == []
    with pytest.raises(KeyError, match="no"):
        await Notes.open(KeyError("no"))


@in_each_loop
async def test_one_handler_runs_at_a_time_in_the_order_of_the_messages() -> None:
    class Slow(Notes):
        async def handle_info(self, message: Any) -> None:
            self.note(f"{message} begins")
            for _ in range(5 - message):
                await anyio.lowlevel.checkpoint()
            self.note(f"{message} ends")

    async with Slow.mounted() as view:
        for number in range(5):
            view.send(number)
        await view.event("add")
        expected = [f"{number} {what}" for number in range(5) for what in ("begins", "ends")]
        assert view.assigns.notes == [*expected, ("add", {})]


HERE: ContextVar[str] = ContextVar("HERE", default="nowhere")


@in_each_loop
async def test_a_message_is_handled_in_the_context_of_who_sent_it() -> None:
    class Where(Notes):
        def handle_info(self, message: Any) -> None:
            self.note((message, HERE.get()))
            HERE.set("in a handler")

    async with Where.mounted() as view:
        for where in ("here", "there"):
            HERE.set(where)
            view.send(1)
        await settled(view)
        threading.Thread(target=view.send, args=(2,)).start()
        await until(view, lambda: len(view.assigns.notes) == 3)
        assert view.assigns.notes == [(1, "here"), (1, "there"), (2, "nowhere")]
        assert HERE.get() == "there"


# What goes wrong in a handler.


@in_each_loop
async def test_a_failure_that_nobody_was_told_of_is_raised_by_the_end_of_the_block() -> None:
    for error, raised in ((None, KeyError), (ValueError("mine"), ValueError)):
        with pytest.raises(raised):
            async with Notes.mounted() as view:
                view.send(KeyError("no"))
                await view.event("add")
                if error:
                    raise error
        assert await render_async(lambda: "later") == "later"


@in_each_loop
async def test_what_a_handler_raises_is_raised_to_who_sent_the_event_and_to_nobody_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Notes.mounted() as view:
        with pytest.raises(KeyError, match="no"):
            await view.event("raise", KeyError("no"))
        await view.event("add", 1)
        assert view.assigns.notes == [("add", 1)]
        assert view.take_failure() is None
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("aquila_cassette.live", logging.ERROR)
    assert record.getMessage() == "handle_event of Notes raised KeyError('no')."


@pytest.mark.parametrize(
    ("wait", "what"),
    [
        (lambda view: view.event("another"), "event"),
        (View.aclose, "aclose"),
        (lambda view: assert_push_event(view, "sold"), "assert_push_event"),
        (lambda view: assert_flash(view, "info"), "assert_flash"),
    ],
)
@in_each_loop
async def test_a_handler_cannot_wait_for_itself(wait: Any, what: str) -> None:
    class Knot(Notes):
        async def handle_event(self, name: str, params: Any) -> None:
            async with Notes.mounted() as other:  # another view it may wait for
                await other.event("add")
            await wait(self)

    async with Knot.mounted() as view:
        refusal = f"{what} was called inside handle_event of Knot, and would wait for it.\nFix: "
        with pytest.raises(UsageError, match=refusal):
            await view.event("x")


# Its end.


@in_each_loop
async def test_closing_ends_the_handler_under_way_and_those_who_wait(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(Notes):
        async def handle_event(self, name: str, params: Any) -> None:
            try:
                async with anyio.create_task_group() as children:
                    children.start_soon(anyio.sleep_forever)
                    begun.set()
                    await anyio.sleep_forever()
            finally:
                left.append(name)

    async def ask(name: str) -> None:
        with pytest.raises(UsageError) as raised:
            await view.event(name)
        told.append(str(raised.value))

    begun, left, told = anyio.Event(), list[str](), list[str]()
    async with anyio.create_task_group() as group:
        async with Stuck.mounted() as view:
            group.start_soon(ask, "first")
            await begun.wait()
            group.start_soon(ask, "second")
            while len(view.pending()) < 2:
                await anyio.lowlevel.checkpoint()
    assert left == ["first"]
    closed = "Stuck was closed before handle_event of Stuck was done."
    assert told == [f"{closed}\nFix: close the view after that"] * 2
    assert caplog.messages == []
    await view.aclose()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_view_whose_event_loop_ends_within_a_handler_takes_nothing_more(backend: str) -> None:
    class Stuck(Notes):
        async def handle_info(self, message: Any) -> None:
            begun.set()
            await anyio.sleep_forever()

    async def leave() -> Stuck:
        nonlocal begun
        begun = anyio.Event()
        view = await Stuck.open()
        view.send(1)
        view.send(2)
        await begun.wait()
        return view

    begun: anyio.Event
    view = anyio.run(leave, backend=backend)
    view.send("nobody hears this")
    assert view.pending() == []


# What it shows.


@in_each_loop
async def test_who_shows_a_view_is_called_after_each_message_until_it_stops_and_may_fail_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with Notes.mounted() as view:
        shown: list[Any] = []

        async def show() -> None:
            await anyio.lowlevel.checkpoint()
            shown.append(view.render())
            raise KeyError("no")

        stop = view.on_render(show)
        view.send(1)
        with pytest.raises(KeyError, match="no"):
            await settled(view)
        stop()
        view.send(2)
        await settled(view)
        assert shown == ["1"]
    assert caplog.messages == ["on_render of Notes raised KeyError('no')."]


class Log(View):
    """A view that shows each line once, and keeps none."""

    temporary_assigns = {"lines": []}  # noqa: RUF012 - as its users write it

    def handle_info(self, message: Any) -> None:
        self.update("lines", lambda lines: [*lines, message])

    async def render(self) -> str:
        return " ".join(map(str, self.assigns.lines))


@seed_row(32)
@in_each_loop
async def test_a_temporary_assign_is_dropped_when_it_was_rendered() -> None:
    async with Log.mounted() as view:
        view.send("one")
        await settled(view)
        assert await view.rendered() == "one"
        assert await view.rendered() == ""
        page: list[str] = []
        view.on_render(lambda: page.extend(view.assigns.lines))
        view.send("three")
        view.send("four")
        await settled(view)
        assert page == ["three", "four"]
        assert view.assigns.lines == []
        view.assigns.lines.append("in place")
        await view.rendered()
        assert view.assigns.lines == []
        assert Log.temporary_assigns == {"lines": []}


@seed_row(32)
@in_each_loop
async def test_ten_thousand_messages_leave_nothing_behind() -> None:
    def retained() -> int:
        gc.collect()
        return sum(map(sys.getsizeof, gc.get_objects()))

    sizes = list[int]()
    async with Log.mounted() as view:
        view.on_render(lambda: None)
        for thousands in range(10):
            for number in range(1000):
                view.send(f"line {number}")
                view.push_event("line")
            await settled(view)
            if thousands in (0, 9):
                sizes.append(retained())
    assert sizes[1] - sizes[0] < 20_000


@in_each_loop
async def test_assigns_have_attributes_and_flashes_stay_until_they_are_cleared() -> None:
    async with Notes.mounted("one") as view:
        assert view.assigns["notes"] == view.assigns.notes == ["one"]
        with pytest.raises(AttributeError, match="'note' is not assigned; notes, loading is"):
            _ = view.assigns.note
        view.put_flash("info", "Saved.")
        view.put_flash("error", "Lost.")
        view.put_flash("info", "Saved again.")
        assert view.flash == {"info": "Saved again.", "error": "Lost."}
        view.clear_flash("info")
        assert view.flash == {"error": "Lost."}
        view.clear_flash()
        assert view.flash == {}


@pytest.fixture(autouse=True)
def no_view_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    assert [one for view in sources() if isinstance(view, View) for one in view.pending()] == []
