"""Temporary files that a save left behind when it was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import MENDS, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["leftovers", "leftovers_in"]


def leftovers_in(folder: Path) -> list[Path]:
    """List the temporary files in `folder` and the folders below.

    Args:
        folder: Nothing is in one that does not exist.
    """
    return sorted(path for path in folder.rglob(".aquila-*.tmp") if path.is_file())


def leftovers(paths: list[Path]) -> Iterator[Finding]:
    """Make a finding of each.

    Args:
        paths: What `leftovers_in` gives.
    """
    for path in paths:
        what = "a temporary file of a save that was killed"
        yield Finding(path, 1, "leftover", what, MENDS, mends=True)
