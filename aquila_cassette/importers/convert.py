"""A file written in the format of another recorder: redacted, and read back before it counts."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from aquila_cassette.errors import CassetteError, CassetteSaveError, SecretLeakError, UsageError
from aquila_cassette.importers import Import, detect_format, read_foreign, vcrpy
from aquila_cassette.model import CassetteData
from aquila_cassette.storage import files
from aquila_cassette.storage.format import as_read, dumps, loads
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction
    from aquila_cassette.redaction import Redaction

__all__ = ["Conversion", "Target", "convert", "write"]

Target: TypeAlias = Literal["v1", "vcrpy"]
"""What is written: our format, or vcrpy's YAML."""

_LOCK_TIMEOUT = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a file is to become.

    Args:
        source: The file.
        data: What it holds.
        origin: Its format; empty for ours.
        target: The format it is to have.
        interactions: What is then in the cassette.
        text: The text to write; empty where the file has that format already.
        hidden: What redaction took out, and how often.
        lost: What the new format cannot hold, a line for each.
    """

    source: Path
    data: bytes = field(repr=False)
    origin: str
    target: Target
    interactions: tuple[Interaction, ...]
    text: str = field(repr=False)
    hidden: Counter[str]
    lost: tuple[str, ...] = ()


def convert(path: Path, target: Target, redact: Redaction) -> Conversion:
    """Read a file and return what it is to become; nothing is written.

    Raises:
        CassetteFormatError: It is no cassette, or a damaged one.
        SecretLeakError: What would be written holds a known secret all the same.
    """
    data = files.read(path)
    found = read_foreign(data, path=path) if detect_format(data) else None
    cassette, skipped = found or Import(loads(data, path=path))
    hidden: Counter[str] = Counter()
    origin = cassette.foreign
    if origin == ("" if target == "v1" else "vcrpy"):
        return Conversion(path, data, origin, target, cassette.interactions, "", hidden)
    clean = tuple(as_read(_clean(one, redact, hidden)) for one in cassette.interactions)
    lost = [f"interactions {one}: left out" for one in skipped]
    if target == "v1":
        text = dumps(CassetteData(clean, files.program()))
    else:
        for number, one in enumerate(clean, 1):
            if what := vcrpy.losses(one):
                lost.append(f"interaction {number}: {what}")
        clean = tuple(one for one in clean if one.response.status is not None)
        text = vcrpy.dumps(clean)
    if leaks := redact.leaks(text):
        raise SecretLeakError(
            f"{display_path(path)} was not converted, since the new file would hold a secret.",
            path=path,
            facts=[f"line {leak.line} of it: {leak.kind}" for leak in leaks],
            fix="Fix: name the field it is in with --redact",
        )
    return Conversion(path, data, origin, target, clean, text, hidden, tuple(lost))


def _clean(one: Interaction, redact: Redaction, hidden: Counter[str]) -> Interaction:
    for message in (one.request, one.response):
        hidden.update(found.kind for found in redact.findings(message) if found.secret)
    return replace(
        one,
        request=redact.request(one.request),
        response=redact.response(one.response),
        recorded_by=one.recorded_by and redact.text(one.recorded_by),
    )


def write(
    conversion: Conversion, path: Path, *, in_place: bool = False, dry_run: bool = False
) -> bool:
    """Write what a file is to become, and read it back before it takes its place.

    Args:
        conversion: What to write.
        path: Where to. No other file is overwritten.
        in_place: Whether `path` may be the converted file itself, if it still holds what it held.
        dry_run: Whether only to see that it could be.

    Returns:
        Whether it was written; False where the same is there already.

    Raises:
        UsageError: Another file is there.
        CassetteSaveError: It could not be written, or would not read back; nothing was changed.
    """
    data = conversion.text.encode()
    target = Path(os.path.realpath(path))
    try:
        if dry_run:
            return _is_new(data, conversion, path, target, in_place=in_place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with files.locked(target, _LOCK_TIMEOUT):
            files.remove_leftovers(target)
            if not _is_new(data, conversion, path, target, in_place=in_place):
                return False
            check = lambda written: _check_reads_back(written, conversion, path)  # noqa: E731
            files.replace_file(target, data, check=check)
    except OSError as error:
        raise files.save_error(error, path) from error
    return True


def _is_new(
    data: bytes, conversion: Conversion, path: Path, target: Path, *, in_place: bool
) -> bool:
    """Return whether `data` is not there yet; refuse to overwrite anything else."""
    before = target.read_bytes() if target.exists() else None
    if before is None or before == data:
        return before is None
    if not in_place or target != Path(os.path.realpath(conversion.source)):
        raise UsageError(
            f"There is a file at {display_path(path)} already; it is not overwritten.",
            fix="Fix: move it away, or write into another folder with -o FOLDER",
        )
    if before != conversion.data:
        raise CassetteSaveError(
            f"{display_path(path)} was changed while it was converted.",
            path=path,
            facts=["Nothing was written."],
            fix="Fix: run the command again",
        )
    return True


def _check_reads_back(written: bytes, conversion: Conversion, path: Path) -> None:
    try:
        if conversion.target == "v1":
            same = loads(written, path=path).interactions == conversion.interactions
        else:
            same = vcrpy.holds(written.decode(), conversion.interactions)
    except CassetteError:
        same = False
    if not same:
        raise files.read_back_error(path)
