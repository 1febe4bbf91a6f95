"""Loading a large cassette: each tool its own file of the same content, made by its own recording."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from benchmarks.asking import ask_with
from benchmarks.lab import Lab, check
from benchmarks.measure import CASSETTER, VCRPY, Row, Sample, no_slower, take_turns
from benchmarks.streams import request_body
from benchmarks.tools import TOOLS


def run(lab: Lab) -> list[Row]:
    """Measure the load alone, and a whole block that plays one answer off the cassette."""
    sizes = lab.sizes
    with httpx.Client() as client:
        turns = {who: _turn(lab, who, client) for who in TOOLS}
        measured = take_turns(turns, sizes.rounds)
    load = measured["load"]
    cassette = f"{sizes.interactions} x {sizes.events} events"
    targets = [no_slower(load, VCRPY, 0.4), no_slower(load, CASSETTER, 0.85)]
    return [
        Row("load", f"load {cassette}", load, targets),
        Row("load", f"open {cassette}, replay one, close", measured["block"]),
    ]


def _turn(lab: Lab, who: str, client: httpx.Client) -> Callable[[], Sample]:
    tool, events = TOOLS[who], lab.sizes.events
    bodies = [request_body(stream, events) for stream in range(lab.sizes.interactions)]
    folder = lab.record(who, bodies)
    ask = ask_with(client, lab.url)
    stream = len(bodies) // 2

    def turn() -> Sample:
        _touch(folder)
        started = time.process_time()
        cassette = tool.load(folder)
        loaded = time.process_time() - started
        del cassette
        _touch(folder)
        started = time.process_time()
        with tool.replay(folder):
            (got,) = ask([bodies[stream]], tool.streams)
        ended = time.process_time() - started
        check(got, stream, events, tool.pieces(events))
        return {"load": loaded, "block": ended}

    return turn


def _touch(folder: Path) -> None:
    """Change the files' times, so that no tool gives what it loaded before."""
    for path in folder.iterdir():
        path.touch()
