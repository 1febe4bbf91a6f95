"""A finding: what is wrong with a cassette, on which line, of which kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KINDS", "MENDS", "Finding", "Kind", "Level"]

Level: TypeAlias = Literal["error", "warning"]
"""Whether a cassette cannot be used or must not be shared as it is, or is only not as it should be."""

MENDS = "mend it: aquila-cassette check --fix"
"""The fix of what ``check --fix`` mends."""


class Kind(NamedTuple):
    """A kind of fault: how grave it is, and what it is, in one line."""

    level: Level
    meaning: str


KINDS: dict[str, Kind] = {
    "unreadable": Kind("error", "the file cannot be opened, is none, or is too large"),
    "empty": Kind("error", "the file, or its list of interactions, is empty"),
    "binary": Kind("error", "the file is not UTF-8 text"),
    "truncated": Kind("error", "the file ends in the middle of an interaction"),
    "newer": Kind("error", "the file is of a newer version of the format"),
    "duplicate-key": Kind("error", "a key stands twice in a mapping"),
    "anchor": Kind("error", "an anchor, an alias or a merge key"),
    "tag": Kind("error", "a YAML tag"),
    "format": Kind("error", "anything else that makes a file no cassette"),
    "secret": Kind("error", "a secret, by the rules of saving"),
    "header": Kind("warning", "a header that is not kept when recording"),
    "orphan": Kind("warning", "no test uses the cassette"),
    "gone": Kind("warning", "recorded_by names a test that no longer exists"),
    "old": Kind("warning", "recorded longer ago than --max-age"),
    "duplicate": Kind("warning", "the same request with the same answer, needlessly twice"),
    "pieces": Kind("warning", "the time line does not add up to the body, or runs backwards"),
    "ended": Kind("warning", "how it ended is not what the rest of the response says"),
    "length": Kind(
        "warning", "content-length is not the body's length, or a body is where none can be"
    ),
    "type": Kind("warning", "content-type is not what the body is, or is kept as"),
    "request": Kind("warning", "a request that no program sends"),
    "date": Kind("warning", "recorded_at is no time, or one in the future"),
    "layout": Kind("warning", "laid out otherwise than it would be written today"),
    "name": Kind("warning", "a name that Windows cannot hold, or that no test can open"),
    "case": Kind("warning", "two names that are one where case does not count"),
    "leftover": Kind("warning", "a temporary file of a save that was killed"),
}
"""All kinds of fault there are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one file.

    Args:
        path: The file.
        line: The line it is on, from 1; 1 where it is the whole file.
        kind: One of `KINDS`.
        what: What is wrong: a clause that starts in lower case, with nothing secret in it.
        fix: What mends it: a command, or an edit; may be empty.
        mends: Whether ``check --fix`` mends it.
    """

    path: Path
    line: int
    kind: str
    what: str
    fix: str = ""
    mends: bool = False

    @property
    def level(self) -> Level:
        """How grave it is."""
        return KINDS[self.kind].level
