"""Cassette names: name to path, path to name, and the name that a test id gives."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from aquila_cassette.errors import CassetteNameError

_SUFFIXES = (".yaml", ".yml")
# What pytest-recording replaces, so that a suite that moves over finds its names again.
_UNSAFE = re.compile(r"""[<>?%*:|"'/\\\x00-\x1f\x7f\ud800-\udfff]""")
_REFUSED = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f\ud800-\udfff]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_LONGEST = 120  # bytes of a name made from a test id: a path of it stays under Windows's 260
_LONGEST_PART = 250  # bytes: with `.yaml`, what every file system takes


def cassette_path(folder: Path, name: str) -> Path:
    """Return the file that cassette `name` means in `folder`; it need not exist."""
    for part in name.split("/"):
        is_portable = part and part[-1] not in ". " and not _REFUSED.search(part)
        if not is_portable or _RESERVED.match(part) or len(part.encode()) > _LONGEST_PART:
            raise _refused(name, f"{part!r} is no portable file name", folder)
    path = folder / (name if name.lower().endswith(_SUFFIXES) else name + _SUFFIXES[0])
    inside = [path, *path.parents[: name.count("/")]]
    if any(map(os.path.islink, inside)):
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(os.path.realpath(folder)):
            raise _refused(name, f"it leads out of the cassette folder, to {str(real)!r}", folder)
    return path


def _refused(name: str, why: str, folder: Path) -> CassetteNameError:
    return CassetteNameError(
        f"The cassette name {name!r} cannot be used: {why}.",
        facts=[f"folder: {display_path(folder)}"],
        fix="Fix: use letters, digits, '_', '-', '.', and '/' for a folder inside that one",
    )


def cassettes_in(place: Path) -> Iterator[Path]:
    """Yield the YAML files in a folder and below, by name; of a file the file itself."""
    for path in files_in(place):
        if path == place or path.suffix.lower() in _SUFFIXES:
            yield path


def files_in(place: Path) -> Iterator[Path]:
    """Yield the files in a folder and below that are not hidden, by name; of a file the file itself."""
    if place.is_file():
        yield place
        return
    for path in sorted(place.rglob("*")):
        visible = not any(part.startswith(".") for part in path.relative_to(place).parts)
        if visible and path.is_file():
            yield path


def name_of_test(node_id: str) -> str:
    """Return the name of the cassette of a test, safe as a file name.

    What is too long is cut and ends in a hash of the whole, so that two long names stay two.
    """
    module, _, inside = node_id.partition("::")
    folder = PurePosixPath(module).with_suffix("").parts
    test = ".".join(inside.split("::", inside.partition("[")[0].count("::")))
    return "/".join([*(_safe(part) for part in folder if part != ".."), _safe(test)])


def _safe(text: str) -> str:
    name = _UNSAFE.sub("-", text)
    if not name.rstrip(". ") or _RESERVED.match(name):
        name = f"-{name}"
    name = re.sub(r"[. ]$", "-", name)
    if len(name.encode()) > _LONGEST:
        import hashlib  # hardly ever needed

        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        start = name.encode()[: _LONGEST - 9].decode("utf-8", "ignore")
        name = f"{start}-{digest}"
    return name


def display_path(path: Path) -> str:
    """Return `path` as messages have it: from the working directory where it is inside."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return str(path)
