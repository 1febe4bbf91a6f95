"""Each scenario many times in a row while all processors are busy: ``python -m tests.live.stress``.

It prints how often the page was whole, and how much longer than the work `render_async` took. Where
that is above the 50 ms that are promised, it says how much of it this process only waited for a
processor, and how much it collected garbage.
Arguments: how often (200), how many processes keep the processors busy (as many as there are), and
which applications (all).
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from aquila_cassette import RenderTimeout, aquila_cassette
from aquila_cassette.live import render_async
from aquila_cassette.provider import Provider
from tests.live.scenarios import APPS, SCENARIOS, App, Page, Scenario, opened

HANGS = 0.1
"""How long a stream that hangs is waited for, in seconds."""


LIMIT = 50.0
"""How long after the work `render_async` may return, in milliseconds."""


def burn() -> None:
    while True:
        sum(range(1000))


class Excuses:
    """What took time since the work that is none of our own steps, in milliseconds."""

    def __init__(self) -> None:
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._collecting = self._waiting = self._since = 0.0
        gc.callbacks.append(self._collector)

    def mark(self) -> None:
        """Begin to count: the work was done now."""
        self._collecting, self._waiting = 0.0, self._waited()

    def told(self) -> str:
        """Say how much of the time since then went where."""
        waiting = self._waited() - self._waiting
        return f"{waiting:.1f} without a processor, {self._collecting:.1f} collecting garbage"

    def _waited(self) -> float:
        """How long the main thread was ready and had no processor so far; only Linux tells."""
        return int(self._schedule.read_text().split()[1]) / 1e6 if self._schedule.exists() else 0.0

    def _collector(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._since = time.perf_counter()
        else:
            self._collecting += (time.perf_counter() - self._since) * 1000


EXCUSES = Excuses()


async def once(app: App, scenario: Scenario, mode: str, tapes: Path) -> tuple[bool, float]:
    """Run a scenario; tell whether the page was whole, and how late, in milliseconds."""
    page = Page(when_worked=EXCUSES.mark)
    with aquila_cassette(
        f"{app}-{scenario}",
        mode=mode,  # type: ignore[arg-type]
        cassette_dir=tapes,
        on_unplayed="ignore",
    ):
        scenario.start(app, page)
        streams = scenario.streams if app.threads or scenario.starts_late else None
        try:
            await render_async(page, streams=streams)
        except RenderTimeout as error:
            print(error)
            return False, 0.0
        late = (time.perf_counter() - page.worked_until) * 1000
        if late > LIMIT:
            print(f"{app} {scenario}: {late:.1f} ms, of these {EXCUSES.told()}", flush=True)
        whole = scenario.is_whole(page)
    return whole, late


async def hung(app: App, tapes: Path) -> tuple[bool, float]:
    """Wait for a stream that hangs; tell whether that was told, and how long after the limit."""
    page = Page()
    with aquila_cassette(
        f"{app}-text", mode="none", cassette_dir=tapes, on_unplayed="ignore", hold=True
    ):
        SCENARIOS[0].start(app, page)
        started = time.perf_counter()
        try:
            await render_async(page, streams=1, timeout=HANGS)
        except RenderTimeout as error:
            told = "events: 0 of" in str(error) and "reader: tests/live/scenarios.py" in str(error)
            late = (time.perf_counter() - started - HANGS) * 1000
        else:
            told, late = False, 0.0
    await render_async(page)
    return told, late


def row(title: str, runs: list[tuple[bool, float]]) -> int:
    """Print a row; give how many runs had a flaw."""
    times = len(runs)
    whole = sum(one for one, _ in runs)
    late = sorted(ms for _, ms in runs)
    print(
        f"{title:28} {whole:>5}/{times} {statistics.median(late):>18.1f}"
        f" {late[int(times * 0.99) - 1]:>10.1f} {late[-1]:>7.1f}",
        flush=True,
    )
    return times - whole


async def main(times: int, tapes: Path) -> int:
    flawed = 0
    print(f"{'':28} {'whole':>9} {'late by, ms: median':>20} {'99 of 100':>10} {'most':>7}")
    with Provider(gap=0) as provider:
        for name in sys.argv[3:] or APPS:
            async with opened(name, provider.url) as app:
                for scenario in SCENARIOS:
                    await once(app, scenario, "once", tapes)
                    # A full collection walks all that the SDKs' imports made: a tenth of a second
                    # that is theirs, and falls to whoever happens to come then.
                    gc.collect()
                    gc.freeze()
                    runs = [await once(app, scenario, "none", tapes) for _ in range(times)]
                    flawed += row(f"{name} {scenario}", runs)
                runs = [await hung(app, tapes) for _ in range(times)]
                flawed += row(f"{name} hang", runs)
    return flawed


if __name__ == "__main__":
    TIMES = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    BUSY = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count() or 1
    processes = [multiprocessing.Process(target=burn, daemon=True) for _ in range(BUSY)]
    for process in processes:
        process.start()
    with tempfile.TemporaryDirectory() as folder:
        FLAWED = asyncio.run(main(TIMES, Path(folder)))
    for process in processes:
        process.terminate()
    sys.exit(1 if FLAWED else 0)
