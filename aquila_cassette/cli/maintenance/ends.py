"""How a response ended, against what the rest of it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.maintenance.finding import Finding
from aquila_cassette.dialects import ending
from aquila_cassette.dialects.framing import frames_backwards, framing, read_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.cli.maintenance.sheet import Sheet
    from aquila_cassette.model import Response

__all__ = ["ends"]


def ends(sheet: Sheet) -> Iterator[Finding]:
    """Find ends that a recording of the same response would not have.

    Args:
        sheet: The file.
    """
    for number, interaction in sheet.numbered:
        line = sheet.line("interactions", number, "response", "ended")
        for what, fix in _faults(interaction.response):
            yield Finding(sheet.path, line, "ended", what, fix)


def _faults(response: Response) -> Iterator[tuple[str, str]]:
    ended = response.ended
    if response.error is not None and ended != "failed":
        yield f"it is {ended}, and an error stands beside it", "take one of the two out"
    if response.status is None:
        if ended == "complete":
            yield "it is complete, and has no status: no response began", "write the status"
        elif response.headers or response.pieces or response.headers_after is not None:
            yield "it has no status, and yet headers or a body", "write the status"
        return
    if response.header("content-encoding"):
        return  # nobody can tell what the bytes say
    found = ending(response.header("content-type"), response.body)
    if ended == "complete" and not found.complete_at_eof:
        yield f"it is complete, and the stream has no {found.expected}", "make it closed"
    elif ended == "complete" and found.dialect and not found.terminal and _ends_oddly(response):
        what = "it is complete, and the stream ends in data that is no JSON, not [DONE]"
        yield what, "mend the stream's last event"
    if ended != "complete" and found.terminal:
        yield f"it is {ended}, and the stream came to its end", "make it complete"


def _ends_oddly(response: Response) -> bool:
    """Tell whether the last event of a stream is one at which every SDK would fail.

    Where a reason to stop is enough for a stream to be whole (many servers never send ``[DONE]``),
    what came of ``[DONE]`` by a slip of the hand would not be missed. They all parse what is
    neither that nor JSON, so that no server sends it.
    """
    how = framing(response.header("content-type"), response.body)
    events = (read_event(how, raw) for raw in frames_backwards(how, response.body))
    last = next((event for event in events if event is not None), None)
    return last is not None and last.json is None and last.data.strip() not in ("", "null")
