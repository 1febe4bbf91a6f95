"""Many processes and one file, and a process that is killed while it saves."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aquila_cassette.storage.files import load, save
from tests.storage.cassettes import said

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

WORKERS, ROUNDS = 8, 2


def _work(path: Path, worker: int, start: Barrier) -> None:
    start.wait()
    for number in range(ROUNDS):
        save(path, [said(f"{worker} says {number}", number=number)])
        load(path)  # what others are saving meanwhile is never seen by halves


def test_eight_processes_that_save_into_one_file_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cassettes" / "chat.yaml"
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(WORKERS)
    workers = [spawn.Process(target=_work, args=(path, n, start)) for n in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * WORKERS
    on_file = load(path).interactions
    for worker in range(WORKERS):
        mine = [said(f"{worker} says {number}", number=number) for number in range(ROUNDS)]
        assert [one for one in on_file if one in mine] == mine
    assert len(on_file) == WORKERS * ROUNDS
    assert [entry.name for entry in path.parent.iterdir()] == ["chat.yaml"]


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="it forks")
@pytest.mark.parametrize("begin", ["nothing", "a cassette"])
def test_a_save_killed_at_any_step_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, begin: str
) -> None:
    path = tmp_path / "chat.yaml"
    if begin == "a cassette":
        save(path, [said("old")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.killed", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    states = told["states"]
    assert set(states) == {"old", "new"}
    assert states == sorted(states, reverse=True)  # all the old ones come first
    assert told["leftovers"] > 0
    assert len(load(path).interactions) == (2 if begin == "a cassette" else 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["chat.yaml"]
