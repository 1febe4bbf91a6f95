"""The results as people read them, and as programs do."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import TextIO

from rich.box import MARKDOWN, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.measure import CONTESTANTS, OURS, Row, ratio

_WIDE = 200


def machine() -> str:
    """Return what the numbers were measured on and against."""
    tools = ", ".join(f"{name} {version(name)}" for name in ("httpx", "vcrpy", "cassetter"))
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {tools}"


def show(rows: Sequence[Row], out: TextIO) -> None:
    """Print the table: drawn for a terminal, as Markdown for a pipe."""
    console = Console(file=out, highlight=False)
    box = SIMPLE_HEAD
    if not console.is_terminal:
        console.width, box = _WIDE, MARKDOWN
    table = Table(box=box)
    table.add_column("median (ours / theirs)")
    for who in CONTESTANTS:
        table.add_column(who, justify="right")
    table.add_column("target")
    table.add_column("±", justify="right")
    for row in rows:
        table.add_row(
            row.what,
            *(_cell(row, who) for who in CONTESTANTS),
            _targets(row),
            f"{max(row.spread(who) for who in row.times) / 2:.0%}",
        )
    with console.capture() as drawn:
        console.print(table)
    out.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines() if line.strip())
    targets = [target for row in rows for target in row.targets]
    console.print(f"{sum(one.met for one in targets)} of {len(targets)} targets met; {machine()}.")


def as_json(rows: Sequence[Row]) -> str:
    """Write all that was measured, in seconds, as JSON."""
    value = {
        "machine": machine(),
        "rows": [
            {
                "name": row.name,
                "what": row.what,
                "median": {who: row.median(who) for who in row.times},
                "rounds": {who: list(times) for who, times in row.times.items()},
                "targets": [
                    {"text": one.text, "got": one.got, "unit": one.unit, "met": one.met}
                    for one in row.targets
                ],
            }
            for row in rows
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cell(row: Row, who: str) -> str:
    median = row.median(who)
    if median is None:
        return "-"
    if who == OURS:
        return _time(median)
    ours = ratio(row.times[OURS], row.times[who])
    return f"{_time(median)} ({ours:.{2 if ours >= 0.01 else 4}f}x)"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.0f} µs"


def _targets(row: Row) -> str:
    return ", ".join(
        f"{one.text}: {one.got:.2f}{one.unit} {'met' if one.met else 'MISSED'}"
        for one in row.targets
    )
