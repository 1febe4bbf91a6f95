"""How values are shown in a diff: cut where they are long, quoted where their looks mislead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["as_json", "below", "common", "cut", "few", "pair", "signed", "visible"]

_LINES = 12
_WIDTH, _HEAD, _TAIL, _AROUND = 160, 90, 50, 30


def common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int, int]:
    """Leave off what is the same at both ends; give where the rest starts, and ends in each."""
    limit = min(len(old), len(new))
    start = _longest(limit, lambda size: old[:size] == new[:size])
    end = _longest(limit - start, lambda size: old[len(old) - size :] == new[len(new) - size :])
    return start, len(old) - end, len(new) - end


def _longest(limit: int, same: Callable[[int], bool]) -> int:
    """Find the largest size up to `limit` for which `same` holds; it holds for all smaller ones."""
    if same(limit):
        return limit
    low = 0
    while limit - low > 1:
        middle = (low + limit) // 2
        if same(middle):
            low = middle
        else:
            limit = middle
    return low


def signed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Show lines that went and lines that came, where each line came for one that went in pairs."""
    if len(old) == len(new) == 1:
        return pair(old[0], new[0], line=True)
    show = _shown_alike([*old, *new], line=True)
    return [
        *(few([f"-{cut(show(line))}" for line in old])),
        *(few([f"+{cut(show(line))}" for line in new])),
    ]


def few(lines: list[str]) -> list[str]:
    """Leave out the middle of many lines of one sign, and say how many."""
    if len(lines) <= _LINES:
        return lines
    half = _LINES // 2
    left_out = f"{lines[0][0]}[... {len(lines) - 2 * half} lines ...]"
    return [*lines[:half], left_out, *lines[-half:]]


def pair(old: str, new: str, *, quoted: bool = True, line: bool = False) -> list[str]:
    """Show what was and what is, cut alike so that the difference stays in sight."""
    if quoted:
        show = _shown_alike([old, new], line=line)
        old, new = show(old), show(new)
    old, new = _cut_alike(old, new)
    return [f"-{old}", f"+{new}"]


def _shown_alike(texts: Sequence[str], *, line: bool) -> Callable[[str], str]:
    """Choose how to show texts: as they are, or quoted where their ends or looks would mislead."""
    if len({normalize("NFC", text) for text in texts}) < len(set(texts)):
        return ascii
    if all(_is_plain(text, line=line) for text in texts):
        return str
    return repr


def _is_plain(text: str, *, line: bool) -> bool:
    if line:
        return text.isprintable() and text == text.rstrip()
    return text.isprintable() and text == text.strip() != ""


def visible(text: str) -> str:
    """Give `text` with escapes for what a terminal would not show."""
    return text if text.isprintable() else repr(text)[1:-1]


def as_json(value: Any) -> str:
    """Give `value` as JSON in one line, with nothing in it that a terminal would not show."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if text.isprintable() else json.dumps(value, sort_keys=True)


def below(path: str, step: str) -> str:
    """Give the path of a field or place below `path`."""
    step = step if step.isprintable() and step else repr(step)
    return f"{path}.{step}" if path else step


def cut(text: str) -> str:
    """Leave out the middle of a long text, and say how much."""
    if len(text) <= _WIDTH:
        return text
    return f"{text[:_HEAD]}{_left_out(len(text) - _HEAD - _TAIL)}{text[-_TAIL:]}"


def _cut_alike(old: str, new: str) -> tuple[str, str]:
    """Leave out of two long texts what is the same at both ends, and the middle of what is not."""
    if max(len(old), len(new)) <= _WIDTH:
        return old, new
    start, old_end, _ = common(old, new)
    lead = start - _AROUND if start > 2 * _AROUND else 0
    same_after = len(old) - old_end
    trail = same_after - _AROUND if same_after > 2 * _AROUND else 0
    return _window(old, lead, trail), _window(new, lead, trail)


def _window(text: str, lead: int, trail: int) -> str:
    before = _left_out(lead).lstrip() if lead else ""
    after = _left_out(trail).rstrip() if trail else ""
    return f"{before}{cut(text[lead : len(text) - trail])}{after}"


def _left_out(count: int) -> str:
    return f" [... {count} characters ...] "
