"""Convert a file from one recorder's format to another, and check the result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from aquila_cassette.errors import SecretLeakError, UsageError
from aquila_cassette.importers import read_foreign, vcrpy
from aquila_cassette.model import CassetteData, Interaction
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage import files
from aquila_cassette.storage.bodies import one_at_a_time
from aquila_cassette.storage.format import as_read, encode, loads
from aquila_cassette.storage.names import display_path
from aquila_cassette.storage.yaml_reader import joined

Target: TypeAlias = Literal["v1", "vcrpy"]


@dataclass(frozen=True, slots=True)
class Conversion:
    source: Path
    origin: str  # its format; empty for ours
    target: Target
    interactions: tuple[Interaction, ...]  # that are then in the cassette
    data: bytes = field(repr=False)  # to write; empty where the file has that format already
    hidden: Counter[str]  # what redaction took out, and how often
    lost: tuple[str, ...] = ()  # what the new format cannot hold, a line for each
    left_out: int = 0  # how many interactions are no HTTP


def convert(path: Path, target: Target, redact: Redaction) -> Conversion:
    """Read a file and return what it is to become; nothing is written."""
    data = files.read(path)
    cassette = read_foreign(data, path=path) or loads(data, path=path)
    hidden: Counter[str] = Counter()
    origin = cassette.foreign
    if origin == ("" if target == "v1" else "vcrpy"):
        return Conversion(path, origin, target, cassette.interactions, b"", hidden)
    found = one_at_a_time(cassette.interactions)
    clean = tuple(as_read(_clean(one, redact, hidden)) for one in found)
    left_out = cassette.left_out
    del data, cassette, found  # for the sake of memory
    lost = []
    if target == "v1":
        new = encode(CassetteData(clean, files.program()))
    else:
        losses = enumerate(map(vcrpy.losses, clean), 1)
        lost = [f"interaction {number}: {what}" for number, what in losses if what]
        clean = tuple(one for one in clean if one.response.status is not None)
        new = joined(vcrpy.chunks(clean))
    if leaks := redact.leaks(new):
        raise SecretLeakError(
            f"{display_path(path)} was not converted, since the new file would hold a secret.",
            path=path,
            facts=[f"line {leak.line} of it: {leak.kind}" for leak in leaks],
            fix="Fix: name the field it is in with --redact",
        )
    return Conversion(path, origin, target, clean, new, hidden, tuple(lost), left_out)


def _clean(one: Interaction, redact: Redaction, hidden: Counter[str]) -> Interaction:
    for message in (one.request, one.response):
        hidden.update(found.kind for found in redact.findings(message))
    return redact.interaction(one)


def write(
    conversion: Conversion, path: Path, *, in_place: bool = False, dry_run: bool = False
) -> bool:
    """Write what a file is to become; return False where it is there already.

    No file is overwritten but, `in_place`, the converted one. With `dry_run` nothing is written.
    """
    if dry_run:
        return _is_new(conversion, path, in_place=in_place)

    with files.changing(path) as target:
        is_new = _is_new(conversion, path, in_place=in_place)
        if is_new:
            if conversion.target == "v1":
                files.check_reads_back(conversion.data, conversion.interactions, path)
            elif not all(map(vcrpy.reads_back, one_at_a_time(conversion.interactions))):
                raise files.read_back_error(path)
            files.replace_file(target, conversion.data)
    return is_new


def _is_new(conversion: Conversion, path: Path, *, in_place: bool) -> bool:
    """Return whether its data is not there yet; refuse to overwrite anything else."""
    before = files.read(path) if path.exists() else None
    if before is None or before == conversion.data:
        return before is None
    if not in_place or path.resolve() != conversion.source.resolve():
        raise UsageError(
            f"There is a file at {display_path(path)} already; it is not overwritten.",
            fix="Fix: move it away, or write into another folder with -o FOLDER",
        )
    return True
