"""What came in place of an answer, in words for whoever asked."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

from aquila_cassette.dialects.dialect import error_in, provider_error
from aquila_cassette.dialects.framing import ProviderEvent, framing, read_events
from aquila_cassette.dialects.lenient import load_json

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SHOWN", "is_broken", "page", "refusal"]

SHOWN = 500
"""The most characters that are shown of what came."""

_TITLE = re.compile(r"<title\b[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_FIELDS = ("data", "event", "id", "retry")


def refusal(content_type: str | None, body: bytes) -> str:
    r"""Give the words of a body that came under an error status; empty if there are none.

    Args:
        content_type: The response's content type; None if there was none.
        body: The body, whole: JSON, a stream, or anything.

    Example:
        >>> refusal("text/event-stream", b'data: {"error": {"message": "Overloaded"}}\n\n')
        'Overloaded'
    """
    how = framing(content_type, body)
    found = [] if how == "json" else list(read_events(how, body))
    if how == "json":
        words = error_in(_first(load_json(body)))
    else:
        words = next(_problems(found), found[0].data if found else None)
    return (words or body.decode("utf-8", "replace").strip())[:SHOWN]


def is_broken(message: ProviderEvent, *, known: bool) -> bool:
    """Tell whether a message was to be JSON and is not, so that what it said is lost.

    Args:
        message: The message. One that has an event type of its own and begins as no JSON does is
            unknown, not broken.
        known: Whether its stream is known for one whose messages are JSON.

    Example:
        >>> is_broken(ProviderEvent("message", '{"choices": [', None), known=False)
        True
        >>> is_broken(ProviderEvent("heartbeat", "still here", None), known=True)
        False
    """
    data = message.data.strip()
    if message.json is not None or data in ("", "null"):
        return False
    return data.startswith(("{", "[")) or (known and message.type == "message")


def page(content_type: str | None, head: bytes) -> str | None:
    """Name a body that is no stream at all; None if it is one, or empty.

    Args:
        content_type: The response's content type; None if there was none.
        head: What the body begins with.

    Example:
        >>> page("text/html; charset=utf-8", b"<html><title>Please log in</title>...")
        'text/html: Please log in'
    """
    text = head.decode("utf-8", "replace").lstrip("\ufeff\r\n\t ")
    field = re.split(r"[:\r\n]", text, maxsplit=1)[0]
    if not text or any(name.startswith(field) for name in _FIELDS):
        return None
    kind = (content_type or "").partition(";")[0].strip() or "no content type"
    title = _TITLE.search(text)
    words = " ".join(html.unescape(title[1]).split()) if title else ""
    words = (words or text.splitlines()[0].rstrip())[:SHOWN]
    return f"{kind}: {words}" if words.isprintable() else kind


def _first(answer: Any) -> Any:
    return answer[0] if isinstance(answer, list) and answer else answer


def _problems(found: list[ProviderEvent]) -> Iterator[str]:
    for message in found:
        if (words := provider_error(message)) is not None:
            yield words
