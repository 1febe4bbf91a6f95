"""`unused`: list or delete what no test used in a complete run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette import importers
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.run_pytest import run_pytest
from aquila_cassette.cli.shared_options import app
from aquila_cassette.errors import UsageError
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars


@app.command("unused")
def run(
    context: typer.Context,
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is unused.")] = False,
) -> int:
    """Run all tests and list what no test used. What follows -- is passed to pytest.

    Exit codes: 0, nothing is unused, or it is deleted; 1, something is; 2, the run was not complete.

    \b
    Example:
      aquila-cassette unused --delete -- -n 4
    """
    ran = run_pytest(["-q", "--aquila-record=none", *(context.obj or ())], Path.cwd())
    data = ran.facts
    if data.get("unused") is None:
        raise UsageError(
            "It is not known what no test uses: pytest did not run the whole suite.",
            fix="Fix: run it where pytest runs all tests, without -k, -m, --lf or paths",
        )
    if ran.status:
        print_error("Some tests failed; what they recorded counts as used.")
    unused = {Path(data["root"], path): numbers for path, numbers in data["unused"].items()}
    screen = Screen()
    for path, numbers in sorted(unused.items()):
        name = escape_control_chars(display_path(path))
        which = f": interaction {', '.join(map(str, numbers))}" if numbers else ""
        screen.line((name, "bold"), which)
    if not unused:
        print_error("Nothing is unused.")
    elif delete:
        for path, numbers in unused.items():
            if numbers:
                interactions = importers.load(path).interactions
                dropped = [interactions[number - 1] for number in numbers]
                files.save(path, [], drop=dropped.__contains__)
            else:
                with files.changing(path):
                    path.unlink()
        print_error(f"Removed what was unused of {count(len(unused), 'cassette')}.")
    return int(bool(unused) and not delete)
