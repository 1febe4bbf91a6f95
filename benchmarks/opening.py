"""Entering and leaving a block on a small cassette."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from benchmarks.asking import ask_with
from benchmarks.lab import Lab, check
from benchmarks.measure import Row, Sample, take_turns
from benchmarks.streams import request_body
from benchmarks.tools import TOOLS


def run(lab: Lab) -> list[Row]:
    """Measure a block that does nothing, and one that replays the one stream on its cassette."""
    with httpx.Client() as client:
        turns = {who: _turn(lab, who, client) for who in TOOLS}
        measured = take_turns(turns, lab.sizes.rounds)
    cassette = f"a cassette of {lab.sizes.events} events"
    return [
        Row("open", f"open and close {cassette}", measured["empty"]),
        Row("open", f"open {cassette}, replay it, close", measured["block"]),
    ]


def _turn(lab: Lab, who: str, client: httpx.Client) -> Callable[[], Sample]:
    tool, events = TOOLS[who], lab.sizes.events
    body = request_body(0, events)
    folder = lab.record(who, [body])
    ask = ask_with(client, lab.url)

    def turn() -> Sample:
        started = time.process_time()
        with tool.replay(folder):
            pass
        empty = time.process_time() - started
        started = time.process_time()
        with tool.replay(folder):
            (got,) = ask([body], tool.streams)
        block = time.process_time() - started
        check(got, 0, events, tool.pieces(events))
        return {"empty": empty, "block": block}

    return turn
