"""The ends of names as patterns, all of one width, as a lookbehind needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["endings_of"]

_WIDTH = 5


def endings_of(known: Iterable[str], more: Iterable[str]) -> tuple[bytes, bytes]:
    """Give patterns that match the end of every name that may hold a secret: 2 and 5 bytes wide.

    The short one is cheap to try, and rules out nearly all names.

    Args:
        known: The ends of the known names.
        more: The names that a user added, plain. Only their last two characters count, since a
            separator may stand between any two.

    Example:
        >>> endings_of(["key", "password"], ["tenantid"])
        (b'(?:i|[-_. ])d|ey|rd', b'...(?:i|[-_. ])d|..key|sword')
    """
    wide: dict[bytes, bytes] = {}
    for name in known:
        end = name[-_WIDTH:].encode()
        wide[b"." * (_WIDTH - len(end)) + end] = end[-2:]
    for name in more:
        last = name[-1:].encode()
        two = b"(?:%s|[-_. ])%s" % (name[-2:-1].encode(), last) if len(name) > 1 else b"." + last
        wide[b"..." + two] = two
    return b"|".join(sorted(set(wide.values()))), b"|".join(sorted(wide))
