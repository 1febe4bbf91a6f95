"""The benchmarks run, compare like with like, and say plainly what they measured."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measure, table
from benchmarks.measure import CASSETTER, OURS, PLAIN, VCRPY, Row

_ROOT = Path(__file__).parents[1]
_ALL = {OURS, PLAIN, VCRPY, CASSETTER}
_RECORDERS = {OURS, VCRPY, CASSETTER}


def run(*arguments: str) -> str:
    # A process of its own: vcrpy and cassetter patch whatever is in this one.
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--rounds", "1", *arguments]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows_of(*names: str) -> list[dict[str, Any]]:
    only = [argument for name in names for argument in ("--only", name)]
    rows: list[dict[str, Any]] = json.loads(run("--json", *only))["rows"]
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return rows_of("load", "replay", "flat", "record", "open")


def test_every_contestant_of_a_row_is_measured_in_the_same_rounds(
    rows: list[dict[str, Any]],
) -> None:
    contestants = [(row["what"], set(row["rounds"])) for row in rows]
    assert contestants == [
        ("load 3 x 6 events", _RECORDERS),
        ("open 3 x 6 events, replay one, close", _RECORDERS),
        ("replay 6 pieces, sync", _ALL),
        ("replay 6 pieces, async", _ALL),
        ("replay among 1 others", _RECORDERS),
        ("replay among 3 others", _RECORDERS),
        ("record 6 events, one every 0.5 ms", _ALL),
        ("its first event", _ALL),
        ("record 6 events at once", _ALL),
        ("its first event", _ALL),
        ("its processor time", _ALL),
        ("close a block that recorded 2 x 6 events", _RECORDERS),
        ("open and close a cassette of 6 events", _RECORDERS),
        ("open a cassette of 6 events, replay it, close", _RECORDERS),
    ]
    for row in rows:
        assert len({len(seconds) for seconds in row["rounds"].values()}) == 1
        assert all(one > 0 for seconds in row["rounds"].values() for one in seconds)


def test_each_promise_stands_at_the_row_that_it_is_about(rows: list[dict[str, Any]]) -> None:
    promises = {
        (row["name"], row["what"]): [target["text"] for target in row["targets"]]
        for row in rows
        if row["targets"]
    }
    assert promises == {
        ("load", "load 3 x 6 events"): ["≤ 0.4x vcrpy", "≤ 0.85x cassetter"],
        ("replay", "replay 6 pieces, sync"): ["≤ 1.5x plain"],
        ("replay", "replay 6 pieces, async"): ["≤ 1.5x plain"],
        ("flat", "replay among 3 others"): ["≤ 1.1x among 1"],
        ("record", "record 6 events, one every 0.5 ms"): ["≤ 1.05x plain"],
        ("record", "its first event"): ["≤ +5 ms"],
    }


def test_start_up_is_measured_with_the_plugin_and_without() -> None:
    start, first = rows_of("startup")
    assert set(start["rounds"]) == {OURS, PLAIN}
    assert [target["text"] for target in start["targets"]] == ["≤ +15 ms"]
    assert set(first["rounds"]) == _RECORDERS


def test_a_pipe_gets_the_table_as_markdown() -> None:
    lines = run("--only", "open").splitlines()
    assert cells(lines[0]) == [
        "median (ours / theirs)",
        "aquila_cassette",
        "plain",
        "vcrpy",
        "cassetter",
        "target",
        "±",
    ]
    assert set(lines[1]) == {"|", "-"}
    assert [cells(line)[0] for line in lines[2:-1]] == [
        "open and close a cassette of 6 events",
        "open a cassette of 6 events, replay it, close",
    ]
    assert re.fullmatch(
        r"0 of 0 targets met; \d+ cores, Python \S+, httpx \S+, vcrpy \S+, cassetter \S+\.",
        lines[-1],
    )


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "speed"]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 2
    assert "choose from" in ran.stderr
    assert "load" in ran.stderr


def test_the_table_gives_medians_ratios_targets_and_noise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "machine", lambda: "2 cores")
    times = {OURS: [0.002, 0.001, 0.004], PLAIN: [0.001, 0.001, 0.001], VCRPY: [1.0, 2.0, 4.0]}
    rows = [
        Row("a", "one", times, [measure.no_slower(times, PLAIN, 1.5)]),
        Row("b", "two", {OURS: [0.00005], PLAIN: [0.00004]}, [measure.adds_no_more(times, 5)]),
    ]
    out = io.StringIO()
    table.show(rows, out)
    lines = out.getvalue().splitlines()
    assert [cells(line) for line in lines[2:4]] == [
        ["one", "2 ms", "1 ms (2.00x)", "2 s (0.0010x)", "-", "≤ 1.5x plain: 2.00x MISSED", "38%"],
        ["two", "50 µs", "40 µs (1.25x)", "-", "-", "≤ +5 ms: 1.00ms met", "0%"],
    ]
    assert lines[4:] == ["1 of 2 targets met; 2 cores."]


def test_a_ratio_is_the_median_of_the_ratios_within_rounds() -> None:
    # The second round ran on a busy machine, which slowed both sides ten times.
    assert measure.ratio([1.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == 2.0
    assert measure.added_ms([0.001, 0.020, 0.002], [0.001, 0.010, 0.001]) == pytest.approx(1.0)


def test_the_contestants_take_turns_and_the_first_turn_does_not_count() -> None:
    turns: list[str] = []

    def contestant(name: str) -> measure.Sample:
        turns.append(name)
        return {"what": float(len(turns))}

    measured = measure.take_turns(
        {name: lambda name=name: contestant(name) for name in "abc"}, rounds=2
    )
    assert turns == [*"cab", *"abc", *"bca"]
    assert measured == {"what": {"a": [4.0, 9.0], "b": [5.0, 7.0], "c": [6.0, 8.0]}}
