"""`unused`: list or delete what no test used in a complete run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquila_cassette import importers
from aquila_cassette.cli.folder import read_note
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.errors import UsageError
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Sequence

Unused = dict[Path, list[int]]
"""For each cassette the numbers of the interactions that are unused; none if all of it is."""


def read_unused(folder: Path) -> Unused | None:
    """Return what the last complete run noted; None if no run did.

    A cassette that was changed since has other numbers, and may be used now.
    """
    note = read_note("unused", folder)
    if note is None:
        return None
    noted = _absolute(note.root, note.content or {})
    return {
        path: numbers
        for path, numbers in noted.items()
        if path.exists() and path.stat().st_mtime_ns <= note.written_at
    }


def _absolute(root: Path, noted: dict[str, list[int]]) -> Unused:
    return {(root / path).absolute(): numbers for path, numbers in noted.items()}


def run(arguments: Sequence[str], *, delete: bool) -> int:
    """Run the whole suite and list what it did not use, or delete that; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="aquila-cassette-") as temporary:
        report = Path(temporary, "unused.json")
        pytest = [sys.executable, "-m", "pytest", "-q", f"--aquila-unused-report={report}"]
        ran = subprocess.run(
            [*pytest, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={"AQUILA_RECORD": "none"} | os.environ,
        )
        data: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
    if data.get("unused") is None:
        print_error(escape_control_chars(ran.stdout).rstrip())
        raise UsageError(
            "It is not known what no test uses: pytest did not run the whole suite.",
            fix="Fix: run it where pytest runs all tests, without -k, -m, --lf or paths",
        )
    if ran.returncode:
        print_error("Some tests failed; what they recorded counts as used.")
    unused = _absolute(Path(data["root"]), data["unused"])
    screen = Screen()
    for path, numbers in sorted(unused.items()):
        name = escape_control_chars(display_path(path))
        which = f": interaction {', '.join(map(str, numbers))}" if numbers else ""
        screen.line((name, "bold"), which)
    if not unused:
        print_error("Nothing is unused.")
    elif delete:
        for path, numbers in unused.items():
            _delete(path, numbers)
        print_error(f"Removed what was unused of {count(len(unused), 'cassette')}.")
    return int(bool(unused) and not delete)


def _delete(path: Path, numbers: Sequence[int]) -> None:
    """Delete interactions of a cassette; all of it without numbers."""
    if numbers:
        interactions = importers.load(path).interactions
        dropped = [interactions[number - 1] for number in numbers]
        files.save(path, [], drop=dropped.__contains__)
    else:
        with files.changing(path):
            path.unlink()
