"""``diff``: what changed between two recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette import importers
from aquila_cassette.cli.changes import as_json, show_changes
from aquila_cassette.cli.folder import candidates, find
from aquila_cassette.cli.output import Screen
from aquila_cassette.cli.revisions import is_kept, tape_at
from aquila_cassette.errors import UsageError
from aquila_cassette.model import CassetteData
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.comparison import compare
from aquila_cassette.transcript.humanize import count, escape_control_chars

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
        The exit code: 0 where they are the same, 1 where they differ or only one is there.

    Raises:
        AquilaError: One of them cannot be read; or there is no such cassette, now or then.
    """
    screen = Screen()
    if other is not None:
        path = find(name, folder)
        if revision is not None:
            raise UsageError(
                "A cassette is compared with another file or with a commit, not with both.",
                facts=[f"OTHER: {other}", f"--git: {revision}"],
                fix="Leave one of them out.",
            )
        new_path = find(other, folder)
        old, new = importers.load(path), importers.load(new_path)
        was, now = display_path(path), display_path(new_path)
    else:
        revision = revision or "HEAD"
        path, committed, current = _then_and_now(name, folder, revision)
        was, now = f"{display_path(path)} ({revision})", display_path(path)
        if committed is None or current is None:
            return _only_one(path, revision, committed, current, screen, as_data=as_data)
        old, new = committed, current
    comparison = compare(old, new, everything=everything)
    if as_data:
        screen.data({"old": was, "new": now, **as_json(comparison)})
    elif comparison.same:
        but = "" if old == new else ", but for ids, dates, times and the like (--all shows them)"
        screen.line(f"The same{but}.")
    else:
        screen.line((f"--- {escape_control_chars(was)}", "bold"))
        screen.line((f"+++ {escape_control_chars(now)}", "bold"))
        screen.line(comparison.summary())
        screen.line()
        show_changes(screen, comparison)
    return 0 if comparison.same else 1


def _then_and_now(
    name: str, folder: Path, revision: str
) -> tuple[Path, CassetteData | None, CassetteData | None]:
    """Read a cassette as it was committed and as it is; None on the side where it is not."""
    try:
        path = find(name, folder)
    except UsageError as error:
        kept = [path for path in candidates(name, folder) if is_kept(path)]
        for path in kept:
            if (old := tape_at(revision, path)) is not None:
                return path, old, None
        if not kept:
            raise
        raise UsageError(
            f"There is no cassette {name!r}, and there was none in {revision}.",
            facts=error.facts,
            fix=error.fix,
        ) from None
    return path, tape_at(revision, path), importers.load(path)


def _only_one(
    path: Path,
    revision: str,
    old: CassetteData | None,
    new: CassetteData | None,
    screen: Screen,
    *,
    as_data: bool,
) -> int:
    """Say on which side a cassette is, where it is not on both."""
    tape = old or new
    assert tape is not None
    if as_data:
        sides = {
            "old": None if old is None else f"{display_path(path)} ({revision})",
            "new": None if new is None else display_path(path),
        }
        comparison = compare(old or CassetteData(), new or CassetteData())
        screen.data({**sides, **as_json(comparison), "same": False})
    else:
        where = "the working tree" if old is None else revision
        size = count(len(tape.interactions), "interaction")
        screen.line(
            (
                f"Only in {escape_control_chars(where)}: {escape_control_chars(display_path(path))}",
                "bold",
            ),
            f" ({size})",
        )
    return 1
