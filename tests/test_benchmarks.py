"""The benchmarks run, compare the same work, and print what they measured."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measure, table
from benchmarks.measure import CASSETTER, OURS, PLAIN, VCRPY, Row

_ROOT = Path(__file__).parents[1]
_RECORDERS = {OURS, VCRPY, CASSETTER}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_all_contestants_of_a_row_are_measured_in_the_same_rounds_against_its_targets() -> None:
    # In a process of its own: vcrpy and cassetter patch this one.
    run = [sys.executable, "-m", "benchmarks", "--tiny", "--rounds", "1", "--json"]
    ran = subprocess.run(run, cwd=_ROOT, capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stderr
    rows: list[dict[str, Any]] = json.loads(ran.stdout)["rows"]
    targets = {row["what"]: [target["text"] for target in row["targets"]] for row in rows}
    assert targets["load 3 x 6 events"] == ["≤ 0.4x vcrpy", "≤ 0.85x cassetter"]
    assert targets["load vcrpy's 3 x 6 events"] == ["≤ 1.2x vcrpy"]
    assert targets["replay 6 pieces, async"] == ["≤ 1.25x plain"]
    assert targets["its first event"] == ["≤ +5 ms"]
    assert targets["start pytest, one test, no cassette"] == ["≤ +15 ms"]
    assert len(rows) == 17
    for row in rows:
        compared = set(row["rounds"])
        assert compared >= {OURS, PLAIN} or compared in (_RECORDERS, {OURS, VCRPY}), row["what"]
        assert len({len(seconds) for seconds in row["rounds"].values()}) == 1
        assert all(one > 0 for seconds in row["rounds"].values() for one in seconds)


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
    assert cells(lines[0]) == [
        "median (ours / theirs)",
        *(OURS, PLAIN, VCRPY, CASSETTER),
        *("target", "±"),
    ]
    assert set(lines[1]) == {"|", "-"}
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
