"""Write the matrix to ``docs/sdks.md``: ``python -m tests.sdks.table RESULTS``."""

import json
import sys
from pathlib import Path

from tests.sdks.driver import FACES
from tests.sdks.rows import ROWS, Row

COLUMNS = {
    "streams": "streams while recording",
    "replays": "replays piece for piece",
    "tools": "calls tools",
    "stops": "stops early",
    "fails": "fails alike",
    "misses": "misses loudly",
    "waits": "renders whole",
    "records": "records again",
}
PROMISES = tuple(COLUMNS.values())[:-1]
HEAD = ("SDK", "version", "", "through", "what holds", "records again")
PAGE = Path(__file__).parents[2] / "docs" / "sdks.md"


def lines_of(row: Row, folder: Path) -> list[tuple[str, ...]]:
    """Return the lines of one SDK: one for each face that it has."""
    results = json.loads((folder / f"{row.environment}.json").read_text("utf-8"))
    held = {
        (face, column): holds
        for title, face, column, holds in results["held"]
        if title == row.title
    }
    lines = []
    for face in FACES:
        if any((face, column) in held for column in COLUMNS):
            through = row.through.split(", ")[0 if face == "sync" else -1]
            cells = []
            for column in COLUMNS:
                star = face in row.collects and column in ("streams", "stops")
                found = held.get((face, "streams" if star else column))
                yes = "*" if star else "yes"
                if column == "stops" and face in row.reads_on:
                    found, yes = True, "reads on"
                is_meant = face in row.examples if column == "records" else row.maker
                cells.append({True: yes, False: "no"}.get(found, "not run" if is_meant else ""))
            lines.append((row.title, results["versions"][row.package], face, through, *cells))
    return lines


def merged(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Join the two lines of an SDK where they say the same; one face may lack an example."""
    found: list[tuple[str, ...]] = []
    for line in lines:
        last = found[-1] if found else ()
        pairs = list(zip(last, line, strict=False))
        if pairs and all(one == two or not (one and two) for one, two in [*pairs[:2], *pairs[3:]]):
            found[-1] = (
                *line[:2],
                f"{last[2]}, {line[2]}",
                *(one or two for one, two in pairs[3:]),
            )
        else:
            found.append(line)
    return found


def shown(line: tuple[str, ...]) -> tuple[str, ...]:
    """Put the cells of the promises into one: most lines hold all of them."""
    cells = line[4:-1]
    others = [
        f"{name}: {cell}" for name, cell in zip(PROMISES, cells, strict=True) if cell != "yes"
    ]
    holds = "" if not any(cells) else "all but " + ", ".join(others) if others else "all"
    return (*line[:4], holds, line[-1])


def main(folder: Path) -> int:
    lines = [line for row in ROWS for line in lines_of(row, folder)]
    table = [HEAD, *map(shown, merged(lines))]
    head, *rows = (f"| {' | '.join(line)} |".replace("*", r"\*") for line in table)
    text = "\n".join([head, "|---" * len(HEAD) + "|", *rows])
    sys.stdout.write(f"{text}\n")
    about = (Path(__file__).parent / "page.md").read_text("utf-8")
    PAGE.write_text(about.replace("{table}", text), "utf-8")
    return 1 if any(cell in ("no", "not run") for line in lines for cell in line) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
