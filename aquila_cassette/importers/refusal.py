"""The errors for files of other recorders that something would write."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteFormatError, CassetteSaveError
from aquila_cassette.importers.detect import NAMES
from aquila_cassette.storage.names import shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["convert_command", "not_ours", "refuse_to_record"]


def not_ours(path: Path, kind: str) -> CassetteFormatError:
    """Make the error for a file that must be of our format, and is of another.

    Args:
        path: The file.
        kind: Whose format it has.
    """
    return CassetteFormatError(
        f"{shown(path)}: the file is in {NAMES[kind]}, which is only read, to replay and show it.",
        path=path,
        fix=f"Fix: {convert_command(path)}",
    )


def refuse_to_record(path: Path, kind: str, mode: str) -> CassetteSaveError:
    """Make the error for a mode that would write into such a file.

    Args:
        path: The file.
        kind: Whose format it has.
        mode: The record mode.
    """
    return CassetteSaveError(
        f"{shown(path)} is in {NAMES[kind]}: it can be replayed, not recorded into.",
        path=path,
        facts=[f"mode: {mode}"],
        fix=f"Convert it first: {convert_command(path)}",
    )


def convert_command(path: Path) -> str:
    """Give the command that makes a cassette of ours out of such a file.

    Args:
        path: The file.
    """
    in_place = " --in-place" if path.suffix == ".yaml" else ""
    return f"aquila-cassette convert {shlex.quote(shown(path))}{in_place}"
