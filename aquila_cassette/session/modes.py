"""The record modes: when a request is replayed, when recorded, when a miss; one table."""

from __future__ import annotations

from typing import Literal

from aquila_cassette.options import Mode

__all__ = ["TABLE", "CassetteState", "Decision", "decide"]

CassetteState = Literal["absent", "new", "present"]
"""What the file was when the cassette was opened: not there, begun in this very run, or there."""

Decision = Literal["replay", "record", "miss"]
"""What becomes of a request."""

TABLE: dict[tuple[Mode, CassetteState], tuple[Decision, Decision]] = {
    # (mode, cassette):            (the request is on the cassette, it is not)
    ("none", "absent"): ("replay", "miss"),
    ("none", "new"): ("replay", "miss"),
    ("none", "present"): ("replay", "miss"),
    ("once", "absent"): ("record", "record"),
    ("once", "new"): ("replay", "record"),
    ("once", "present"): ("replay", "miss"),
    ("new_episodes", "absent"): ("replay", "record"),
    ("new_episodes", "new"): ("replay", "record"),
    ("new_episodes", "present"): ("replay", "record"),
    ("all", "absent"): ("record", "record"),
    ("all", "new"): ("record", "record"),
    ("all", "present"): ("record", "record"),
}
"""Every decision there is; nothing else decides."""


def decide(mode: Mode, cassette: CassetteState, known: bool) -> Decision:
    """Say what becomes of a request.

    Args:
        mode: The mode in force.
        cassette: What the file was when the cassette was opened.
        known: Whether the cassette holds a recording of this request that is still to be played.

    Example:
        >>> decide("once", "present", known=True)
        'replay'
        >>> decide("once", "present", known=False)
        'miss'
    """
    when_known, when_not = TABLE[mode, cassette]
    return when_known if known else when_not
