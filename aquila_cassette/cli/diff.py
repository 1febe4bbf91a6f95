"""`diff`: show what changed between two cassettes, or since a commit."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from aquila_cassette import importers
from aquila_cassette.cli.folder import find
from aquila_cassette.cli.output import Screen, print_diff
from aquila_cassette.cli.shared_options import Folder, app
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.model import CassetteData
from aquila_cassette.storage import format as cassette_format
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.comparison import compare
from aquila_cassette.transcript.humanize import escape_control_chars


@app.command("diff")
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A cassette, or a path.")],
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Another one, the newer.")
    ] = None,
    folder: Folder = FOLDER,
    revision: Annotated[
        str | None,
        typer.Option(
            "--git", metavar="REV", help="The commit to compare with, by default the last one."
        ),
    ] = None,
) -> int:
    """Show what changed between two cassettes, or since a commit.

    What differs each time is left out: ids, dates, padding, latencies, headers, and when the
    pieces came.

    Exit codes: 0, they are the same; 1, they differ, or only one exists; 2, one cannot be read.

    \b
    Example:
      aquila-cassette diff chat_live.responds --git main
    """
    path = find(name, folder)
    if other is not None:
        if revision is not None:
            raise UsageError("OTHER and --git exclude each other.", fix="Fix: leave one out")
        new_path = find(other, folder)
        old: CassetteData | None = importers.load(path)
        new = importers.load(new_path)
        was, now = display_path(path), display_path(new_path)
    else:
        revision = revision or "HEAD"
        old, new = _load_revision(revision, path), importers.load(path)
        was, now = f"{display_path(path)} ({revision})", display_path(path)
    screen = Screen()
    comparison = compare(old.interactions if old else (), new.interactions)
    is_same = comparison.same and old is not None
    if old is None:
        screen.line(escape_control_chars(f"{now} is not in {revision}."))
    elif is_same:
        but = "" if old == new else ", but for ids, dates, times and the like"
        screen.line(f"The same{but}.")
    else:
        print_diff([f"--- {was}", f"+++ {now}", *comparison.lines()], screen)
        screen.line((comparison.summary(), "bold"))
    return 0 if is_same else 1


def _load_revision(revision: str, path: Path) -> CassetteData | None:
    """Read a cassette as it was committed; None where it was not there."""
    commit = _git(path, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    name = f"./{Path(os.path.relpath(path)).as_posix()}"
    if not _git(path, "ls-tree", "--name-only", commit.decode().strip(), name):
        return None
    # With filters: line ends, and files kept elsewhere (LFS), come as a checkout gives them.
    data = _git(path, "cat-file", "--filters", f"{commit.decode().strip()}:{name}")
    try:
        return cassette_format.loads(data, path=path)
    except CassetteError as error:
        what = f"{display_path(path)} was no whole cassette in {revision}."
        raise _git_error(path, what, error.what) from error


def _git(path: Path, *arguments: str) -> bytes:
    """Return what git printed."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout
    except FileNotFoundError:
        raise UsageError("git is not installed here.", fix="Fix: install git") from None
    except subprocess.CalledProcessError as error:
        why = error.stderr.decode("utf-8", "replace").strip()
        what = f"git does not give {display_path(path)} as it was committed."
        raise _git_error(path, what, why) from None


def _git_error(path: Path, what: str, why: str) -> UsageError:
    command = f"aquila-cassette diff OLD.yaml {shlex.quote(display_path(path))}"
    return UsageError(what, facts=[why], fix=f"Fix: {command}")
