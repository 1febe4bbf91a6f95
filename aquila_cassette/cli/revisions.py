"""Cassettes as git has them."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.storage import format as cassette_format
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.model import CassetteData

__all__ = ["is_kept", "tape_at"]

# Within a hook of git's these name the repository from another folder than ours.
_WHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX")


def is_kept(path: Path) -> bool:
    """Tell whether a file lies in a git repository, or would if it were there.

    Args:
        path: The file.

    Raises:
        UsageError: There is no git.
    """
    return _git(path, "rev-parse", "--is-inside-work-tree") is not None


def tape_at(revision: str, path: Path) -> CassetteData | None:
    """Read a cassette as it was committed.

    Args:
        revision: A commit, as git takes it: ``HEAD``, ``main``, ``v1.2``, ``HEAD~3``.
        path: The file, which need not be there now.

    Returns:
        What was on it; None where it was not there.

    Raises:
        UsageError: There is no git, no repository, or no such revision; or what was committed is
            no cassette.
    """
    if not is_kept(path):
        raise _refused(path, f"{display_path(path)} is in no git repository.")
    found = _git(
        path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if found is None:
        raise _refused(path, f"git knows no revision {revision!r}.")
    there = f"{found.decode().strip()}:./{path.relative_to(_nearest(path)).as_posix()}"
    if _git(path, "cat-file", "-e", there) is None:
        return None
    # With filters: line ends, and files kept elsewhere (LFS), come as a checkout gives them.
    data = _git(path, "cat-file", "--filters", there)
    if data is None:
        raise _refused(path, f"{display_path(path)} cannot be read from {revision}.")
    try:
        return cassette_format.loads(data, path=path)
    except CassetteError as error:
        what = f"{display_path(path)} was no whole cassette in {revision}."
        raise _refused(path, what, error.what) from error


def _git(path: Path, *arguments: str) -> bytes | None:
    """Give what git wrote, beside the file; None where it says no."""
    environment = {name: value for name, value in os.environ.items() if name not in _WHERE}
    try:
        ran = subprocess.run(
            ["git", *arguments],
            cwd=_nearest(path),
            env=environment,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise _refused(path, "git is not installed here.") from None
    return ran.stdout if ran.returncode == 0 else None


def _nearest(path: Path) -> Path:
    """Give the innermost folder around a file that is there: git runs in none that was removed."""
    return next((folder for folder in path.parents if folder.is_dir()), path.parent)


def _refused(path: Path, what: str, *facts: str) -> UsageError:
    command = f"aquila-cassette diff OLD.yaml {shlex.quote(display_path(path))}"
    return UsageError(what, facts=facts, fix=f"Compare with another file: {command}")
