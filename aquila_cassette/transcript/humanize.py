"""Ages, sizes, durations and bodies as a person reads them; text that no terminal obeys."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from aquila_cassette.errors import UsageError

__all__ = [
    "body_lines",
    "count",
    "escape_control_chars",
    "format_age",
    "format_duration",
    "format_size",
    "json_inline",
    "json_lines",
    "parse_time",
    "parse_timespan",
]

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


def parse_time(text: str) -> datetime | None:
    """Read a ``recorded_at``; None where it is missing or somebody wrote something else there.

    Args:
        text: ``2026-11-22T10:30:00Z``; a time without a zone is UTC.

    Example:
        >>> parse_time("2026-11-22T10:30:00Z").isoformat()
        '2026-11-22T10:30:00+00:00'
    """
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter of a time before the year 1 in UTC
        return None


def format_age(at: datetime | None, now: datetime) -> str:
    """Say how long ago `at` was, in its largest whole unit.

    Args:
        at: When it was; None where that is unknown.
        now: The time to count from.

    Example:
        >>> format_age(datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
        '2 days'
    """
    if at is None:
        return "-"
    for step, name in _STEPS:
        if now - at >= step:
            return count((now - at) // step, name, plural=name if name == "min" else None)
    return "now"


def parse_timespan(text: str) -> timedelta:
    """Read a span of time.

    Args:
        text: A whole number and its unit: h, d, w or y (365 days).

    Raises:
        UsageError: It is something else.

    Example:
        >>> parse_timespan("30d"), parse_timespan("12w")
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


def format_size(octets: int) -> str:
    """Say how large something is, in units of a thousand.

    Args:
        octets: The number of bytes.

    Example:
        >>> format_size(820), format_size(1234), format_size(99_960), format_size(5_000_000)
        ('820 B', '1.2 kB', '100 kB', '5.0 MB')
    """
    amount, units = float(octets), iter(_UNITS)
    unit = next(units)
    while amount >= 999.5 and (larger := next(units, "")):
        amount, unit = amount / 1000, larger
    small = unit != "B" and amount < 99.95
    return f"{amount:.1f} {unit}" if small else f"{amount:.0f} {unit}"


def format_duration(ms: float) -> str:
    """Say how long something took.

    Args:
        ms: Milliseconds.

    Example:
        >>> format_duration(0.31), format_duration(51), format_duration(1062), format_duration(125_000)
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


def escape_control_chars(text: str) -> str:
    r"""Give `text` with every character that a terminal would obey written as its escape.

    What is on a cassette came from anywhere. Tabs become four spaces, line ends a plain LF.

    Args:
        text: Any text.

    Example:
        >>> escape_control_chars("a\x1b[31mb\r\n\tc")
        'a\\x1b[31mb\n    c'
    """
    plain = text.replace("\r\n", "\n").replace("\t", "    ")
    return _OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), plain)


# Longer and without a space: base64, a signature, a key.
_LONGEST_WORD = 200
_KEPT = 60
_BARE = re.compile(r"[^\W\d_][\w./+-]*(?: [\w./+()-]+)*")
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def body_lines(body: bytes, content_type: str | None) -> list[str]:
    r"""Give a whole body in lines.

    Args:
        body: The body.
        content_type: What it says it is; it counts only for what is neither JSON nor text.

    Example:
        >>> body_lines(b'{"ok": true}', None), body_lines(b"\xff", "image/png")
        (['ok: true'], ['[1 B of image/png]'])
    """
    try:
        return json_lines(json.loads(body))
    except (ValueError, RecursionError):
        pass
    try:
        return body.decode().splitlines()
    except UnicodeDecodeError:
        return [f"[{format_size(len(body))} of {content_type or 'binary data'}]"]


def json_lines(value: Any, width: int = 72) -> list[str]:
    """Write `value` in lines; a list or object that fits into one line stands in one.

    Args:
        value: What came from JSON.
        width: How wide a line of several values may be.

    Example:
        >>> for line in json_lines({"stream": True, "messages": [{"role": "user"}]}, width=10):
        ...     print(line)
        stream: true
        messages:
        - role: user
    """
    if isinstance(value, dict) and value:
        return [line for pair in value.items() for line in _pair(*pair, width)]
    if isinstance(value, list) and value:
        return [line for item in value for line in _item(item, width - 2)]
    return value.split("\n") if isinstance(value, str) and "\n" in value else [json_inline(value)]


def json_inline(value: Any) -> str:
    """Write `value` in one line.

    Args:
        value: What came from JSON.

    Example:
        >>> json_inline({"model": "gpt-4o", "stop": ["yes", ", "], "n": None})
        '{model: gpt-4o, stop: ["yes", ", "], n: null}'
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json_inline(str(key))}: {json_inline(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(json_inline, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)
    if len(value) > _LONGEST_WORD and not any(map(str.isspace, value)):
        return f"{value[:_KEPT]}... ({len(value)} characters)"
    if _BARE.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)


def _pair(key: str, value: Any, width: int) -> list[str]:
    name = json_inline(key)
    if isinstance(value, str) and "\n" in value:
        return [f"{name}: |", *(f"  {line}" for line in value.split("\n"))]
    if _in_one_line(value, width - len(name) - 2):
        return [f"{name}: {json_inline(value)}"]
    indent = "  " if isinstance(value, dict) else ""
    return [f"{name}:", *(indent + line for line in json_lines(value, width - len(indent)))]


def _item(value: Any, width: int) -> list[str]:
    first, *rest = [json_inline(value)] if _in_one_line(value, width) else json_lines(value, width)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _in_one_line(value: Any, width: int) -> bool:
    if isinstance(value, dict | list) and value:
        return len(json_inline(value)) <= width
    return not (isinstance(value, str) and "\n" in value)
