"""A model's text as HTML: paragraphs, lists, headings, fenced code, `code`, **bold**."""

from __future__ import annotations

import re
from collections import deque
from html import escape

__all__ = ["markup"]

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)")
_ITEM = re.compile(r" {0,3}(?:[-*+]|(\d{1,9})[.)])\s+(.*)")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.+)")
_INLINE = re.compile(r"`([^`\n]+)`|\*\*(?=\S)(.+?)(?<=\S)\*\*", re.DOTALL)


def markup(text: str) -> str:
    """Write `text` as HTML in which all that is not known is escaped, tags above all.

    A fence that is not closed, as one is while it grows, reaches to the end.

    Example:
        >>> markup("**Use** `x < y`:\\n```py\\nx < y")
        '<p><strong>Use</strong> <code>x &lt; y</code>:</p><pre><code>x &lt; y</code></pre>'
    """
    blocks: list[str] = []
    lines = deque(text.splitlines())
    while lines:
        if not lines[0].strip():
            lines.popleft()
        elif _FENCE.match(lines[0]):
            blocks.append(_code(lines))
        elif _ITEM.match(lines[0]):
            blocks.append(_list(lines))
        elif heading := _HEADING.match(lines[0]):
            lines.popleft()
            blocks.append(f"<p class='heading'>{_inline(heading[1])}</p>")
        else:
            blocks.append(_paragraph(lines))
    return "".join(blocks)


def _code(lines: deque[str]) -> str:
    fence = _FENCE.match(lines.popleft())
    code: list[str] = []
    while fence and lines and lines[0].strip() != fence[1]:
        code.append(lines.popleft())
    if lines:
        lines.popleft()
    text = "\n".join(code)
    return f"<pre><code>{escape(text)}</code></pre>"


def _list(lines: deque[str]) -> str:
    first = _ITEM.match(lines[0])
    number = first and first[1]
    items: list[str] = []
    while lines and lines[0].strip() and not _FENCE.match(lines[0]):
        item = _ITEM.match(lines[0])
        if item and bool(item[1]) != bool(number):
            break
        if item:
            items.append(item[2])
        else:
            items[-1] += f"\n{lines[0].strip()}"
        lines.popleft()
    inner = "".join(f"<li>{_inline(item)}</li>" for item in items)
    return f"<ol start='{int(number)}'>{inner}</ol>" if number else f"<ul>{inner}</ul>"


def _paragraph(lines: deque[str]) -> str:
    told = [lines.popleft()]
    while lines and lines[0].strip() and not _opens_a_block(lines[0]):
        told.append(lines.popleft())
    text = "\n".join(told)
    return f"<p>{_inline(text)}</p>"


def _opens_a_block(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_FENCE, _ITEM, _HEADING))


def _inline(text: str) -> str:
    return _marked(escape(text)).replace("\n", "<br>")


def _marked(escaped: str) -> str:
    return _INLINE.sub(_mark, escaped)


def _mark(found: re.Match[str]) -> str:
    return f"<code>{found[1]}</code>" if found[1] else f"<strong>{_marked(found[2])}</strong>"
