"""Replaying a stream of many pieces, compared with httpx.MockTransport streaming the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx

from benchmarks.asking import Ask, ask_with, ask_with_async
from benchmarks.lab import Lab, check
from benchmarks.measure import OURS, PLAIN, Row, Sample, Target, no_slower, ratio, take_turns
from benchmarks.streams import answer, request_body
from benchmarks.tools import TOOLS

_EVENTS_OF_OTHERS = 5
"""The other interactions are short: what counts is how many there are."""


def run(lab: Lab) -> list[Row]:
    """Measure a request and its whole answer, sync and async."""
    events = lab.sizes.events
    cassettes = {who: lab.record(who, [request_body(0, events)]) for who in TOOLS}
    mock = httpx.MockTransport(_mock(answer(0, events)))
    with (
        asyncio.Runner() as runner,
        httpx.Client() as client,
        httpx.Client(transport=mock) as mocked,
    ):
        aclient, amocked = httpx.AsyncClient(), httpx.AsyncClient(transport=mock)
        rows = [
            _row(lab, "sync", cassettes, ask_with(client, lab.url), ask_with(mocked, lab.url)),
            _row(
                lab,
                "async",
                cassettes,
                ask_with_async(aclient, lab.url, runner),
                ask_with_async(amocked, lab.url, runner),
            ),
        ]
        runner.run(aclient.aclose())
        runner.run(amocked.aclose())
    return rows


def run_flat(lab: Lab) -> list[Row]:
    """Measure the same among few and among many other interactions on the cassette, sync."""
    with httpx.Client() as client:
        ask = ask_with(client, lab.url)
        turns = {
            f"{who} {others}": _replaying(lab, who, _among(lab, who, others), others // 2, ask)
            for who in TOOLS
            for others in lab.sizes.others
        }
        # vcrpy takes about half a second for one request among 1,000 others.
        measured = take_turns(turns, max(2, lab.sizes.rounds // 4))["request"]
    few, many = ({who: measured[f"{who} {others}"] for who in TOOLS} for others in lab.sizes.others)
    slower = ratio(many[OURS], few[OURS])
    names = [f"replay among {others:,} others" for others in lab.sizes.others]
    return [
        Row("flat", names[0], few),
        Row("flat", names[1], many, [Target(f"≤ 1.1x among {lab.sizes.others[0]}", slower, 1.1)]),
    ]


def _row(lab: Lab, kind: str, cassettes: dict[str, Path], ask: Ask, ask_mock: Ask) -> Row:
    events = lab.sizes.events
    turns = {who: _replaying(lab, who, folder, 0, ask) for who, folder in cassettes.items()}

    def plain() -> Sample:
        return _requests(lab, ask_mock, 0, events, raw=True)

    times = take_turns({**turns, PLAIN: plain}, lab.sizes.rounds)["request"]
    targets = [no_slower(times, PLAIN, 1.25)]
    return Row("replay", f"replay {events} pieces, {kind}", times, targets)


def _replaying(lab: Lab, who: str, folder: Path, stream: int, ask: Ask) -> Callable[[], Sample]:
    tool, events = TOOLS[who], lab.sizes.events

    def turn() -> Sample:
        with tool.replay(folder):
            return _requests(lab, ask, stream, tool.pieces(events), raw=tool.streams)

    return turn


def _requests(lab: Lab, ask: Ask, stream: int, pieces: int, *, raw: bool) -> Sample:
    events = lab.sizes.events
    bodies = [request_body(stream, events)] * lab.sizes.requests
    # The first answer pays for what a tool puts off until then: `load` and `open` measure that.
    ask(bodies[:1], raw)
    started = time.process_time()
    reads = ask(bodies, raw)
    seconds = time.process_time() - started
    for got in reads:
        check(got, stream, events, pieces)
    return {"request": seconds / len(reads)}


def _among(lab: Lab, who: str, others: int) -> Path:
    """Record a cassette on which the stream that is replayed is in the middle."""
    bodies = [request_body(stream, _EVENTS_OF_OTHERS) for stream in range(others)]
    bodies.insert(others // 2, request_body(others // 2, lab.sizes.events))
    return lab.record(who, bodies)


class _Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, pieces: tuple[bytes, ...]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def _mock(pieces: tuple[bytes, ...]) -> Callable[[httpx.Request], httpx.Response]:
    headers = {"content-type": "text/event-stream; charset=utf-8"}
    return lambda request: httpx.Response(200, headers=headers, stream=_Pieces(pieces))
