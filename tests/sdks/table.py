"""Print the matrix, and write it to ``docs/sdks.md``: ``python -m tests.sdks.table RESULTS``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.sdks.faces import FACES
from tests.sdks.results import Cell, Results, read_results
from tests.sdks.rows import ROWS, Row

__all__ = ["lines_of", "page"]

COLUMNS = {
    "streams": "streams while recording",
    "replays": "replays piece for piece",
    "tools": "calls tools",
    "stops": "stops early",
    "fails": "fails alike",
    "misses": "misses loudly",
}
HEAD = ("SDK", "version", "", "through", *COLUMNS.values())
PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"
ABOUT = (Path(__file__).parent / "page.md").read_text("utf-8")


def lines_of(row: Row, results: Results) -> list[tuple[str, ...]]:
    """Return the lines of one SDK: one for each face that it has."""
    lines = []
    for face in FACES:
        if not any((row.title, face, column) in results.held for column in COLUMNS):
            continue
        through = row.through.split(", ")[0 if face == "sync" else -1]
        cells = [_cell(row, face, column, results.held) for column in COLUMNS]
        lines.append((row.title, results.versions[row.package], face, through, *cells))
    return lines


def _cell(row: Row, face: str, column: str, held: Mapping[Cell, bool]) -> str:
    if face in row.collects and column in ("streams", "stops"):
        return "*" if held.get((row.title, face, "collects")) else "no"
    found = held.get((row.title, face, column))
    return {True: "yes", False: "no", None: "not run"}[found]


def page(lines: Sequence[tuple[str, ...]]) -> str:
    """Return the page for people to read."""
    table = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    for line in lines:
        cells = [cell.replace("*", r"\\*") for cell in line]
        table.append("| " + " | ".join(cells) + " |")
    return ABOUT.replace("{table}", "\n".join(table))


def main(folder: Path) -> int:
    lines = []
    for row in ROWS:
        lines += lines_of(row, read_results(folder / f"{row.environment}.json"))
    table = Table(*HEAD)
    for line in lines:
        cells = [{"yes": "[green]yes", "no": "[red]no"}.get(cell, cell) for cell in line]
        table.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    PAGE.write_text(page(lines), "utf-8")
    return 1 if any(cell in ("no", "not run") for line in lines for cell in line) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
