"""The corpus of real provider streams, which lies beside the repository where there is one."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

__all__ = ["CORPUS", "every_corpus_file", "sliced"]

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"


def _entries() -> list[dict[str, Any]]:
    index = CORPUS / "index.jsonl"
    if not index.exists():
        return []
    entries = [json.loads(line) for line in index.read_text("utf-8").splitlines()]
    for entry in entries:  # some sources wrote "200 OK"
        entry["status"] = int(str(entry["status"]).split()[0])
    return entries


ENTRIES = _entries()

every_corpus_file = pytest.mark.parametrize(
    "entry",
    ENTRIES
    or [pytest.param(None, marks=pytest.mark.skip(reason=f"there is no corpus at {CORPUS}"))],
    ids=lambda entry: entry["file"] if entry else "none",
)


def sliced(body: bytes, seed: str) -> list[bytes]:
    """Cut `body` at random, the same way for the same `seed`; no slice is empty."""
    chance = random.Random(seed)
    count = min(len(body) - 1, chance.randint(0, 40)) if body else 0
    cuts = sorted(chance.sample(range(1, len(body)), count)) if count > 0 else []
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
