"""Format ages, sizes and durations, and escape control characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from aquila_cassette.dialects.json_access import may_be_json
from aquila_cassette.errors import UsageError, printable
from aquila_cassette.storage import yaml_writer
from aquila_cassette.storage.bodies import is_utf8

_AGES = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "min"),
)
_TIMESPAN = re.compile(r"([0-9]{1,5})([hdwy])")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "y": 365}
_SIZES = ("B", "kB", "MB", "GB", "TB")
MOST_READ = 4 << 20
"""Bytes. A body that is larger is shown by its size alone: parsed, it would fill memory."""

# Longer and without a space: base64, a signature, a key.
_LONGEST_WORD = 200
_SHOWN_OF_WORD = 60


def parse_time(text: str) -> datetime | None:
    """Read a ``recorded_at``, UTC where it names no zone; None where it is no time."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter of a time before the year 1 in UTC
        return None


def format_age(at: datetime | None, now: datetime) -> str:
    """Return how long ago `at` was, in its largest whole unit."""
    if at is None:
        return "-"
    for unit, name in _AGES:
        if now - at >= unit:
            number = (now - at) // unit
            return f"{number} min" if name == "min" else count(number, name)
    return "now"


def parse_timespan(text: str) -> timedelta:
    """Read a whole number and its unit: h, d, w or y (365 days)."""
    match = _TIMESPAN.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(
            f"{text!r} is no span of time.",
            facts=["expected: a whole number and h, d, w or y"],
            fix="Fix: write, for example, 30d or 12w",
        )
    return timedelta(days=int(match[1]) * _DAYS[match[2]])


def format_size(octets: int) -> str:
    """Return a number of bytes in units of a thousand."""
    amount, units = float(octets), iter(_SIZES)
    unit = next(units)
    while amount >= 999.5 and (larger := next(units, "")):
        amount, unit = amount / 1000, larger
    small = unit != "B" and amount < 99.95
    return f"{amount:.1f} {unit}" if small else f"{amount:.0f} {unit}"


def format_duration(ms: float) -> str:
    """Return a duration with its unit."""
    if ms < 9.95:
        return f"{ms:.1f} ms" if ms else "0 ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    return f"{ms / 1000:.2f} s"


def count(number: int, name: str) -> str:
    """Return a number with what is counted."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def escape_control_chars(text: str) -> str:
    r"""Escape every character that a terminal would obey; what is in a cassette came from anywhere.

    Tabs become four spaces, line ends a plain LF.
    """
    return printable(text.replace("\r\n", "\n").replace("\t", "    "))


def body_lines(body: bytes, content_type: str | None) -> Iterable[str]:
    """Return a body in lines: JSON laid out, text as it is, all else by its size."""
    if len(body) > MOST_READ:
        return [f"[{format_size(len(body))} of {content_type or 'data'}]"]
    if may_be_json(body):
        with suppress(ValueError, RecursionError):
            return json_lines(json.loads(body))
    if is_utf8(body):
        return (line.decode() for line in body.splitlines())
    return [f"[{format_size(len(body))} of {content_type or 'binary data'}]"]


def json_lines(value: Any) -> list[str]:
    """Return JSON in lines, as it would be in a cassette."""
    if isinstance(value, str):
        return value.split("\n")
    if not value or not isinstance(value, dict | list):
        return [json_inline(value)]
    return "\n".join(yaml_writer.block(_shortened(value))).split("\n")


def json_inline(value: Any) -> str:
    """Return JSON in one line; long words are cut."""
    return json.dumps(_shortened(value), ensure_ascii=False)


def _shortened(value: Any) -> Any:
    match value:
        case dict():
            return {name: _shortened(item) for name, item in value.items()}
        case list():
            return list(map(_shortened, value))
        case str() if len(value) > _LONGEST_WORD and not any(map(str.isspace, value)):
            return f"{value[:_SHOWN_OF_WORD]}... ({len(value)} characters)"
    return value
