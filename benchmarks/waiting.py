"""Play each situation of the waits many times: ``python -m benchmarks.waiting [--times N] [NAME ...]``.

First idle, then with one busy loop on each core. `late` is more than 50 ms after the last change.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.situations import ROWS, Row, lay_cassette, play


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each situation that was not whole, and the sums; return how many were not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__)
    parser.add_argument("--times", type=int, default=200, metavar="N", help="how often each")
    parser.add_argument("--idle-only", action="store_true", help="not under load")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a part of a situation's name")
    given = parser.parse_args(arguments)
    rows = [one for one in ROWS if not given.names or any(name in one.name for name in given.names)]
    sums: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="aquila-waiting-") as folder:
        lay_cassette(Path(folder))
        sums += _play_all("idle", rows, given.times, Path(folder))
        if not given.idle_only:
            with _busy_cores():
                sums += _play_all("under load", rows, given.times, Path(folder))
    return sums.total() - sums["whole"]


def _play_all(how: str, rows: Sequence[Row], times: int, folder: Path) -> Counter[str]:
    sums: Counter[str] = Counter()
    for one in rows:
        verdicts: Counter[str] = Counter()
        shown = ""
        for _ in range(times):
            wrong = play(one, folder)
            verdicts[wrong.partition(":")[0] or "whole"] += 1
            shown = wrong or shown
            if verdicts["hang"] > 2:  # each takes long
                break
        sums += verdicts
        if set(verdicts) != {"whole"}:
            print(f"{how:10} {one.name:56} {dict(verdicts)} {shown.splitlines()[0]}", flush=True)
    counted = ", ".join(f"{sums[name]} {name}" for name in ("early", "late", "hang"))
    print(f"{how}: {len(rows)} situations, {sums.total()} times: {counted}", flush=True)
    return sums


@contextmanager
def _busy_cores() -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    loops = [context.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for one in loops:
        one.start()
    try:
        yield
    finally:
        for one in loops:
            one.kill()


def _spin() -> None:
    while True:
        pass


if __name__ == "__main__":
    sys.exit(min(main(), 1))
