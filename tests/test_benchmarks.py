"""The benchmarks run, compare the same work, and print what they measured."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import measure
from benchmarks.measure import CASSETTER, OURS, PLAIN, VCRPY

_ROOT = Path(__file__).parents[1]
_RECORDERS = {OURS, VCRPY, CASSETTER}


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


def test_a_ratio_is_the_median_of_the_ratios_within_rounds() -> None:
    # The second round ran on a busy machine, which slowed both sides ten times.
    assert measure.ratio([1.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == 2.0
    assert measure.added_ms([0.001, 0.020, 0.002], [0.001, 0.010, 0.001]) == pytest.approx(1.0)
