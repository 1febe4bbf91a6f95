"""Symbolic links that lead out of a shelf: what they lead to is not the shelf's to change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["way_out"]


def way_out(path: Path, homes: Iterable[Path], *, entry: bool = False) -> Path | None:
    """Give the file that a path leads to where that lies outside of the folder it is found in.

    Args:
        path: The path, as it was found or given.
        homes: The folders that were asked for, which may be links themselves; files among them
            are none. A path in none of them is at home in its own folder.
        entry: Whether the path itself counts, of a link the link, and not what it leads to.
    """
    real = Path(os.path.realpath(path.parent), path.name) if entry else Path(os.path.realpath(path))
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - of links, which stay, without any ".."
    folders = [home for home in homes if not home.is_file()]
    around = [home for home in folders if whole.is_relative_to(os.path.abspath(home))]  # noqa: PTH100
    for home in around or [path.parent]:
        if real.is_relative_to(os.path.realpath(home)):
            return None
    return real
