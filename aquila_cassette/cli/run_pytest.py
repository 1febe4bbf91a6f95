"""Run pytest for `record` and `unused`: show its output without secrets, read what the plugin reports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aquila_cassette.cli.output import print_error
from aquila_cassette.redaction import Redaction
from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from types import FrameType

_INTERNAL_ERROR = 3  # pytest's exit code; pytest itself is not loaded here
_IS_POSIX = os.name == "posix"


@dataclass
class PytestRun:
    """A run that is over; `facts` is the plugin's `Tally`, empty where pytest did not get to its end."""

    facts: Mapping[str, Any]
    status: int
    is_stopped: bool  # by Ctrl-C

    @property
    def broke_off(self) -> bool:
        """Whether pytest ended by an accident of its own: killed, crashed, an internal error."""
        return not self.is_stopped and (not self.facts or self.status == _INTERNAL_ERROR)


def run_pytest(arguments: Sequence[str], root: Path, tests: Sequence[str] = ()) -> PytestRun:
    """Run some tests, or all; what pytest prints goes to standard error.

    Ctrl-C is passed on once: pytest then ends by itself, and its cassettes are whole. A second
    one kills it.
    """
    with tempfile.TemporaryDirectory(prefix="aquila-cassette-") as folder:
        report, selected, modules = (Path(folder, name) for name in ("report", "tests", "modules"))
        command = [sys.executable, "-m", "pytest", f"--aquila-report={report}", *arguments]
        if tests:
            # Files, not tests: pytest runs nothing at all if one of the tests that it is given is gone.
            files = dict.fromkeys(test.partition("::")[0] for test in tests)
            existing = [one for one in files if (root / one).exists()]
            selected.write_text(json.dumps(tests), "utf-8")
            modules.write_text("".join(f"{one}\n" for one in existing), "utf-8")
            command += [f"--aquila-select={selected}", f"@{modules}"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd=root,
            # A terminal would pass Ctrl-C on as well, and a second one cuts its end short.
            process_group=0 if _IS_POSIX else None,
        )
        is_stopped, redact = False, Redaction()

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            nonlocal is_stopped
            if is_stopped:
                process.kill()
            elif _IS_POSIX:
                process.send_signal(signal.SIGINT)
            is_stopped = True

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            with process:
                assert process.stdout is not None
                for line in process.stdout:
                    print_error(escape_control_chars(redact.text(line)).rstrip("\n"))
        finally:
            process.kill()  # if it is still there
            signal.signal(signal.SIGINT, before)
        facts = json.loads(report.read_text("utf-8")) if report.exists() else {}
        return PytestRun(facts, process.returncode, is_stopped)
