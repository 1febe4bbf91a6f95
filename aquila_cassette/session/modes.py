"""The record modes: when a request is replayed, when recorded, when a miss; one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from aquila_cassette.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MODES",
    "TABLE",
    "Decision",
    "Mode",
    "TapeState",
    "decide",
    "default_mode",
    "parse_mode",
]

Mode = Literal["none", "once", "new_episodes", "all"]
"""What may be recorded; the words and their meaning are vcrpy's."""

TapeState = Literal["absent", "born", "present"]
"""What the file was when the cassette was opened: not there, begun in this very run, or there."""

Decision = Literal["replay", "record", "miss"]
"""What becomes of a request."""

MODES: tuple[Mode, ...] = get_args(Mode)

TABLE: dict[tuple[Mode, TapeState], tuple[Decision, Decision]] = {
    # (mode, cassette):            (the request is on the cassette, it is not)
    ("none", "absent"): ("replay", "miss"),
    ("none", "born"): ("replay", "miss"),
    ("none", "present"): ("replay", "miss"),
    ("once", "absent"): ("record", "record"),
    ("once", "born"): ("replay", "record"),
    ("once", "present"): ("replay", "miss"),
    ("new_episodes", "absent"): ("replay", "record"),
    ("new_episodes", "born"): ("replay", "record"),
    ("new_episodes", "present"): ("replay", "record"),
    ("all", "absent"): ("record", "record"),
    ("all", "born"): ("record", "record"),
    ("all", "present"): ("record", "record"),
}
"""Every decision there is; nothing else decides."""

_FALSE = frozenset({"", "0", "false", "no", "off"})


def decide(mode: Mode, cassette: TapeState, known: bool) -> Decision:
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


def default_mode(environ: Mapping[str, str]) -> Mode:
    """Give the mode of those who chose none: ``none`` where ``CI`` is set and not false.

    Args:
        environ: The environment, as `os.environ`.

    Example:
        >>> default_mode({"CI": "true"}), default_mode({"CI": "false"}), default_mode({})
        ('none', 'once', 'once')
    """
    return "once" if environ.get("CI", "").strip().lower() in _FALSE else "none"


def parse_mode(text: str, *, source: str) -> Mode:
    """Read a record mode that a user wrote.

    Args:
        text: The mode, spelt as in `MODES`.
        source: Where it was written, as its writer knows it: ``AQUILA_RECORD``, ``mode=``.

    Raises:
        UsageError: It is no mode; the message names `source` and the closest mode.

    Example:
        >>> parse_mode("new_episodes", source="AQUILA_RECORD")
        'new_episodes'
    """
    for mode in MODES:
        if mode == text:
            return mode
    # Imported late: the plugin reads a mode at the start of every run, and difflib is slow to load.
    from difflib import get_close_matches

    close = get_close_matches(str(text).lower(), MODES, n=1)
    raise UsageError(
        f"{source} names no record mode.",
        facts=["expected: none, once, new_episodes or all", f"got:      {text!r}"],
        fix=f"Change it to {close[0]!r}." if close else "Change it to one of the four.",
    )
