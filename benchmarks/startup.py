"""What the plugin costs a suite that does not use it, and the first block of a process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.lab import Lab
from benchmarks.measure import (
    CASSETTER,
    OURS,
    PLAIN,
    VCRPY,
    Row,
    Sample,
    adds_no_more,
    take_turns,
)
from benchmarks.streams import request_body
from benchmarks.tools import TOOLS

_FIRST_BLOCK = """
import time
import httpx
started = time.process_time()
{}:
    pass
print(time.process_time() - started)
"""
_BLOCKS = {
    OURS: """
from aquila_cassette import aquila_cassette
with aquila_cassette("cassette", mode="none", cassette_dir=".", on_unplayed="ignore")""",
    VCRPY: """
import vcr
with vcr.use_cassette("cassette.yaml", record_mode="none")""",
    CASSETTER: """
import cassetter
with cassetter.use_cassette("cassette.yaml", record_mode="none")""",
}


def run(lab: Lab) -> list[Row]:
    """Measure pytest with and without the plugin; then each tool's first block, imports and all."""
    rounds = max(2, lab.sizes.rounds // 2)
    suite, environment = _suite(lab), _environment()
    starts = {
        OURS: _pytest(suite, environment, "aquila_cassette.plugin"),
        PLAIN: _pytest(suite, environment, "empty_plugin"),
    }
    start = take_turns(starts, rounds)["start"]
    turns = {who: _first_block(lab, environment, who) for who in TOOLS}
    blocks = take_turns(turns, rounds)["block"]
    return [
        Row("startup", "start pytest, one test, no cassette", start, [adds_no_more(start, 15)]),
        Row("startup", "first block of a process, with imports", blocks),
    ]


def _suite(lab: Lab) -> Path:
    folder = lab.new_folder()
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "empty_plugin.py").write_text("", encoding="utf-8")
    (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
    return folder


def _environment() -> dict[str, str]:
    # The turns that do not count compile all modules, also where the environment forbids it.
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _pytest(suite: Path, environment: dict[str, str], plugin: str) -> Callable[[], Sample]:
    # Other plugins stay out: they add noise, and hide the imports that they and ours share. An
    # empty plugin takes the place of ours, since pytest looks through all that is installed for each.
    environment = {
        **environment,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(suite),
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", plugin]

    def turn() -> Sample:
        before = _busy()
        subprocess.run(command, cwd=suite, env=environment, check=True, capture_output=True)
        return {"start": _busy() - before}

    return turn


def _busy() -> float:
    """Return how long the child processes so far kept a processor busy, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _first_block(lab: Lab, environment: dict[str, str], who: str) -> Callable[[], Sample]:
    folder = lab.record(who, [request_body(0, lab.sizes.events)])
    command = [sys.executable, "-c", _FIRST_BLOCK.format(_BLOCKS[who].strip())]

    def turn() -> Sample:
        ran = subprocess.run(
            command, cwd=folder, env=environment, check=True, capture_output=True, text=True
        )
        return {"block": float(ran.stdout)}

    return turn
