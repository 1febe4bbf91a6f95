"""Recording a live stream from loopback, compared with the same request without a recorder."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

import httpx

from benchmarks.asking import ask_with
from benchmarks.lab import Lab, check
from benchmarks.measure import (
    CONTESTANTS,
    PLAIN,
    Row,
    Sample,
    adds_no_more,
    no_slower,
    take_turns,
)
from benchmarks.streams import request_body
from benchmarks.tools import TOOLS


def run(lab: Lab) -> list[Row]:
    """Measure a paced stream, as providers send, and a burst, as none does; then the save."""
    sizes = lab.sizes
    with httpx.Client() as client:
        paced = _measure(lab, client, gap=sizes.gap, count=1, rounds=max(2, sizes.rounds // 3))
        burst = _measure(lab, client, gap=0, count=sizes.requests, rounds=sizes.rounds)
    stream = f"{sizes.events} events"
    gap = f"every {sizes.gap * 1000:g} ms"
    first, whole = paced["first"], paced["whole"]
    saved = {who: times for who, times in burst["save"].items() if who != PLAIN}
    return [
        Row("record", f"record {stream}, one {gap}", whole, [no_slower(whole, PLAIN, 1.05)]),
        Row("record", "its first event", first, [adds_no_more(first, 5)]),
        Row("record", f"record {stream} at once", burst["whole"]),
        Row("record", "its first event", burst["first"], [adds_no_more(burst["first"], 5)]),
        Row("record", "its processor time", burst["busy"]),
        Row("save", f"close a block that recorded {sizes.requests} x {stream}", saved),
    ]


def _measure(
    lab: Lab, client: httpx.Client, *, gap: float, count: int, rounds: int
) -> dict[str, dict[str, list[float]]]:
    turns = {
        who: _turn(lab, who, client, [request_body(n, lab.sizes.events, gap) for n in range(count)])
        for who in CONTESTANTS
    }
    return take_turns(turns, rounds)


def _turn(lab: Lab, who: str, client: httpx.Client, bodies: list[bytes]) -> Callable[[], Sample]:
    ask = ask_with(client, lab.url)
    tool = TOOLS.get(who)
    events = lab.sizes.events
    pieces = events if tool is None else tool.pieces(events)

    def turn() -> Sample:
        block = nullcontext() if tool is None else tool.record(lab.new_folder())
        with block:
            busy = time.process_time()
            reads = ask(bodies, tool is None or tool.streams)
            busy = time.process_time() - busy
            ended = time.perf_counter()
        save = time.perf_counter() - ended
        for stream, got in enumerate(reads):
            check(got, stream, events, pieces)
        return {
            "whole": sum(got.whole for got in reads) / len(reads),
            "first": sum(got.first for got in reads) / len(reads),
            "busy": busy / len(reads),
            "save": save,
        }

    return turn
