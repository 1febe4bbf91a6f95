"""Differences on the screen: what goes in red, what comes in green."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.transcript.humanize import escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aquila_cassette.cli.output import Screen

__all__ = ["show"]

_STYLES = {"-": "red", "+": "green", "@": "cyan"}


def show(lines: Iterable[str], screen: Screen) -> None:
    """Write the lines of a unified diff.

    Args:
        lines: The lines, from ``@@`` or ``---`` on.
        screen: Where.
    """
    for line in lines:
        style = "bold" if line.startswith(("--- ", "+++ ")) else _STYLES.get(line[:1], "")
        screen.line((escape_control_chars(line).rstrip("\n"), style))
