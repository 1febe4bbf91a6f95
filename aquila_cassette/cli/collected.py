"""What pytest collects here, asked of a pytest of its own that runs no test."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.census import Census

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["COMMAND", "census", "merged"]

COMMAND = "python -m pytest --collect-only -q"
"""What a person runs to see the same."""

_QUIETLY = ("--collect-only", "-q", "--maxfail=0", "-p", "no:cacheprovider")
_PLUGIN = "aquila_cassette.plugin.census"


def census(files: Sequence[str] = ()) -> Census | None:
    """Collect the tests of the project that this is run in.

    Args:
        files: Files to collect; none for those that the project's configuration names.

    Returns:
        What was collected; None where pytest did not get that far.
    """
    with tempfile.TemporaryDirectory(prefix="aquila-cassette-") as folder:
        target = Path(folder, "census.json")
        # A run that is measured would be measured anew, by tests that did not run.
        unmeasured = ["--no-cov"] if find_spec("pytest_cov") else []
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", *_QUIETLY, *unmeasured),
                *("-p", _PLUGIN, "--aquila-census", str(target), *files),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if not target.exists():
            return None
        return Census.of(json.loads(target.read_text("utf-8")))


def merged(first: Census, tests: Iterable[str]) -> Census:
    """Collect also the files of `tests` that the configuration does not name.

    Args:
        first: What was collected by that.
        tests: Node ids, as ``recorded_by`` has them.
    """
    named = dict.fromkeys(test.partition("::")[0] for test in tests)
    files = [
        file
        for file in named
        if file not in first.files
        and file not in first.unsure
        and file.endswith(".py")
        and (first.root / file).is_file()
    ]
    if not files:
        return first
    second = census([str(first.root / file) for file in files])
    if second is None or second.root != first.root:
        return first
    return Census(
        first.root,
        {**second.tests, **first.tests},
        first.files | second.files,
        (*first.unsure, *second.unsure),
        {**second.rules, **first.rules},
        first.marked | second.marked,
    )
