"""How far a long command is: a bar on a terminal, a line for each step in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from aquila_cassette.transcript.humanize import clean

if TYPE_CHECKING:
    from types import TracebackType

    from aquila_cassette.cli.screen import Screen

__all__ = ["Progress"]


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
        self._bar.update(self._task, advance=1, description=clean(name))
        if well and self._screen.is_terminal:
            return  # the bar tells it
        number = f"{self._done:>{len(str(self._total))}}/{self._total}"
        glyphs = self._screen.glyphs
        sign = (glyphs.yes, "green") if well else (glyphs.no, "red")
        self._screen.line((number, "dim"), " ", sign, f" {clean(name)}")
