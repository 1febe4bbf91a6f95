"""``diff``: what changed between two recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cassette import files
from aquila_cassette.cassette.comparison import compare
from aquila_cassette.cassette.names import shown
from aquila_cassette.cassette.words import clean
from aquila_cassette.cli.changes import as_json, show_changes
from aquila_cassette.cli.folder import find
from aquila_cassette.cli.revisions import tape_at
from aquila_cassette.cli.screen import Screen
from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run"]


def run(
    name: str,
    other: str | None,
    folder: Path,
    *,
    revision: str | None,
    everything: bool,
    as_data: bool,
) -> int:
    """Say how a cassette differs from another, or from what was committed.

    Args:
        name: The cassette: the older of two where there is another.
        other: The newer one; None to compare `name` with what git has of it.
        folder: The cassette folder.
        revision: The commit to compare with; None for the last one.
        everything: Whether what differs each time counts.
        as_data: Whether a program reads it.

    Returns:
        The exit code: 0 where they are the same, 1 where they differ.

    Raises:
        AquilaError: One of them cannot be read.
    """
    path = find(name, folder)
    if other is not None:
        if revision is not None:
            raise UsageError(
                "A cassette is compared with another file or with a commit, not with both.",
                facts=[f"OTHER: {other}", f"--git: {revision}"],
                remedy="Leave one of them out.",
            )
        new_path = find(other, folder)
        old, new = files.load(path), files.load(new_path)
        was, now = shown(path), shown(new_path)
    else:
        revision = revision or "HEAD"
        old, new = tape_at(revision, path), files.load(path)
        was, now = f"{shown(path)} ({revision})", shown(path)
    comparison = compare(old, new, everything=everything)
    screen = Screen()
    if as_data:
        screen.data({"old": was, "new": now, **as_json(comparison)})
    elif comparison.same:
        but = "" if old == new else ", but for ids, dates, times and the like (--all shows them)"
        screen.line(f"The same{but}.")
    else:
        screen.line((f"--- {clean(was)}", "bold"))
        screen.line((f"+++ {clean(now)}", "bold"))
        screen.line(comparison.summary())
        screen.line()
        show_changes(screen, comparison)
    return 0 if comparison.same else 1
