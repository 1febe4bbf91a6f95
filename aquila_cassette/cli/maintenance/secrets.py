"""Secrets on a cassette: what saving it today would hide, by the same rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.cli.maintenance.layout import comments
from aquila_cassette.redaction import REDACTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.model import Request, Response
    from aquila_cassette.redaction import Redaction, SecretFinding

__all__ = ["secrets"]

_TEXTS = ("sse", "text")
_PARTS = {"url": "URL", "headers": "headers", "body": "body", "error": "error"}


def secrets(sheet: Sheet, redact: Redaction, scrub: str = "") -> Iterator[Finding]:
    """Find secrets, and headers that are not kept.

    Args:
        sheet: The file.
        redact: The rules in force for it.
        scrub: The command that takes them out.
    """
    for number, interaction in sheet.numbered:
        for part, message in (("request", interaction.request), ("response", interaction.response)):
            for one in dict.fromkeys(redact.findings(message)):
                line = _line(sheet, number, part, message, one)
                if one.secret:
                    what = f"{one.kind} in the {part}'s {_PARTS[one.part]}"
                    yield Finding(sheet.path, line, "secret", what, scrub)
                else:
                    what = f"{one.kind} of the {part} is not kept when recording"
                    yield Finding(sheet.path, line, "header", what, scrub)
    for line, place, text in _beside(sheet):
        for leak in redact.leaks(text):
            yield Finding(sheet.path, line, "secret", f"{leak.kind} in {place}", scrub)


def _beside(sheet: Sheet) -> Iterator[tuple[int, str, str]]:
    """Give the texts of a file that are part of no request and no response."""
    yield sheet.line("recorded_with"), "recorded_with", sheet.tape.recorded_with
    for number, interaction in sheet.numbered:
        if interaction.recorded_by:
            line = sheet.line("interactions", number, "recorded_by")
            yield line, "recorded_by", interaction.recorded_by
    if not sheet.is_as_written:
        for comment in comments(sheet.text):
            yield comment.line, "a comment", comment.text


def _line(
    sheet: Sheet, number: int, part: str, message: Request | Response, one: SecretFinding
) -> int:
    way: tuple[str | int, ...] = ("interactions", number, part)
    if one.part != "body":
        return sheet.line(*way, one.part, *([one.name] if one.name else []))
    for form in _TEXTS:
        if isinstance(sheet.value(*way, form), str):
            return sheet.line_of_text(message.body.count(b"\n", 0, one.start), *way, form)
    if sheet.value(*way, "base64") is not None:
        return sheet.line(*way, "base64")
    return sheet.line(*way, "json", *_way_in_json(message.body, one))


def _way_in_json(body: bytes, one: SecretFinding) -> tuple[str | int, ...]:
    """Tell in which field or item of a JSON body bytes stand: the one that changes with them."""
    for hidden in (REDACTED, f'"{REDACTED}"'):  # in a string, in the place of a number
        try:
            changed = json.loads(body[: one.start] + hidden.encode() + body[one.end :])
            return tuple(_difference(json.loads(body), changed))
        except (ValueError, RecursionError):
            continue
    return ()


def _difference(old: Any, new: Any) -> Iterator[str | int]:
    """Give the way to the first value that differs."""
    while True:
        if isinstance(old, dict) and isinstance(new, dict):
            steps: list[Any] = [key for key in old if key not in new or old[key] != new[key]]
        elif isinstance(old, list) and isinstance(new, list):
            pairs = enumerate(zip(old, new, strict=False))
            steps = [place for place, (one, other) in pairs if one != other]
        else:
            return
        if not steps:
            return
        yield steps[0]
        if isinstance(new, dict) and steps[0] not in new:  # the name itself was hidden
            return
        old, new = old[steps[0]], new[steps[0]]
