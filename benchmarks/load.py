"""Loading a large cassette: each tool its own file of the same content, made by its own recording."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx

from benchmarks.asking import ask_with
from benchmarks.lab import Lab, check
from benchmarks.measure import CASSETTER, OURS, VCRPY, Row, Sample, no_slower, take_turns
from benchmarks.streams import request_body
from benchmarks.tools import TOOLS


def run(lab: Lab) -> list[Row]:
    """Measure the load alone, and a whole block that plays one answer off the cassette."""
    sizes = lab.sizes
    with httpx.Client() as client:
        turns = {who: _turn(lab, who, client) for who in TOOLS}
        measured = take_turns(turns, sizes.rounds)
    load, foreign = measured["load"], _load_foreign(lab)
    cassette = f"{sizes.interactions} x {sizes.events} events"
    targets = [no_slower(load, VCRPY, 0.4), no_slower(load, CASSETTER, 0.85)]
    return [
        Row("load", f"load {cassette}", load, targets),
        Row("load", f"open {cassette}, replay one, close", measured["block"]),
        Row("load", f"load vcrpy's {cassette}", foreign, [no_slower(foreign, VCRPY, 1.2)]),
    ]


def _load_foreign(lab: Lab) -> dict[str, list[float]]:
    """Have both read vcrpy's own file, half of whose requests bring an image."""
    image = base64.b64encode(random.Random(1).randbytes(lab.sizes.events << 10)).decode()
    bodies = [request_body(stream, lab.sizes.events) for stream in range(lab.sizes.interactions)]
    for place in range(0, len(bodies), 2):
        bodies[place] = json.dumps({**json.loads(bodies[place]), "image": image}).encode()
    folder = lab.record(VCRPY, bodies)

    def turn(who: str) -> Sample:
        _touch(folder)
        started = time.process_time()
        cassette = TOOLS[who].load(folder)
        loaded = time.process_time() - started
        del cassette
        return {"load": loaded}

    turns = {who: partial(turn, who) for who in (OURS, VCRPY)}
    return take_turns(turns, lab.sizes.rounds)["load"]


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
