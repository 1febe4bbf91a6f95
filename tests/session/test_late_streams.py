"""Streams that outlive their block: returned from it, read in part, cancelled."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from aquila_cassette import ScopeError
from aquila_cassette.model import Response
from aquila_cassette.session import current_session as current
from aquila_cassette.session.player import Player
from aquila_cassette.storage import files
from tests.session.fake_adapter import EVENTS, SSE, Suite, make_error, request


def stream(asked: str = "a") -> Iterator[bytes]:
    """Send a request now; the answer is read later."""
    session = current.current_session()
    assert session is not None
    handled = session.handle(request(asked))
    if isinstance(handled, Player):
        return handled.replay(make_error)
    assert handled is not None
    handled.start_response(200, SSE, "HTTP/1.1")

    def read() -> Iterator[bytes]:
        with handled:
            for event in EVENTS:
                handled.add_piece(event)
                yield event
        handled.body_ended()

    return read()


def on_file(suite: Suite) -> list[Response]:
    path = suite.folder / "x.yaml"
    return [one.response for one in files.load(path).interactions] if path.exists() else []


@pytest.mark.parametrize("mode", ["once", "all"])
@pytest.mark.parametrize("read_in_block", [0, 2])
def test_a_stream_that_is_returned_from_its_block_is_recorded_to_its_end(
    suite: Suite, mode: str, read_in_block: int
) -> None:
    for asked in ("once", mode):
        owner = suite.owner()
        with suite.block(owner, mode=asked):
            events = stream()
            first = [next(events) for _ in range(read_in_block)]
        assert [*first, *events] == EVENTS
        owner.check()
        owner.end(passed=True)
        assert [(one.body, one.ended) for one in on_file(suite)] == [(b"".join(EVENTS), "complete")]
    suite.next_run()
    owner = suite.owner()
    with suite.block(owner, mode="none"):
        events = stream()
    assert list(events) == EVENTS
    owner.check()


def test_a_stream_that_is_read_after_the_end_of_its_test_is_an_error(suite: Suite) -> None:
    owner = suite.owner()
    with suite.block(owner):
        events = stream()
        next(events)
    owner.end(passed=True)
    with pytest.raises(ScopeError, match="is read after the end of what recorded it") as caught:
        next(events)
    assert caught.value.fix.startswith("Fix: read it to its end, or close it, within the test")
    assert [(one.body, one.ended) for one in on_file(suite)] == [(EVENTS[0], "closed")]


def test_a_stream_that_a_script_returns_from_its_block_is_saved_at_its_end(suite: Suite) -> None:
    for mode in ("once", "all"):
        with suite.script(mode=mode):
            events = stream()
            next(events)
        (before,) = on_file(suite)
        assert before.ended == ("closed" if mode == "once" else "complete")
        assert len([*events]) == len(EVENTS) - 1
        (after,) = on_file(suite)
        assert (after.body, after.ended) == (b"".join(EVENTS), "complete")


async def test_what_a_failed_gather_cancelled_is_not_kept(suite: Suite) -> None:
    async def sibling() -> None:
        events = stream("sibling")
        next(events)
        await asyncio.Event().wait()

    async def fails() -> None:
        await asyncio.sleep(0)
        suite.library.send("good")
        raise ZeroDivisionError

    owner = suite.owner()
    with contextlib.suppress(ZeroDivisionError), suite.block(owner):
        await asyncio.gather(sibling(), fails())
    assert suite.on_file() == [("good", 200)]
    owner.end(passed=False)
    assert suite.on_file() == [("good", 200)]
