"""Many processes and one file, and a process that is killed while it saves."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.synchronize import Barrier
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from aquila_cassette.storage import files
from aquila_cassette.storage.files import load, save
from tests.storage.cassettes import said

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


# A step of a save is a line of the module that touches the file system, or anything that Python
# audits. Every step gets a fork of its own, which kills itself there.


def arm(step: int) -> None:
    """Have this process killed at the given step from now on."""
    left = step

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != files.__file__:
            return None
        if event == "line":
            count()
        return trace

    def audit(event: str, _: Any) -> None:
        if event == "open" or event.startswith(("os.", "fcntl.")):
            count()

    sys.settrace(trace)
    sys.addaudithook(audit)


def killed_at(step: int, path: Path) -> bool:
    child = os.fork()
    if child == 0:
        arm(step)
        save(path, [said("new")])
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(path: Path) -> None:
    old = path.read_bytes() if path.exists() else None
    save(path, [said("new")])
    new = path.read_bytes()
    states, leftovers, step, killed = [], 0, 0, True
    while killed:
        path.unlink(missing_ok=True)
        if old is not None:
            path.write_bytes(old)
        step += 1
        killed = killed_at(step, path)
        now = path.read_bytes() if path.exists() else None
        states.append("old" if now == old else "new" if now == new else repr(now))
        leftovers += len(list(path.parent.iterdir())) - (now is not None)
        if now == old:
            save(path, [said("new")])  # the next save finds nothing in its way
    assert path.read_bytes() == new
    print(json.dumps({"states": states, "leftovers": leftovers}))  # noqa: T201


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
@pytest.mark.parametrize("begin", ["nothing", "a cassette"])
def test_a_save_killed_at_any_step_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, begin: str
) -> None:
    path = tmp_path / "chat.yaml"
    if begin == "a cassette":
        save(path, [said("old")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.test_files_shared", str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    states = report["states"]
    assert set(states) == {"old", "new"}
    assert states == sorted(states, reverse=True)  # all the old ones come first
    assert report["leftovers"] > 0
    assert len(load(path).interactions) == (2 if begin == "a cassette" else 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["chat.yaml"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
