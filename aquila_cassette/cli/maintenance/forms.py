"""Bodies kept in a form that says something else of them than their ``content-type``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.storage.pieces import is_event_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.model import Request, Response

__all__ = ["forms", "misnamed"]


def forms(sheet: Sheet) -> Iterator[Finding]:
    """Find bodies under ``sse`` whose message does not say that it is an event stream.

    The other forms say nothing of a body's type. No recording has this fault: what a server sends
    under a wrong type is kept as ``text``. So somebody edited the type or the form, and a file
    that is written anew would no longer tell.

    Args:
        sheet: The file.
    """
    for number, part, message in _misnamed(sheet):
        way = ("interactions", number, part)
        told = message.header("content-type") is not None
        at = ("headers", "content-type") if told else ("sse",)
        said = "its content-type is another" if told else "it has no content-type"
        what = f"the body of the {part} is kept as sse, and {said}"
        fix = "write content-type: text/event-stream, or text: in the place of sse:"
        yield Finding(sheet.path, sheet.line(*way, *at), "type", what, fix)


def misnamed(sheet: Sheet) -> set[int]:
    """Give the places of the interactions in which there is such a body.

    Args:
        sheet: The file.
    """
    return {number for number, _, _ in _misnamed(sheet)}


def _misnamed(sheet: Sheet) -> Iterator[tuple[int, str, Request | Response]]:
    if sheet.is_as_written:
        return
    for number, one in sheet.numbered:
        if _is_kept_as_sse(sheet, number, "request") and not is_event_stream(one.request):
            yield number, "request", one.request
        if _is_kept_as_sse(sheet, number, "response") and not is_event_stream(one.response):
            yield number, "response", one.response


def _is_kept_as_sse(sheet: Sheet, number: int, part: str) -> bool:
    return sheet.value("interactions", number, part, "sse") is not None
