"""Standard output as the commands write it: coloured and wrapped on a terminal, plain in a pipe."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from aquila_cassette.transcript.humanize import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Glyphs", "Screen", "Span", "complain"]

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
            chunk = clean(chunk).replace("\n", " ")
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


def complain(text: str) -> None:
    """Write `text` to standard error, plain.

    Args:
        text: Whole lines, without the last line end.
    """
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    sys.stderr.write(f"{text}\n")


def _text(spans: Sequence[Span]) -> Text:
    return Text.assemble(*spans)
