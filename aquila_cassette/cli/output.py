"""What the commands write: lines with colour, columns, progress, errors."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import TracebackType


__all__ = ["Glyphs", "Progress", "Screen", "Span", "align_columns", "crop", "print_error"]

Span = str | tuple[str, str]
"""Text, or text and its style as rich names it."""

_WIDEST = 120  # lines of prose longer than that are hard to read


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few signs that not every terminal can show.

    Args:
        ascii_only: Whether to do without.
    """

    ascii_only: bool

    @property
    def yes(self) -> str:
        """It is so."""
        return "yes" if self.ascii_only else "✓"

    @property
    def no(self) -> str:
        """It is not so."""
        return "NO" if self.ascii_only else "✗"

    @property
    def arrow(self) -> str:
        """Something is called."""
        return "->" if self.ascii_only else "→"

    @property
    def record(self) -> str:
        """Something is recorded."""
        return "*" if self.ascii_only else "●"

    @property
    def stop(self) -> str:
        """Something has stopped."""
        return "#" if self.ascii_only else "■"

    @property
    def play(self) -> str:
        """Something is replayed."""
        return ">" if self.ascii_only else "▶"

    @property
    def ellipsis(self) -> str:
        """Something was left out."""
        return "..." if self.ascii_only else "…"


class Screen:
    """Writes lines to standard output.

    Args:
        console: Where to; by default standard output, with colour where that is a terminal.
    """

    def __init__(self, console: Console | None = None) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What an encoding cannot say shall neither end the command nor vanish.
            sys.stdout.reconfigure(errors="backslashreplace")
        self._console = console or Console(highlight=False, markup=False, emoji=False)
        self.glyphs = Glyphs(self._console.options.ascii_only)

    @property
    def console(self) -> Console:
        """What it writes to, for what draws more than lines."""
        return self._console

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at it, as far as can be told."""
        return self._console.is_terminal

    @property
    def width(self) -> int | None:
        """How many cells a line has; None in a pipe, where lines are as long as they are."""
        return min(self._console.width, _WIDEST) if self.is_terminal else None

    def line(self, *spans: Span) -> None:
        """Write one line of spans; it is never wrapped.

        Args:
            spans: Its parts, each with its style or without one.
        """
        self._console.print(_text(spans), soft_wrap=True)

    def data(self, value: Any) -> None:
        """Write JSON for programs: no colour, no width.

        Args:
            value: What JSON can hold.
        """
        text = json.dumps(value, indent=2, ensure_ascii=self.glyphs.ascii_only)
        self._console.file.write(f"{text}\n")

    def part(self, *spans: Span) -> None:
        """Write part of a line, at once.

        Args:
            spans: Its parts.
        """
        self._console.print(_text(spans), end="", soft_wrap=True)
        self._console.file.flush()

    def typist(self, indent: int) -> Callable[..., None]:
        """Give a function that writes text as it comes, a chunk at a time, wrapped at words.

        It takes a chunk and, if there is one, the chunk's style.

        Args:
            indent: At which cell the line is now, and later lines start.
        """
        column = indent

        def write(chunk: str, style: str = "") -> None:
            nonlocal column
            chunk = escape_control_chars(chunk).replace("\n", " ")
            if self.width and column + cell_len(chunk.rstrip()) > self.width:
                chunk = chunk.lstrip()
                self.part("\n" + " " * indent)
                column = indent
            column += cell_len(chunk)
            if self.width and column > self.width:
                # The space before the next line's first word.
                column = self.width + 1
                chunk = chunk.rstrip()
            self.part((chunk, style))

        return write

    def labelled(self, label: Span, lines: Sequence[Span | list[Span]], *, indent: int) -> None:
        """Write `lines` beside a label, wrapped beneath themselves where there is a width.

        Args:
            label: What stands before the first of them.
            lines: Lines without line ends, each a span or a list of them.
            indent: At which cell they start.
        """
        head = Text("  ") + _text([label])
        head.pad_right(max(indent - head.cell_len, 1))
        room = max((self.width or 0) - indent, 20)
        for line in lines:
            text = _text(line if isinstance(line, list) else [line])
            for part in text.wrap(self._console, room) if self.width else [text]:
                whole = head + part
                whole.rstrip()
                self._console.print(whole, soft_wrap=True)
                head = Text(" " * indent)


def print_error(text: str) -> None:
    """Write `text` to standard error, plain.

    Args:
        text: Whole lines, without the last line end.
    """
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(f"{text}\n")


def _text(spans: Sequence[Span]) -> Text:
    return Text.assemble(*spans)


_GAP = 2


def align_columns(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    gives: Sequence[tuple[int, int]] = (),
    width: int | None = None,
    ellipsis: str = "…",
) -> list[list[str]]:
    """Pad the cells of each column to one width; the last column is padded only on its left.

    Args:
        rows: The rows, their cells in equal number.
        right: The columns whose cells stand at the right.
        gives: The columns that give way where the rows are too wide, each down to its least width,
            the second when the first has given all.
        width: The width to stay within, gaps of two between the columns included; None for any.
        ellipsis: What stands where a cell was cropped.

    Example:
        >>> for row in align_columns([["name", "size"], ["a", "1.2 kB"]], right=[1]):
        ...     print("  ".join(row))
        name    size
        a     1.2 kB
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        _squeeze(widths, gives, width - _GAP * (len(widths) - 1))
    table = []
    for row in rows:
        cells = []
        for place, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            cell = crop(cell, wide, ellipsis)
            space = " " * (wide - cell_len(cell))
            if place in right:
                cell = space + cell
            elif place < len(widths) - 1:
                cell += space
            cells.append(cell)
        table.append(cells)
    return table


def crop(text: str, width: int, ellipsis: str = "…") -> str:
    """Give `text` at most `width` cells wide.

    Args:
        text: One line.
        width: How wide it may be.
        ellipsis: What stands at its end where it was cropped.

    Example:
        >>> crop("chat_live.responds", 10)
        'chat_live…'
    """
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - cell_len(ellipsis), 0)).rstrip() + ellipsis


def _squeeze(widths: list[int], gives: Sequence[tuple[int, int]], room: int) -> None:
    for column, least in gives:
        over = sum(widths) - room
        if over > 0:
            widths[column] = max(widths[column] - over, min(least, widths[column]))


class Progress:
    """Shows steps as they are done.

    Args:
        screen: Where.
        total: How many there are.
    """

    def __init__(self, screen: Screen, total: int) -> None:
        self._screen = screen
        self._total = total
        self._done = 0
        self._bar = Bar(
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=screen.console,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.__exit__(kind, error, traceback)

    def expect(self, total: int) -> None:
        """Note how many steps there are, now that it is known."""
        self._total = total
        self._bar.update(self._task, total=total)

    def done(self, name: str, *, well: bool) -> None:
        """Note that a step is done.

        Args:
            name: What it was.
            well: Whether it went well.
        """
        self._done += 1
        self._bar.update(self._task, advance=1, description=escape_control_chars(name))
        if well and self._screen.is_terminal:
            return  # the bar tells it
        number = f"{self._done:>{len(str(self._total))}}/{self._total}"
        glyphs = self._screen.glyphs
        sign = (glyphs.yes, "green") if well else (glyphs.no, "red")
        self._screen.line((number, "dim"), " ", sign, f" {escape_control_chars(name)}")
