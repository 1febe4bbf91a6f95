"""Kill a save at each of its steps in turn, and tell what each left behind; run by a test.

A step is a line of the modules that touch the file system, or anything that Python audits (opening,
renaming, removing). Every step gets a fork of its own, which kills itself there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquila_cassette.storage import files
from tests.storage.cassettes import said

if TYPE_CHECKING:
    from types import FrameType

WATCHED = {files.__file__}


def arm(step: int) -> None:
    """Have this process killed at the given step from now on."""
    left = step

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in WATCHED:
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
        files.save(path, [said("new")])
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def main(path: Path) -> None:
    old = path.read_bytes() if path.exists() else None
    files.save(path, [said("new")])
    new = path.read_bytes()
    states, leftovers, step, killed = [], 0, 0, True
    while killed:
        if old is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(old)
        step += 1
        killed = killed_at(step, path)
        now = path.read_bytes() if path.exists() else None
        states.append("old" if now == old else "new" if now == new else repr(now))
        leftovers += len(list(path.parent.iterdir())) - (now is not None)
        if now == old:
            files.save(path, [said("new")])  # the next save finds nothing in its way
    assert path.read_bytes() == new
    print(json.dumps({"states": states, "leftovers": leftovers}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
