"""Waiting for pushed events and flashes, and what is said where they do not come."""

import re
from typing import Any

import anyio
import pytest

from aquila_cassette.live import View, assert_flash, assert_push_event
from tests.live.loops import in_each_loop
from tests.live.rows import seed_row


class Shop(View):
    """Sells what it is asked for, later."""

    def mount(self) -> None:
        self.open = anyio.Event()

    def handle_event(self, name: str, params: Any) -> None:
        match name:
            case "sell":
                self.push_event("sold", params)
            case "later":
                self.start_async("sale", self.sell, params)
            case "warn":
                self.put_flash(**params)

    async def sell(self, params: Any) -> Any:
        await self.open.wait()
        return params

    def handle_async(self, name: str, outcome: Any) -> None:
        self.push_event("sold", outcome.value)
        self.put_flash("info", f"Sold {outcome.value['item']}.")


@seed_row(28)
@in_each_loop
async def test_an_event_that_comes_later_is_waited_for() -> None:
    async with Shop.mounted() as view:
        await view.event("later", {"item": "a pen"})
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                event = await assert_push_event(view, "sold", {"item": "a pen"}, timeout=10)
                assert event.payload == {"item": "a pen"}
                await assert_flash(view, "info", timeout=10)

            group.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            view.open.set()


@in_each_loop
async def test_each_event_answers_for_one_assertion() -> None:
    async with Shop.mounted() as view:
        for number in (1, 2, 3):
            await view.event("sell", {"number": number})
        assert (await assert_push_event(view, "sold", {"number": 2})).payload["number"] == 2
        assert [event.payload["number"] for event in view.pushed] == [1, 3]
        for _ in range(2):
            await assert_push_event(view, "sold")
        with pytest.raises(AssertionError):
            await assert_push_event(view, "sold", timeout=0)


PAYLOAD = {"item": "a pen", "count": 2, "to": {"name": "Eva", "town": "Lund"}}
PARTS = [
    ...,
    {},
    {"item": "a pen"},
    {"item": re.compile("pen$")},
    {"to": {"town": "Lund"}},
    {"to": {"town": ...}},
]
OTHERS: list[Any] = [
    {"item": re.compile("^pen")},
    {"count": re.compile("2")},
    {"price": ...},
    {"to": {"town": "Malmö"}},
    {"count": {"of": 2}},
    None,
]


async def test_a_part_of_a_payload_is_enough_and_another_payload_is_no_such_event() -> None:
    async with Shop.mounted() as view:
        for part in PARTS:
            await view.event("sell", PAYLOAD)
            assert (await assert_push_event(view, "sold", part)).payload is PAYLOAD
        await view.event("sell", PAYLOAD)
        for other in OTHERS:
            with pytest.raises(AssertionError):
                await assert_push_event(view, "sold", other, timeout=0)
        assert len(view.pushed) == 1


@seed_row(28)
@in_each_loop
async def test_an_event_that_does_not_come_is_missed_with_what_came_instead() -> None:
    async with Shop.mounted() as view:
        await view.event("sell", {"item": "a pen"})
        await view.event("later", {"item": "paper"})
        with pytest.raises(AssertionError) as raised:
            await assert_push_event(view, "sold", {"item": "paper"}, timeout=0.01)
        assert str(raised.value) == (
            "Shop did not push 'sold' within 0.01 s.\n"
            "  expected: 'sold' {'item': 'paper'}\n"
            "  got:      'sold' {'item': 'a pen'}\n"
            "  pending:  job 'sale' of Shop\n"
            "Fix: wait longer: timeout=..."
        )


@seed_row(29)
@in_each_loop
async def test_a_flash_stays_and_one_that_does_not_show_is_missed_with_what_is_shown() -> None:
    async with Shop.mounted() as view:
        await view.event("warn", {"kind": "error", "message": "Something went wrong."})
        for pattern in ("", "went wrong", re.compile(r"^Some\w+")):
            assert await assert_flash(view, "error", pattern) == "Something went wrong."
        with pytest.raises(AssertionError) as raised:
            await assert_flash(view, "error", re.compile("^went"), timeout=0)
        assert str(raised.value) == (
            "Shop did not show the flash 'error' within 0 s.\n"
            "  expected: 'error' re.compile('^went')\n"
            "  got:      'error' 'Something went wrong.'\n"
            "Fix: nothing is pending that could bring it"
        )
