"""Bodies as a person reads them: JSON with the look of YAML, text as it is, the rest named."""

from __future__ import annotations

import json
import re
from typing import Any

from aquila_cassette.transcript.humanize import size

__all__ = ["flow", "outline", "readable"]

# Longer and without a space: base64, a signature, a key.
_LONGEST_WORD = 200
_KEPT = 60
_BARE = re.compile(r"[^\W\d_][\w./+-]*(?: [\w./+()-]+)*")
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def readable(body: bytes, content_type: str | None) -> list[str]:
    r"""Give a whole body in lines.

    Args:
        body: The body.
        content_type: What it says it is; it counts only for what is neither JSON nor text.

    Example:
        >>> readable(b'{"ok": true}', None), readable(b"\xff", "image/png")
        (['ok: true'], ['[1 B of image/png]'])
    """
    try:
        return outline(json.loads(body))
    except (ValueError, RecursionError):
        pass
    try:
        return body.decode().splitlines()
    except UnicodeDecodeError:
        return [f"[{size(len(body))} of {content_type or 'binary data'}]"]


def outline(value: Any, width: int = 72) -> list[str]:
    """Write `value` in lines; a list or object that fits into one line stands in one.

    Args:
        value: What came from JSON.
        width: How wide a line of several values may be.

    Example:
        >>> for line in outline({"stream": True, "messages": [{"role": "user"}]}, width=10):
        ...     print(line)
        stream: true
        messages:
        - role: user
    """
    if isinstance(value, dict) and value:
        return [line for pair in value.items() for line in _pair(*pair, width)]
    if isinstance(value, list) and value:
        return [line for item in value for line in _item(item, width - 2)]
    return value.split("\n") if isinstance(value, str) and "\n" in value else [flow(value)]


def flow(value: Any) -> str:
    """Write `value` in one line.

    Args:
        value: What came from JSON.

    Example:
        >>> flow({"model": "gpt-4o", "stop": ["yes", ", "], "n": None})
        '{model: gpt-4o, stop: ["yes", ", "], n: null}'
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{flow(str(key))}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)
    if len(value) > _LONGEST_WORD and not any(map(str.isspace, value)):
        return f"{value[:_KEPT]}... ({len(value)} characters)"
    if _BARE.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return json.dumps(value, ensure_ascii=False)


def _pair(key: str, value: Any, width: int) -> list[str]:
    name = flow(key)
    if isinstance(value, str) and "\n" in value:
        return [f"{name}: |", *(f"  {line}" for line in value.split("\n"))]
    if _in_one_line(value, width - len(name) - 2):
        return [f"{name}: {flow(value)}"]
    indent = "  " if isinstance(value, dict) else ""
    return [f"{name}:", *(indent + line for line in outline(value, width - len(indent)))]


def _item(value: Any, width: int) -> list[str]:
    first, *rest = [flow(value)] if _in_one_line(value, width) else outline(value, width)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _in_one_line(value: Any, width: int) -> bool:
    if isinstance(value, dict | list) and value:
        return len(flow(value)) <= width
    return not (isinstance(value, str) and "\n" in value)
