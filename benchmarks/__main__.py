"""The command: ``python -m benchmarks [--only NAME] [--rounds N] [--tiny] [--json]``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks import load, opening, record, replay, startup, table
from benchmarks.lab import Lab, open_lab
from benchmarks.measure import TINY, Row, Sizes

BENCHMARKS: dict[str, Callable[[Lab], list[Row]]] = {
    "load": load.run,
    "replay": replay.run,
    "flat": replay.run_flat,
    "record": record.run,
    "open": opening.run,
    "startup": startup.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that were asked for, and print their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each benchmark")
    parser.add_argument("--tiny", action="store_true", help="a trial run; its numbers mean nothing")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    given = parser.parse_args(arguments)
    sizes = TINY if given.tiny else Sizes()
    if given.rounds:
        sizes = replace(sizes, rounds=given.rounds)
    rows: list[Row] = []
    _forget_settings()
    with open_lab(sizes) as lab:
        for name in given.only or BENCHMARKS:
            print(f"{name} ...", file=sys.stderr)
            rows += BENCHMARKS[name](lab)
    if given.json:
        print(table.as_json(rows))
    else:
        table.show(rows, sys.stdout)


def _forget_settings() -> None:
    """Unset the settings of this package, and CI, with which it only replays."""
    for name in list(os.environ):
        if name.startswith("AQUILA_") or name == "CI":
            del os.environ[name]


if __name__ == "__main__":
    main()
