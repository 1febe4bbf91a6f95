"""Save files in vcrpy's format in one step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped]
from vcr.serialize import deserialize, serialize  # type: ignore[import-untyped]

from aquila_cassette.errors import CassetteFormatError
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path

_ORIGIN = "_aquila_origin"
"""Where a request was read from; copies that vcrpy and hooks make have it too."""

Pair = tuple[Any, Any]


class Files:
    """The persister of one cassette; `others` are cassettes that are only read.

    With `replaces`, what is on file is not read, and replaced by what is saved.
    """

    def __init__(self, others: Sequence[str], *, replaces: bool) -> None:
        self.replaces = replaces
        self._others = [Path(path) for path in dict.fromkeys(others)]
        self._found: bytes | None = None

    def load_cassette(self, cassette_path: Any, serializer: Any) -> tuple[Any, ...]:
        own = Path(cassette_path)
        self._found = _bytes_of(own)
        pairs: list[Pair] = []
        metadata: list[Any] = []
        if self._found is not None and not self.replaces:
            pairs, *metadata = _read(self._found, own, serializer)
        for other in self._others:
            data = _bytes_of(other)
            if other != own and data is not None:
                pairs += _read(data, other, serializer)[0]
        if not pairs:
            raise CassetteNotFoundError
        return ([one for one, _ in pairs], [one for _, one in pairs], *metadata)

    def save_cassette(
        self, cassette_path: Any, cassette_dict: dict[str, Any], serializer: Any
    ) -> None:
        """Write the test's own cassette, and keep what other processes have saved since."""
        own = Path(cassette_path)
        requests, answers = cassette_dict["requests"], cassette_dict["responses"]
        pairs = list(zip(requests, answers, strict=True))
        with files.changing(own) as path:
            before = _bytes_of(path)
            if self.replaces or before is None or before == self._found:
                pairs = [one for one in pairs if getattr(one[0], _ORIGIN, own) == own]
            else:
                new = [one for one in pairs if not hasattr(one[0], _ORIGIN)]
                pairs = [*_read(before, own, serializer)[0], *new]
            kept = {
                **cassette_dict,
                "requests": [request for request, _ in pairs],
                "responses": [response for _, response in pairs],
            }
            files.replace_file(path, serialize(kept, serializer).encode("utf-8"))


def _bytes_of(path: Path) -> bytes | None:
    """Return what is on file; an empty file counts as none."""
    try:
        data = files.read(path)
    except FileNotFoundError:
        return None
    return data if data.strip() else None


def _read(data: bytes, path: Path, serializer: Any) -> tuple[Any, ...]:
    """Return the requests and responses of a file, then what vcrpy calls its metadata, if any."""
    try:
        requests, responses, *metadata = deserialize(data.decode("utf-8"), serializer)
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise CassetteFormatError(
            f"{display_path(path)} is no cassette that the suite's serializer reads.",
            path=path,
            facts=str(error).splitlines() or [type(error).__name__],
            fix="Fix: take it back from version control, or remove it and record again",
        ) from error
    for request in requests:
        setattr(request, _ORIGIN, path)
    return (list(zip(requests, responses, strict=True)), *metadata)
