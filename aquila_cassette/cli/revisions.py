"""Cassettes as git has them."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from aquila_cassette.cassette import format as cassette_format
from aquila_cassette.cassette.names import shown
from aquila_cassette.errors import CassetteError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from aquila_cassette.cassette.model import Tape

__all__ = ["tape_at"]

# Within a hook of git's these name the repository from another folder than ours.
_WHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX")


def tape_at(revision: str, path: Path) -> Tape:
    """Read a cassette as it was committed.

    Args:
        revision: A commit, as git takes it: ``HEAD``, ``main``, ``v1.2``, ``HEAD~3``.
        path: The file as it is now.

    Raises:
        UsageError: There is no git, no repository, no such revision, or no such file in it; or
            what was committed is no cassette.
    """
    if _git(path, "rev-parse", "--is-inside-work-tree") is None:
        raise _refused(path, f"{shown(path)} is in no git repository.")
    found = _git(
        path, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if found is None:
        raise _refused(path, f"git knows no revision {revision!r}.")
    # With filters: line ends, and files kept elsewhere (LFS), come as a checkout gives them.
    data = _git(path, "cat-file", "--filters", f"{found.decode().strip()}:./{path.name}")
    if data is None:
        raise _refused(path, f"{shown(path)} is not in {revision}.")
    try:
        return cassette_format.loads(data, path=path)
    except CassetteError as error:
        what = f"{shown(path)} was no whole cassette in {revision}."
        raise _refused(path, what, error.what) from error


def _git(path: Path, *arguments: str) -> bytes | None:
    """Give what git wrote, beside the file; None where it says no."""
    environment = {name: value for name, value in os.environ.items() if name not in _WHERE}
    try:
        ran = subprocess.run(
            ["git", *arguments], cwd=path.parent, env=environment, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise _refused(path, "git is not installed here.") from None
    return ran.stdout if ran.returncode == 0 else None


def _refused(path: Path, what: str, *facts: str) -> UsageError:
    command = f"aquila-cassette diff OLD.yaml {shlex.quote(shown(path))}"
    return UsageError(what, facts=facts, remedy=f"Compare with another file: {command}")
