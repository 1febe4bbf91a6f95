"""A cassette without what would not be saved today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.layout import comments
from aquila_cassette.model import CassetteData
from aquila_cassette.storage.edit import replace_interactions
from aquila_cassette.storage.format import as_read, dumps, render

if TYPE_CHECKING:
    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.model import Interaction
    from aquila_cassette.redaction import Redaction

__all__ = ["Scrubbed", "scrubbed"]


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What a file is to become.

    Args:
        text: Its text.
        interactions: What is then on the cassette.
    """

    text: str
    interactions: tuple[Interaction, ...]


def scrubbed(sheet: Sheet, redact: Redaction) -> Scrubbed | None:
    """Take out of a file what redaction hides; None where there is nothing.

    Interactions with nothing to hide stay as they are, character by character. So do comments, but
    for those within an interaction that changes.

    Args:
        sheet: The file.
        redact: The rules in force for it.
    """
    before = sheet.tape.interactions
    after = [_clean(interaction, redact) for interaction in before]
    changed = {n: render(one) for n, one in enumerate(after) if one is not before[n]}
    program = redact.text(sheet.tape.recorded_with)
    text: str | None = sheet.text
    if changed or program != sheet.tape.recorded_with:
        text = (
            replace_interactions(sheet.text, changed)
            if program == sheet.tape.recorded_with
            else None
        )
    if text is None:
        text = dumps(CassetteData(tuple(after), program))
    for comment in reversed(comments(text) if "#" in text else []):
        end = comment.start + len(comment.text)
        text = text[: comment.start] + redact.text(comment.text) + text[end:]
    if text == sheet.text:
        return None
    return Scrubbed(text, tuple(map(as_read, after)))


def _clean(interaction: Interaction, redact: Redaction) -> Interaction:
    request, response = redact.request(interaction.request), redact.response(interaction.response)
    by = interaction.recorded_by and redact.text(interaction.recorded_by)
    if (
        request is interaction.request
        and response is interaction.response
        and by == interaction.recorded_by
    ):
        return interaction
    return replace(interaction, request=request, response=response, recorded_by=by)
