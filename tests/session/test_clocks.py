"""Real clocks: what freezes or moves time does not reach what is recorded, nor the pace of a replay."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from aquila_cassette.errors import RenderTimeout
from aquila_cassette.live import render_async, track
from aquila_cassette.waiting import event_loops as clock
from tests.session.fake_adapter import Library, Suite


def frozen() -> float:
    return 1.5e9


frozen.__module__ = "freezegun.api"  # as that of its own


@pytest.fixture(params=["freezegun", "time_machine"])
def _frozen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeze the clocks of `time` as the library does, and bring what it has for the real ones."""
    real = {"time": time.time, "perf_counter": time.perf_counter}
    named = SimpleNamespace(**{f"real_{name}": read for name, read in real.items()})
    hatch = SimpleNamespace(is_travelling=lambda: True, time=SimpleNamespace(time=time.time))
    names = ["time"]
    if request.param == "freezegun":
        monkeypatch.setitem(sys.modules, "freezegun.api", named)
        names += ["monotonic", "perf_counter"]
    else:
        monkeypatch.setitem(sys.modules, "time_machine", SimpleNamespace(escape_hatch=hatch))
    for name in names:
        monkeypatch.setattr(time, name, frozen)


@pytest.mark.usefixtures("_frozen")
async def test_a_frozen_clock_stops_neither_what_is_recorded_nor_a_pace(suite: Suite) -> None:
    def answer(asked: str) -> bytes:
        time.sleep(0.02)
        return b"good"

    with suite.block() as cassette:
        Library(answer).send("a")
    (one,) = cassette.recorded
    assert one.response.pieces[0].at >= 20
    recorded_at = datetime.fromisoformat(one.recorded_at)
    assert abs((datetime.now(UTC) - recorded_at).total_seconds()) < 60
    started = clock.elapsed()
    await clock.sleep(0.01)
    assert clock.elapsed() - started >= 0.01


@pytest.mark.usefixtures("_frozen")
async def test_a_frozen_clock_stops_no_time_out_of_a_wait() -> None:
    never = track(asyncio.get_running_loop().create_future())
    try:
        with pytest.raises(RenderTimeout, match="going on after"):
            await render_async(lambda: "", timeout=0.01)
    finally:
        never.cancel()
