"""Where the cassette of a name lies, if no cassette of ours has that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.errors import CassetteNameError
from aquila_cassette.storage.names import cassette_path, shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SUFFIXES", "located", "stem"]

SUFFIXES = (".yaml", ".yml", ".json", ".har", ".yaml.gz", ".yml.gz", ".json.gz")
"""How the files of other recorders may end; vcrpy's own may have no suffix at all."""


def located(folder: Path, name: str) -> Path:
    """Give the file that cassette `name` means in `folder`, be it in another recorder's format.

    The file that `cassette_path` gives comes first, in whatever format it is. Only where there is
    none, that of the very name counts (``chat.json``, or ``chat`` as vcrpy leaves it), and then
    that of the name and one of `SUFFIXES`.

    Args:
        folder: The cassette folder.
        name: The cassette's name, with or without a suffix.

    Returns:
        The file; where there is none of all these, the one that is to be.

    Raises:
        CassetteNameError: The name is empty, is not portable, or leaves the folder; or several
            files could be meant.
    """
    usual = cassette_path(folder, name)
    if usual.exists():
        return usual
    if (verbatim := folder / name).is_file():
        return verbatim
    base = usual.name.removesuffix(".yaml")
    found = [path for end in SUFFIXES if _is_file(path := usual.with_name(base + end))]
    if len(found) > 1:
        suffix = found[0].name.removeprefix(base)
        raise CassetteNameError(
            f"The cassette name {name!r} may mean {len(found)} files.",
            facts=[shown(path) for path in found],
            fix=f'Fix: name the one that is meant, with its suffix: "{name}{suffix}"',
        )
    return found[0] if found else usual


def stem(file: str) -> str:
    """Give the name of a cassette in another recorder's file: without its suffix.

    Args:
        file: The file's name.

    Example:
        >>> stem("chat.hello.yaml.gz"), stem("chat.hello.json"), stem("chat.hello")
        ('chat.hello', 'chat.hello', 'chat.hello')
    """
    low = file.lower()
    ends = sorted((end for end in SUFFIXES if low.endswith(end)), key=len)
    return file[: -len(ends[-1])] if ends else file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # its name is too long for a file
        return False
