"""The recorded provider streams that lie beside the repository, where they do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared"
FOLDER = SHARED / "corpus"

needs_corpus = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the recorded streams are not beside the repository: {FOLDER}"
)


@dataclass(frozen=True)
class Recorded:
    """One recorded body, and what is listed of it."""

    file: str
    status: str
    content_type: str
    events: int
    events_sha: str

    @property
    def body(self) -> bytes:
        return (FOLDER / self.file).read_bytes()


def recorded() -> list[Recorded]:
    """Give all recorded bodies; none in a clone without them."""
    index = FOLDER / "index.jsonl"
    if not index.is_file():
        return []
    return [
        Recorded(
            row["file"],
            str(row["status"]),
            row["content_type"],
            row["events"],
            row["events_sha"],
        )
        for row in map(json.loads, index.read_text(encoding="utf-8").splitlines())
    ]


def each_recorded(rows: list[Recorded]) -> pytest.MarkDecorator:
    """Run a test for each of `rows`, which is skipped, with the reason, where there are none."""
    if not rows:
        missing = pytest.param(None, marks=needs_corpus, id="none")
        return pytest.mark.parametrize("recorded", [missing])
    return pytest.mark.parametrize("recorded", rows, ids=[row.file for row in rows])
