"""The one decision about a request: replay it, record it, or call it a miss."""

from __future__ import annotations

from typing import Literal

from aquila_cassette.options import Mode

__all__ = ["CassetteState", "Decision", "decide"]

CassetteState = Literal["absent", "new", "present"]
"""The file when the block was entered: not there, created in this same run, or there before it."""

Decision = Literal["replay", "record", "miss"]


def decide(mode: Mode, state: CassetteState, *, known: bool) -> Decision:
    """Return what becomes of a request; docs/record-modes.md shows every case.

    `known` means that the cassette holds an interaction for it that this block has not replayed.
    In mode ``all`` the cassette starts empty: it holds what the same owner's earlier blocks recorded.

    >>> decide("once", "present", known=True), decide("once", "present", known=False)
    ('replay', 'miss')
    """
    if known:
        return "replay"
    if mode == "none" or (mode == "once" and state == "present"):
        return "miss"
    return "record"
