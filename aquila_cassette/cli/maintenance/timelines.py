"""Time lines that no longer fit what they tell of, as a body edited by hand leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet

__all__ = ["timelines"]


def timelines(sheet: Sheet) -> Iterator[Finding]:
    """Find time lines that do not add up to their body, or run backwards.

    Args:
        sheet: The file.
    """
    for number, interaction in sheet.numbered:
        way = ("interactions", number, "response")
        size = len(interaction.response.body)
        if sheet.is_as_written:  # then they add up
            times, told = [piece.at for piece in interaction.response.pieces], size
        elif (text := sheet.value(*way, "pieces")) is not None:
            times, told = _read(text)
        else:
            continue
        after = interaction.response.headers_after
        early = after is not None and bool(times) and times[0] < after
        if told == size and times == sorted(times) and not early:
            continue
        line = sheet.line(*way, "pieces")
        if told != size:
            what = f"pieces add up to {told} bytes, and the body has {size}"
            fix = "take the line out (then it is one piece a frame)"
            yield Finding(sheet.path, line, "pieces", what, fix)
        if times != sorted(times):
            what = "pieces run backwards in time"
            yield Finding(sheet.path, line, "pieces", what, "put their times in order")
        elif early:
            what = f"the first piece came after {times[0]} ms, and the headers after {after} ms"
            yield Finding(sheet.path, line, "pieces", what, "take headers_after out")


def _read(text: str) -> tuple[list[int], int]:
    """Give the times and the sum of the sizes; where digits are missing there is nothing."""
    try:
        pairs = [word.split("+") for word in text.split()]
        return [int(at) for at, _ in pairs], sum(int(size) for _, size in pairs)
    except ValueError:
        return [], 0
