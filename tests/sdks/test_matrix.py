"""What holds for every SDK, sync and async. `make sdks` runs this in all environments."""

import asyncio
import contextvars
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aquila_cassette import MissError, aquila_cassette
from aquila_cassette.live import render_async
from aquila_cassette.options import Mode
from tests.sdks.driver import Ask, Driver
from tests.sdks.rows import Row
from tests.sdks.wires import ARGUMENTS, CITY, TEXT, TOOL, Frame, compact
from tests.servers import Connection, RawServer, Request

PROMPT = "Say hello"
MISSED = "No interaction matches POST "
MODES: tuple[Mode, ...] = ("once", "none")
_TOOL_RESULTS = (b'"role":"tool"', b'"role": "tool"', b'"function_call_output"', b'"tool_result"')


class ModelServer(RawServer):
    """Answer each request with the driver's text, or with a call of the tool that it offers.

    With `gated`, what follows the first part of the text waits for `seen`. A stream ends ``whole``,
    with the provider's ``error`` after the first part, or ``cut`` off there. It takes a `pause` after
    each part, as models do.
    """

    def __init__(
        self, driver: Driver, *, gated: bool = False, ends: str = "whole", pause: float = 0
    ) -> None:
        super().__init__(self._answer)
        self.sent = b""
        """The body of the last answer, as far as it was sent."""
        self.is_whole = False
        """Whether that was all of it."""
        self.seen = threading.Event()
        self._driver = driver
        self._ends = ends
        self._pause = pause
        if not gated:
            self.seen.set()

    def _answer(self, connection: Connection, request: Request) -> None:
        wire = self._driver.wire
        self.sent, self.is_whole = b"", False
        connection.head(200, {"content-type": wire.content_type})
        for frame in self._frames(request):
            connection.piece(frame.data)
            self.sent += frame.data
            if frame.shows and self._ends == "cut":
                connection.fin()
                return
            if frame.shows and self._ends == "error":
                assert wire.error is not None
                connection.piece(wire.error)
                break
            if frame.shows:
                connection.wait(self.seen)
                time.sleep(self._pause)
        connection.end()
        self.is_whole = True

    def _frames(self, request: Request) -> Sequence[Frame]:
        wire, text_tool = self._driver.wire, self._driver.text_tool
        offers = TOOL.encode() in request.body
        if offers and not any(result in request.body for result in _TOOL_RESULTS):
            return wire.frames(request, ARGUMENTS, TOOL)
        if text_tool is not None:
            inside = [compact(part)[1:-1] for part in TEXT]
            return wire.frames(request, ['{"text": "' + inside[0], *inside[1:], '"}'], text_tool)
        return wire.frames(request, TEXT, None)


def asked(driver: Driver, face: str, ask: Ask) -> AsyncGenerator[str]:
    """Give what an SDK shows of one answer, part by part."""
    opened = driver.face(face)
    assert opened is not None
    parts = opened(ask)
    return parts if isinstance(parts, AsyncGenerator) else _in_a_thread(parts)


async def _in_a_thread(parts: Generator[str]) -> AsyncGenerator[str]:
    """Step through a sync SDK in a thread of its own: some run an event loop inside."""
    loop, context = asyncio.get_running_loop(), contextvars.copy_context()
    with ThreadPoolExecutor(1) as thread:
        try:
            while part := await loop.run_in_executor(thread, context.run, next, parts, None):
                yield part
        finally:
            await loop.run_in_executor(thread, context.run, parts.close)


async def seen(driver: Driver, face: str, ask: Ask) -> tuple[list[str], tuple[str, str] | None]:
    """Return all parts, and the class and the words of the error that ends them."""
    parts: list[str] = []
    try:
        async for part in asked(driver, face, ask):
            parts.append(part)
    except Exception as error:
        return parts, (type(error).__qualname__, str(error))
    return parts, None


@pytest.mark.holds("streams")
async def test_the_first_part_is_seen_before_the_rest_is_sent(row: Row, face: str) -> None:
    driver, collects = row.driver(), face in row.collects
    with ModelServer(driver, gated=not collects) as server, aquila_cassette("cassette"):
        parts = asked(driver, face, Ask(server.url, PROMPT))
        first = await anext(parts)
        assert server.is_whole == collects
        server.seen.set()
        assert "".join([first, *[part async for part in parts]]) == "".join(TEXT)


@pytest.mark.holds("replays")
async def test_the_parts_come_again_as_they_came_with_the_server_gone(row: Row, face: str) -> None:
    driver = row.driver()
    with ModelServer(driver) as server, aquila_cassette("cassette") as cassette:
        ask = Ask(server.url, PROMPT)
        parts, error = live = await seen(driver, face, ask)
    assert ("".join(parts), error) == ("".join(TEXT), None)
    (recorded,) = cassette.recorded
    assert recorded.response.body == server.sent
    assert recorded.response.ended == "complete"
    with aquila_cassette("cassette", mode="none") as cassette:
        assert await seen(driver, face, ask) == live
    assert cassette.played == (recorded,)


@pytest.mark.holds("tools")
async def test_a_tool_is_called_again_with_the_same_arguments(row: Row, face: str) -> None:
    driver = row.driver()
    with ModelServer(driver) as server, aquila_cassette("cassette"):
        ask = Ask(server.url, PROMPT, tool=True)
        parts, error = live = await seen(driver, face, ask)
    assert error is None
    assert CITY in _letters("".join(parts))
    with aquila_cassette("cassette", mode="none"):
        assert await seen(driver, face, ask) == live


@pytest.mark.holds("stops")
async def test_who_stopped_early_stops_early_again(row: Row, face: str) -> None:
    driver = row.driver()
    with ModelServer(driver, gated=True) as server:
        with aquila_cassette("cassette") as cassette:
            ask = Ask(server.url, PROMPT)
            live = asked(driver, face, ask)
            first = await anext(live)
            await live.aclose()
            del live
        # Before more comes: dspy reads on in a thread of its own.
        recorded = [*cassette.interactions, *cassette.recorded]
        assert [one.response.ended for one in recorded][:1] == ["closed"]
        server.seen.set()
    with aquila_cassette("cassette", mode="none"):
        again = asked(driver, face, ask)
        assert await anext(again) == first
        await again.aclose()
        del again


@pytest.mark.holds("fails")
@pytest.mark.parametrize("ends", ["cut", "error"])
async def test_what_fails_in_mid_stream_fails_alike(row: Row, face: str, ends: str) -> None:
    driver = row.driver()
    if ends == "error" and driver.wire.error is None:
        ends = "cut"  # a provider that has no such event breaks off
    with ModelServer(driver, ends=ends) as server:
        ask = Ask(server.url, PROMPT)
        bare = await seen(driver, face, ask)
        with aquila_cassette("cassette"):
            assert await seen(driver, face, ask) == bare
    with aquila_cassette("cassette", mode="none"):
        assert await seen(driver, face, ask) == bare


@pytest.mark.holds("misses")
async def test_another_prompt_misses_loudly_and_asks_nobody(row: Row, face: str) -> None:
    driver = row.driver()
    with ModelServer(driver) as server:
        with aquila_cassette("cassette"):
            await seen(driver, face, Ask(server.url, PROMPT))
        count = len(server.requests)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each SDK wraps a miss in its own
            with aquila_cassette("cassette", mode="none", on_unplayed="ignore"):
                async for _ in asked(driver, face, Ask(server.url, "Say goodbye")):
                    pass
        assert len(server.requests) == count
    # dspy keeps the words of a miss, and not the miss.
    found = [isinstance(one, MissError) or MISSED in str(one) for one in _chain(raised.value)]
    assert any(found)


class Page:
    """An application that shows an answer, works, and says when it has ended."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def render(self) -> list[str]:
        return list(self.shown)

    async def show(self, driver: Driver, face: str, ask: Ask) -> None:
        if face == "sync":
            await asyncio.to_thread(lambda: self.shown.extend(driver.stream(ask)))
        else:
            async for part in driver.astream(ask):
                self.shown.append(part)
        await asyncio.sleep(0.004)
        self.shown.append("END")


@pytest.mark.holds("waits")
async def test_the_page_is_whole_when_it_is_rendered(
    row: Row, face: str, pytestconfig: pytest.Config
) -> None:
    driver, times = row.driver(), pytestconfig.getoption("--sdks-times")
    rendered: Counter[str] = Counter()
    with ModelServer(driver, pause=0.002) as server:
        ask = Ask(server.url, PROMPT, tool=True)
        for n, mode in itertools.product(range(times), MODES):
            page = Page()
            # A pool that starts its threads in the block, as the first one of a test does.
            with ThreadPoolExecutor() as pool, aquila_cassette(f"cassette-{n}", mode=mode):
                asyncio.get_running_loop().set_default_executor(pool)
                click = asyncio.create_task(page.show(driver, face, ask))
                shown = await render_async(page)
                await click
            rendered["whole" if shown == page.shown else f"{mode}: {shown}"] += 1
    assert rendered == {"whole": 2 * times}


def _letters(parts: str) -> str:
    """Join what came in pieces: only the letters count."""
    return "".join(json.dumps(parts).split("(")).translate(str.maketrans("", "", ')"\\ '))


def _chain(error: BaseException) -> list[Any]:
    found: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and one not in found:
            found.append(one)
            left += [one.__cause__, one.__context__]
    return found
