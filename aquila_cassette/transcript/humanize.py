"""Ages, sizes, durations and counts as a person reads them; text that no terminal obeys."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from aquila_cassette.errors import UsageError

__all__ = ["age", "clean", "count", "duration", "moment", "size", "span"]

_STEPS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "min"),
)
_SPAN = re.compile(r"([0-9]{1,5})([hdwy])")
_SPANS = {"h": 1 / 24, "d": 1, "w": 7, "y": 365}
_UNITS = ("B", "kB", "MB", "GB", "TB")
# Control characters would move the cursor or colour the rest; bidirectional ones reorder a line.
_OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def moment(text: str) -> datetime | None:
    """Read a ``recorded_at``; None where it is missing or somebody wrote something else there.

    Args:
        text: ``2026-11-22T10:30:00Z``; a time without a zone is UTC.

    Example:
        >>> moment("2026-11-22T10:30:00Z").isoformat()
        '2026-11-22T10:30:00+00:00'
    """
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter of a time before the year 1 in UTC
        return None


def age(at: datetime | None, now: datetime) -> str:
    """Say how long ago `at` was, in its largest whole unit.

    Args:
        at: When it was; None where that is unknown.
        now: The time to count from.

    Example:
        >>> age(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
        '2 days'
    """
    if at is None:
        return "-"
    for step, name in _STEPS:
        if now - at >= step:
            return count((now - at) // step, name, plural=name if name == "min" else None)
    return "now"


def span(text: str) -> timedelta:
    """Read a span of time.

    Args:
        text: A whole number and its unit: h, d, w or y (365 days).

    Raises:
        UsageError: It is something else.

    Example:
        >>> span("30d"), span("12w")
        (datetime.timedelta(days=30), datetime.timedelta(days=84))
    """
    match = _SPAN.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(
            f"{text!r} is no span of time.",
            facts=["expected: a whole number and h, d, w or y"],
            fix="Write, for example, 30d or 12w.",
        )
    return timedelta(days=int(match[1]) * _SPANS[match[2]])


def size(octets: int) -> str:
    """Say how large something is, in units of a thousand.

    Args:
        octets: The number of bytes.

    Example:
        >>> size(820), size(1234), size(99_960), size(5_000_000)
        ('820 B', '1.2 kB', '100 kB', '5.0 MB')
    """
    amount, units = float(octets), iter(_UNITS)
    unit = next(units)
    while amount >= 999.5 and (larger := next(units, "")):
        amount, unit = amount / 1000, larger
    small = unit != "B" and amount < 99.95
    return f"{amount:.1f} {unit}" if small else f"{amount:.0f} {unit}"


def duration(ms: float) -> str:
    """Say how long something took.

    Args:
        ms: Milliseconds.

    Example:
        >>> duration(0.31), duration(51), duration(1062), duration(125_000)
        ('0.3 ms', '51 ms', '1.06 s', '2 min 5 s')
    """
    if ms < 9.95:
        return f"{ms:.1f} ms" if ms else "0 ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_995:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s"


def count(number: int, name: str, *, plural: str | None = None) -> str:
    """Say how many there are.

    Args:
        number: How many.
        name: What one of them is called.
        plural: What several are called, where that is not the name and an s.

    Example:
        >>> count(1, "piece"), count(2, "piece")
        ('1 piece', '2 pieces')
    """
    return f"{number} {name if number == 1 else plural or f'{name}s'}"


def clean(text: str) -> str:
    r"""Give `text` with every character that a terminal would obey written as its escape.

    What is on a cassette came from anywhere. Tabs become four spaces, line ends a plain LF.

    Args:
        text: Any text.

    Example:
        >>> clean("a\x1b[31mb\r\n\tc")
        'a\\x1b[31mb\n    c'
    """
    plain = text.replace("\r\n", "\n").replace("\t", "    ")
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), plain)
