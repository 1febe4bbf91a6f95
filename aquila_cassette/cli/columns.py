"""Columns that stand in line, whatever the width of their characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["aligned", "cropped"]

_GAP = 2


def aligned(
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
        >>> for row in aligned([["name", "size"], ["a", "1.2 kB"]], right=[1]):
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
            cell = cropped(cell, wide, ellipsis)
            space = " " * (wide - cell_len(cell))
            if place in right:
                cell = space + cell
            elif place < len(widths) - 1:
                cell += space
            cells.append(cell)
        table.append(cells)
    return table


def cropped(text: str, width: int, ellipsis: str = "…") -> str:
    """Give `text` at most `width` cells wide.

    Args:
        text: One line.
        width: How wide it may be.
        ellipsis: What stands at its end where it was cropped.

    Example:
        >>> cropped("chat_live.responds", 10)
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
