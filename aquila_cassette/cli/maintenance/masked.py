r"""The difference between a file and what it becomes without its secrets, with none of them shown.

Example:
    >>> old = "a: 1\nurl: https://a.b/?key=abc&n=2\nb: 2\n"
    >>> new = "a: 1\nurl: https://a.b/?key=[redacted]&n=2\nb: 2\n"
    >>> print("\n".join(difference(old, new, context=0)))
    @@ -2 +2 @@
    -url: https://a.b/?key=<3 characters>&n=2
    +url: https://a.b/?key=[redacted]&n=2
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from aquila_cassette.redaction import REDACTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["difference"]

_WIDTH = 160  # characters of a line that are shown
_MOST, _LONGEST = 8, 10_000  # parts and characters of a line that are looked for in another
_NAME = re.compile(r" *\"?([^\": ]+)\"?: ")


def difference(
    old: str, new: str, *, names: Collection[str] = (), context: int = 1
) -> Iterator[str]:
    """Give a unified diff; of a line that goes it shows only what is in the line that comes.

    Args:
        old: The text with secrets.
        new: The text without.
        names: The names of headers, which are shown of lines that go for good.
        context: How many lines to show around a change.
    """
    before, after = old.split("\n"), new.split("\n")
    matcher = SequenceMatcher(None, before, after)
    for group in matcher.get_grouped_opcodes(context):
        (_, start, _, begin, _), (_, _, end, _, stop) = group[0], group[-1]
        yield f"@@ -{_span(start, end)} +{_span(begin, stop)} @@"
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (f" {_cut(line)}" for line in before[i:j])
                continue
            yield from (f"-{_cut(line)}" for line in _masked(before[i:j], after[k:m], names))
            yield from (f"+{_cut(line)}" for line in after[k:m])


def _span(start: int, end: int) -> str:
    size = end - start
    return f"{start + (size > 0)}" if size == 1 else f"{start + (size > 0)},{size}"


def _masked(old: Sequence[str], new: Sequence[str], names: Collection[str]) -> Iterator[str]:
    for place, line in enumerate(old):
        yield _as_in(line, new[place]) if len(old) == len(new) else _only_name(line, new, names)


def _as_in(old: str, new: str) -> str:
    """Show of `old` what is in `new` as well, in the same order."""
    parts = [re.escape(part) for part in new.split(REDACTED)]
    whole = None
    if 1 < len(parts) <= _MOST and len(old) <= _LONGEST:
        whole = re.fullmatch("(.*?)".join(parts), old, re.DOTALL)
    if whole is None:
        return _only_ends(old, new)
    shown = new.split(REDACTED)
    hidden = [_hidden(text) for text in whole.groups()]
    return shown[0] + "".join(a + b for a, b in zip(hidden, shown[1:], strict=True))


def _only_ends(old: str, new: str) -> str:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[:start] + _hidden(old[start : len(old) - end]) + old[len(old) - end :]


def _only_name(old: str, new: Sequence[str], names: Collection[str]) -> str:
    if old in new:
        return old
    name = _NAME.match(old)
    known = name is not None and name[1] in names
    lead = name[0] if name and known else old[: len(old) - len(old.lstrip(" "))]
    return lead + _hidden(old[len(lead) :])


def _hidden(text: str) -> str:
    if text in ("", REDACTED):
        return text
    return f"<{len(text)} character{'' if len(text) == 1 else 's'}>"


def _cut(line: str) -> str:
    if len(line) <= _WIDTH:
        return line
    return f"{line[:_WIDTH]} [... {len(line) - _WIDTH} characters]"
