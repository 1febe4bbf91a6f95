"""Interactions that say twice what one says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cassette.matching import Matcher
from aquila_cassette.shelf.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from aquila_cassette.cassette.model import Interaction
    from aquila_cassette.shelf.sheet import Sheet

__all__ = ["doubles"]


def doubles(sheet: Sheet) -> Iterator[Finding]:
    """Find interactions with the request and the answer of an earlier one; times do not count.

    Requests are compared as they are matched by default, answers by their status, type, body and
    end: what a consumer would see.

    Args:
        sheet: The file.
    """
    matcher = Matcher()
    first: dict[Hashable, int] = {}
    for number, interaction in sheet.numbered:
        same = first.setdefault((matcher.key(interaction.request), _answer(interaction)), number)
        if same != number:
            yield Finding(
                sheet.path,
                sheet.line("interactions", number),
                "duplicate",
                f"interaction {number + 1} is interaction {same + 1} once more",
                "take it out, and open the tape with repeats=True",
            )


def _answer(interaction: Interaction) -> Hashable:
    response = interaction.response
    kind = response.header("content-type")
    return response.status, kind, response.body, response.ended, response.error
