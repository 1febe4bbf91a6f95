"""Write to the terminal: colours, columns, diffs, progress, errors."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

Span = str | tuple[str, str]
"""Text, or text and its style as rich names it."""

_WIDEST = 120  # lines of prose longer than that are hard to read
_GAP = "  "  # between columns
YES, NO = "✓", "✗"
_DIFF_STYLES = {"-": "red", "+": "green", "@": "cyan", " ": ""}


class Screen:
    """Writes to standard output, with colour where that is a terminal."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A character that the encoding lacks neither ends the command nor vanishes.
            sys.stdout.reconfigure(errors="backslashreplace")
        self.console = Console(highlight=False, markup=False, emoji=False)

    @property
    def is_terminal(self) -> bool:
        return self.console.is_terminal

    @property
    def width(self) -> int | None:
        """The cells of a line; None in a pipe, where lines are as long as they are."""
        return min(self.console.width, _WIDEST) if self.is_terminal else None

    def line(self, *spans: Span | Text) -> None:
        """Write one line; it is never wrapped."""
        self.console.print(Text.assemble(*spans), soft_wrap=True)

    def data(self, value: Any) -> None:
        """Write JSON for programs: no colour, no width."""
        self.console.file.write(f"{json.dumps(value, indent=2)}\n")

    def part(self, *spans: Span) -> None:
        """Write part of a line, at once."""
        self.console.print(Text.assemble(*spans), end="", soft_wrap=True)
        self.console.file.flush()

    def labelled(self, label: Span, lines: Sequence[Span], *, indent: int) -> None:
        """Write lines after a label, from the cell `indent` on, wrapped where there is a width."""
        head = Text.assemble("  ", label)
        head.pad_right(max(indent - head.cell_len, 1))
        room = max((self.width or 0) - indent, 20)
        for line in lines:
            text = Text.assemble(line)
            for part in text.wrap(self.console, room) if self.width else [text]:
                whole = head + part
                whole.rstrip()
                self.console.print(whole, soft_wrap=True)
                head = Text(" " * indent)

    def table(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[Span]],
        *,
        right: Collection[int] = (),
        shrink: Sequence[tuple[int, int]] = (),
    ) -> list[Text]:
        """Return the headings and the rows as lines in columns, those of `right` right-aligned.

        Rows that are too wide are cropped in the columns of `shrink`, each down to its least width,
        the second when the first has reached it.
        """
        styled = [[(name, "dim") for name in headings]]
        styled += [[(cell, "") if isinstance(cell, str) else cell for cell in row] for row in rows]
        table = [[Text(escape_control_chars(text), style) for text, style in row] for row in styled]
        widths = [max(cell.cell_len for cell in column) for column in zip(*table, strict=True)]
        for column, least in shrink if self.width else ():
            over = sum(widths) + len(_GAP) * (len(widths) - 1) - (self.width or 0)
            widths[column] -= max(min(over, widths[column] - least), 0)
        for row in table:
            for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
                cell.truncate(width, overflow="ellipsis")
                cell.align("right" if place in right else "left", width)
        lines = [Text(_GAP).join(row) for row in table]
        for line in lines:
            line.rstrip()
        return lines


def print_error(text: str) -> None:
    """Write lines to standard error, plain."""
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(f"{text}\n")


def print_what_is_wrong(place: Path, total: int, damaged: Sequence[str]) -> None:
    """Say on standard error that a place has no cassettes, or which of them are damaged."""
    if not total:
        where = display_path(place)
        print_error(f"No cassettes in {where} yet. A test that opens one records it: pytest")
    if damaged:
        print_error(
            f"{len(damaged)} of {count(total, 'file')} cannot be read. "
            f"What is wrong: aquila-cassette show {escape_control_chars(damaged[0])}"
        )


def print_diff(lines: Iterable[str], screen: Screen) -> None:
    """Write a unified diff: removed lines in red, added ones in green, headings bold."""
    for line in lines:
        is_file = line.startswith(("--- ", "+++ "))
        style = "bold" if is_file else _DIFF_STYLES.get(line[:1], "bold")
        screen.line((escape_control_chars(line).rstrip("\n"), style))
