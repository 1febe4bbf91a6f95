"""What held in an environment, as a file between the tests there and the table."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.sdks.rows import Row

__all__ = ["Cell", "Results", "read_results", "write_results"]

Cell = tuple[str, str, str]
"""A row's title, a face, and a column of the matrix."""


class Results(NamedTuple):
    """What held, and the versions of the packages that it held for."""

    held: dict[Cell, bool]
    versions: dict[str, str]


def write_results(path: Path, rows: Sequence[Row], held: Mapping[Cell, bool]) -> None:
    """Write what held for `rows` in this environment."""
    versions = {row.package: importlib.metadata.version(row.package) for row in rows}
    cells = [[*cell, holds] for cell, holds in sorted(held.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"versions": versions, "held": cells}, indent=1) + "\n", "utf-8")


def read_results(path: Path) -> Results:
    """Read what `write_results` wrote."""
    read = json.loads(path.read_text("utf-8"))
    held = {(title, face, column): holds for title, face, column, holds in read["held"]}
    return Results(held, read["versions"])
