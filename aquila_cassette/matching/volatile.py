"""The option `normalize`: text that differs each time (dates and times, UUIDs, random ids, own patterns)."""

from __future__ import annotations

import re
from typing import TypeAlias

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
    rf"|{_NUMBER}([-/.]){_NUMBER}\2{_YEAR}|{_YEAR}[年년] ?\d{{1,2}}[月월] ?\d{{1,2}}[日일]"
    rf"|{_WEEKDAY}(?:{_MONTH} {_DAY}(?:,? {_YEAR})?|{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?"
    rf"|{_MONTH} {_YEAR})"
)

RANDOM = re.compile(
    r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}|\b(?:(?=[A-Za-z_]*\d)[A-Za-z0-9_]{16,}"
    r"|(?=[a-z]*[A-Z0-9][A-Za-z0-9]*[a-z])[A-Za-z0-9]{20,})",
    re.ASCII,
)
"""A random run, which a person or a catalogue would hardly write: gpt-4o-mini-2024-07-18 has none."""

PATTERNS = {
    # The name of a model or a tool may end in a date: claude-3-5-sonnet-20241022.
    "dates": re.compile(
        rf"(?<![\w.-])(?:{_DATE}|{_TIME}{_ZONE}(?: ?[AaPp]\.?[Mm]\b)?"
        r"|(?:1[4-9]|2[0-2])\d{8}(?:\d{3}){0,3}(?:\.\d+)?)(?!\w)",
        re.ASCII,  # in Japanese no space stands beside a date
    ),
    "uuids": re.compile(
        r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])"
    ),
    # Also eight hexadecimal digits, and numbers of nine digits: a seed, a random().
    "ids": re.compile(
        rf"(?<!\+)(?:{RANDOM.pattern}"
        r"|(?<![0-9A-Za-z])(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,15}(?![0-9A-Za-z])"
        r"|(?<![\w.-])\d+\.?(?<=\d{9})\d*|\b\d\.\d{9,})(?![+=])",
        re.ASCII,
    ),
}
"""What the names that ``normalize=`` takes find; ``dates`` finds times of day and timestamps too."""
