"""Text that differs each time: dates and times, UUIDs, random ids, what the user's own patterns find."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

from aquila_cassette.errors import UsageError

Volatile: TypeAlias = "str | re.Pattern[str]"
"""A name of `PATTERNS`, or a pattern of the user's."""

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_NUMBER = r"(?:0?[1-9]|[12]\d|3[01])(?!\d)"
_DAY = rf"{_NUMBER}(?:st|nd|rd|th)?\b"
_YEAR = r"(?:19|20)\d\d"
_WEEKDAY = r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\b,? )?"
_CLOCK = r"(?:[01]\d|2[0-3]):?[0-5]\d(?::?[0-5]\d(?:[.,]\d+)?)?"
_ZONE = r"(?: ?(?:Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d\b))?"
_TIME = rf"(?:{_CLOCK.replace(':?', ':')}|[01]?\d(?::[0-5]\d){{1,2}}(?= ?[AaPp]\.?[Mm]))"
_DATE = (
    rf"{_YEAR}([-/.])(?:0?[1-9]|1[0-2])\1{_NUMBER}(?:[T_ ]{_CLOCK}{_ZONE})?"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T{_CLOCK}Z?)?"
    rf"|{_NUMBER}([-/.]){_NUMBER}\2{_YEAR}"
    rf"|{_WEEKDAY}(?:{_MONTH} {_DAY}(?:,? {_YEAR})?|{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?"
    rf"|{_MONTH} {_YEAR})"
)

RANDOM = re.compile(
    r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}|\b(?:(?=[A-Za-z_]*\d)[A-Za-z0-9_]{16,}"
    r"|(?=[a-z]*[A-Z0-9][A-Za-z0-9]*[a-z])[A-Za-z0-9]{20,})"
)
"""A random run, which a person or a catalogue would hardly write: gpt-4o-mini-2024-07-18 has none."""

PATTERNS = {
    # The name of a model or a tool may end in a date: claude-3-5-sonnet-20241022.
    "dates": re.compile(
        rf"(?<![\w.-])(?:{_DATE}|{_TIME}{_ZONE}(?: ?[AaPp]\.?[Mm]\b)?"
        r"|(?:1[4-9]|2[0-2])\d{8}(?:\d{3}){0,3}(?:\.\d+)?)(?!\w)"
    ),
    "uuids": re.compile(
        r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])"
    ),
    # Also eight hexadecimal digits, and numbers of nine digits: a seed, a random().
    "ids": re.compile(
        rf"(?<!\+)(?:{RANDOM.pattern}"
        r"|(?<![0-9A-Za-z])(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,15}(?![0-9A-Za-z])"
        r"|(?<![\w.-])\d+\.?(?<=\d{9})\d*|\b\d\.\d{9,})(?![+=])"
    ),
}
"""What the names that ``normalize=`` takes find; ``dates`` finds times of day and timestamps too."""

_VERSION = re.compile(r"version$", re.IGNORECASE)  # api-version=2024-10-21 is no date that passes


class Normalizer:
    """Replaces what differs each time by a mark, the same in all requests."""

    def __init__(self, normalize: Sequence[Volatile]) -> None:
        self._patterns = [
            (PATTERNS[one], f"[{one[:-1]}]") if isinstance(one, str) else (one, "[normalized]")
            for one in checked(normalize)
        ]

    def text(self, text: str, name: str = "") -> str:
        """Return `text`, the value of the field `name`, with marks."""
        if not _VERSION.search(name):
            for pattern, mark in self._patterns:
                text = pattern.sub(lambda _, mark=mark: mark, text)  # type: ignore[misc]
        return text

    def json(self, value: Any, name: str = "") -> Any:
        """Return JSON with marks; a number is replaced where all of it is volatile."""
        if isinstance(value, dict):
            return {key: self.json(held, key) for key, held in value.items()}
        if isinstance(value, list):
            return [self.json(held, name) for held in value]
        if isinstance(value, str):
            return self.text(value, name)
        if isinstance(value, bool | None) or _VERSION.search(name):
            return value
        number = json.dumps(value)
        return next((mark for one, mark in self._patterns if one.fullmatch(number)), value)

    def bytes(self, data: bytes) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        return self.text(text).encode("utf-8", "surrogateescape")


def checked(normalize: Sequence[Volatile]) -> Sequence[Volatile]:
    """Return what ``normalize=`` was given; a UsageError says what is wrong in it."""
    for one in normalize:
        is_pattern = isinstance(one, re.Pattern) and isinstance(one.pattern, str)
        if not is_pattern and one not in PATTERNS:
            raise UsageError(
                f"normalize= does not know {one!r}.",
                facts=[f"known: {', '.join(map(repr, PATTERNS))}, and patterns of text"],
                fix='Fix: write one of these, or re.compile(r"...")',
            )
    return normalize
