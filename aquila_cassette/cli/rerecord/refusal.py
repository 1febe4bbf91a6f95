"""Why a request cannot be followed."""

from __future__ import annotations

__all__ = ["Refusal", "cropped"]

_CROP = 60


class Refusal(Exception):  # noqa: N818 - becomes a ResendError
    """A request that cannot be followed: why, and the facts.

    Args:
        why: A clause that begins in lower case.
        facts: Lines that show it.
    """

    def __init__(self, why: str, *facts: str) -> None:
        super().__init__(why)
        self.facts = facts


def cropped(text: str) -> str:
    """Give a text for a message: as a literal, and not too long.

    Args:
        text: Any text.
    """
    return repr(text if len(text) <= _CROP else f"{text[:_CROP]}...")
