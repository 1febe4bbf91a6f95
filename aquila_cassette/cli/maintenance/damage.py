"""Files that are no cassette, or a damaged one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aquila_cassette import importers
from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.cli.maintenance.raw import raw_secrets
from aquila_cassette.errors import CassetteFormatError
from aquila_cassette.importers import FORMAT_NAMES, detect_format
from aquila_cassette.redaction import REDACTED
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.errors import CassetteError
    from aquila_cassette.importers import ForeignFormat
    from aquila_cassette.redaction import Redaction

__all__ = ["damage", "dangling", "hollow", "leaks", "of_another"]

# What filters of other recorders put in the place of secrets.
_MARK = re.compile(
    rb"(?:Bearer )?(?:(?i:\[?\b(?:REDACTED|FILTERED|DUMMY|X{4,})\b\]?)"
    rb"|<[A-Z][A-Z0-9_ -]*>|\*{4,})"
)


def of_another(path: Path) -> ForeignFormat | None:
    """Tell whose format a file has, if another recorder's: it replays as it lies.

    Args:
        path: The file.

    Raises:
        CassetteError: It has that format, and is damaged; or it cannot be read.
        FileNotFoundError: There is none.
    """
    kind = detect_format(files.read(path))
    if kind is not None:
        importers.load(path)
    return kind


def damage(path: Path, error: CassetteError) -> Finding:
    """Make a finding of what was raised when the file was read.

    Args:
        path: The file.
        error: What was raised.
    """
    kind = error.damage if isinstance(error, CassetteFormatError) else "unreadable"
    line = (error.line if isinstance(error, CassetteFormatError) else None) or 1
    # The finding has the path and the line in front of it already.
    what = error.what.removeprefix(display_path(path)).removeprefix(f", line {line}")
    return Finding(path, line, kind, what.removeprefix(":").strip().rstrip("."), _clause(error.fix))


def dangling(place: Path) -> Iterator[Finding]:
    """Find symbolic links that should lead to a cassette and lead nowhere.

    Args:
        place: A folder, or one file.
    """
    for path in [place] if place.is_symlink() else sorted(place.rglob("*")):
        is_one = path.suffix.lower() in (".yaml", ".yml") and not path.name.startswith(".")
        if is_one and path.is_symlink() and not path.exists():
            what = "it is a link that leads nowhere"
            yield Finding(path, 1, "unreadable", what, "put the file back, or delete the link")


def hollow(sheet: Sheet) -> Iterator[Finding]:
    """Find a cassette with nothing on it.

    Args:
        sheet: The file.
    """
    if not sheet.tape.interactions:
        what = "it has no interactions, so every request misses"
        line = sheet.line("interactions")
        yield Finding(sheet.path, line, "empty", what, "delete it and record again")


def leaks(path: Path, data: bytes, redact: Redaction, scrub: str = "") -> Iterator[Finding]:
    """Find secrets, and headers that are not kept, in a file that cannot be read.

    Args:
        path: The file.
        data: Its bytes.
        redact: The rules.
        scrub: The command that takes them out, or makes a cassette without them.
    """
    format_of_another = detect_format(data)
    where = "a damaged file"
    if format_of_another:
        where = FORMAT_NAMES[format_of_another]
        data = _MARK.sub(REDACTED.encode(), data)  # on the same lines
    for one in raw_secrets(data, redact):
        if format_of_another and not one.secret:  # other recorders keep all headers
            continue
        kind = "secret" if one.secret else "header"
        not_kept = "" if one.secret else " is not kept when recording"
        what = f"{one.kind}{not_kept}, in {where}"
        yield Finding(path, one.line, kind, what, scrub)


def _clause(fix: str) -> str:
    return fix.removeprefix("Fix: ")
