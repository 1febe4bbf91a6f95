"""The persister of cassettes, unless a suite registers its own: files, saved in one step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from vcr.persisters.filesystem import CassetteNotFoundError  # type: ignore[import-untyped]
from vcr.serialize import deserialize, serialize  # type: ignore[import-untyped]

from aquila_cassette.errors import CassetteFormatError
from aquila_cassette.importers import OURS
from aquila_cassette.model import Interaction
from aquila_cassette.redaction import Redaction
from aquila_cassette.session.saving import refuse_secrets
from aquila_cassette.storage import files
from aquila_cassette.storage.format import loads
from aquila_cassette.storage.names import display_path
from aquila_cassette.vcr_compat.translation import (
    our_request,
    our_response,
    their_request,
    their_response,
)

_ORIGIN = "_aquila_origin"

Pair = tuple[Any, Any]


class Files:
    """A persister of vcrpy's: it loads the test's own cassette, and `others` that are only read.

    A cassette in our own format is read and written as such. With `replaces`, what is on file is
    not read, and replaced by what is saved.
    """

    def __init__(self, others: Sequence[str] = (), *, replaces: bool = False) -> None:
        self.redact = Redaction()
        self.replaces = replaces
        self._rewrite = replaces
        self._others = [Path(path) for path in dict.fromkeys(others)]
        self._found: bytes | None = None

    def fresh(self) -> Files:
        """Return a persister with the same settings for another cassette."""
        fresh = Files(replaces=self._rewrite)
        fresh._others = self._others
        return fresh

    def load_cassette(self, cassette_path: Any, serializer: Any) -> tuple[Any, ...]:
        path = Path(cassette_path)
        self._found = _bytes_of(path)
        pairs: list[Pair] = []
        metadata: list[Any] = []
        if self._found is not None and not self._rewrite:
            found, *metadata = _read(self._found, path, serializer)
            pairs += _with_origin(found, "file")
        for other in self._others:
            data = _bytes_of(other)
            if other != path and data is not None:
                pairs += _with_origin(_read(data, other, serializer)[0], "elsewhere")
        if not pairs:
            raise CassetteNotFoundError
        return ([one for one, _ in pairs], [one for _, one in pairs], *metadata)

    def save_cassette(
        self, cassette_path: Any, cassette_dict: dict[str, Any], serializer: Any
    ) -> None:
        """Write the test's own cassette, and keep what other processes have saved since."""
        path = Path(os.path.realpath(cassette_path))
        pairs = [
            (request, response)
            for request, response in zip(
                cassette_dict["requests"], cassette_dict["responses"], strict=True
            )
            if getattr(request, _ORIGIN, None) != "elsewhere"
        ]
        if self._found is not None and _is_ours(self._found, path, serializer):
            self._save_ours(path, pairs)
            return
        with files.changing(path):
            before = _bytes_of(path)
            if before != self._found and before is not None and not self.replaces:
                new = [pair for pair in pairs if getattr(pair[0], _ORIGIN, None) is None]
                pairs = [*_read(before, path, serializer)[0], *new]
            kept = {
                **cassette_dict,
                "requests": [request for request, _ in pairs],
                "responses": [response for _, response in pairs],
            }
            data = serialize(kept, serializer).encode("utf-8")
            files.replace_file(path, data)

    def _save_ours(self, path: Path, pairs: Sequence[Pair]) -> None:
        new = [
            Interaction(
                self.redact.request(our_request(request)),
                self.redact.response(our_response(response)),
            )
            for request, response in pairs
            if self.replaces or getattr(request, _ORIGIN, None) is None
        ]
        drop = (lambda _: True) if self.replaces else None
        files.save(
            path,
            new,
            drop=drop,
            check=lambda text: refuse_secrets(text, self.redact, path),
        )


def _bytes_of(path: Path) -> bytes | None:
    """Return what is on file; an empty file counts as none."""
    try:
        data = files.read(path)
    except FileNotFoundError:
        return None
    return data if data.strip() else None


def _read(data: bytes, path: Path, serializer: Any) -> tuple[Any, ...]:
    """Return the requests and responses of a file, then what vcrpy calls its metadata, if any."""
    if _is_ours(data, path, serializer):
        cassette = loads(data, path=path)
        return (
            [
                (their_request(one.request), their_response(one.response))
                for one in cassette.interactions
            ],
        )
    try:
        requests, responses, *metadata = deserialize(data.decode("utf-8"), serializer)
    except (ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise CassetteFormatError(
            f"{display_path(path)} is no cassette that the suite's serializer reads.",
            path=path,
            facts=str(error).splitlines() or [type(error).__name__],
            fix="Fix: take it back from version control, or remove it and record again",
        ) from error
    return (list(zip(requests, responses, strict=True)), *metadata)


def _is_ours(data: bytes, path: Path, serializer: Any) -> bool:
    """Return whether a file is in our own format; vcrpy's has ``uri``, ours has ``url``."""
    if path.suffix.lower() not in (".yaml", ".yml") or (b"uri:" in data and b"url:" not in data):
        return False
    if data.startswith(OURS):
        return True
    try:
        first = serializer.deserialize(data.decode("utf-8"))["interactions"][0]["request"]
    except Exception:
        return False
    return "url" in first and "uri" not in first


def _with_origin(pairs: list[Pair], origin: str) -> list[Pair]:
    """Set on each request where it comes from; copies that vcrpy and hooks make have it too."""
    for request, _ in pairs:
        setattr(request, _ORIGIN, origin)
    return pairs
