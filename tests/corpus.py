"""The corpus of real provider streams, which lies next to the repository, if at all."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
CORPUS = SHARED / "corpus"

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"there is no corpus at {CORPUS}")


@dataclass(frozen=True)
class Recorded:
    """One recorded body, and what is listed of it."""

    file: str
    status: int
    content_type: str
    events: int
    events_sha: str

    @property
    def body(self) -> bytes:
        return (CORPUS / self.file).read_bytes()

    @property
    def pieces(self) -> list[bytes]:
        """The body cut at random, each time the same way."""
        return sliced(self.body, self.file)


def _recorded() -> list[Recorded]:
    index = CORPUS / "index.jsonl"
    if not index.exists():
        return []
    return [
        Recorded(
            row["file"],
            int(str(row["status"]).split()[0]),  # some sources wrote "200 OK"
            row["content_type"] or "text/event-stream",
            row["events"],
            row["events_sha"],
        )
        for row in map(json.loads, index.read_text("utf-8").splitlines())
    ]


RECORDED = _recorded()
"""All recorded bodies; none in a clone without them."""


def each_recorded(rows: Sequence[Recorded]) -> pytest.MarkDecorator:
    """Run a test for each of `rows`, which is skipped, with the reason, where there are none."""
    missing = pytest.param(None, marks=needs_corpus, id="none")
    return pytest.mark.parametrize(
        "recorded", rows or [missing], ids=[row.file for row in rows] or None
    )


every_recorded = each_recorded(RECORDED)


def sliced(body: bytes, seed: str) -> list[bytes]:
    """Cut `body` at random, the same way for the same `seed`; no slice is empty."""
    chance = random.Random(seed)
    count = min(len(body) - 1, chance.randint(0, 40)) if body else 0
    cuts = sorted(chance.sample(range(1, len(body)), count)) if count > 0 else []
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
