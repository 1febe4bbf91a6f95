"""Interactions that say twice what one says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.matching.keys import Matcher

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.model import Interaction, Response

__all__ = ["doubles"]


def doubles(sheet: Sheet) -> Iterator[Finding]:
    """Find interactions that add nothing to an earlier one with the same request and answer.

    That is so of a copy, which is the same to the millisecond, and of what another test recorded
    as well. A test that asks twice needs both answers, though they are the same; and the errors
    that an SDK tries again after are as a rule.

    Requests are compared as they are matched by default, answers by their status, type, body and
    end: what a consumer would see.

    Args:
        sheet: The file.
    """
    matcher = Matcher()
    seen: dict[Hashable, list[int]] = {}
    for number, interaction in sheet.numbered:
        response = interaction.response
        if response.ended == "failed" or (response.status or 500) >= 400:
            continue
        alike = seen.setdefault((matcher.key(interaction.request), _answer(response)), [])
        for earlier in alike:
            if why := _why_needless(sheet.tape.interactions[earlier], interaction):
                line = sheet.line("interactions", number)
                what = f"interaction {number + 1} is interaction {earlier + 1} once more, {why}"
                fix = "take it out, and open the cassette with repeats=True if both are played"
                yield Finding(sheet.path, line, "duplicate", what, fix)
                break
        alike.append(number)


def _why_needless(earlier: Interaction, later: Interaction) -> str:
    if earlier.recorded_by != later.recorded_by:
        return "by another test"
    same = earlier.recorded_at == later.recorded_at and _times(earlier) == _times(later)
    return "to the millisecond" if same else ""


def _times(interaction: Interaction) -> Hashable:
    response = interaction.response
    return response.headers_after, tuple((at, len(data)) for at, data in response.pieces)


def _answer(response: Response) -> Hashable:
    return response.status, response.header("content-type"), response.body, response.ended
