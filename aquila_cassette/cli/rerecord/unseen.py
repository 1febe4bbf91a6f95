"""What an application may do to an answer of which the recorded answer shows nothing.

A text is sent back as it is, it seems; but had the recorded answer nothing to strip or to escape,
then an application that does so looks the same on the cassette.
"""

from __future__ import annotations

import re

__all__ = ["unseen"]

_THOUGHT = re.compile(r"</?think", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_QUOTES = frozenset({'""', "''", "\u201c\u201d", "\u2018\u2019", "\u00ab\u00bb"})


def unseen(old: str, new: str, *, within: str | None = None) -> str | None:
    r"""Tell what a new answer has that applications take off, and the old one had not.

    Args:
        old: The old one, as it was sent back.
        new: What would take its place.
        within: The text that it stands in, where that is not a turn of the model: more is done to
            an answer there.

    Returns:
        What it is, or None.

    Example:
        >>> unseen("It rains.", "It snows.\n")
        'white space around it'
        >>> unseen("It rains.", "Rain.\nOr snow.")
        >>> unseen("It rains.", "Rain.\nOr snow.", within="Judge: It rains.")
        'several lines'
    """
    if new != new.strip() and old == old.strip():
        return "white space around it"
    if _THOUGHT.search(new) and not _THOUGHT.search(old):
        return "a thought in it"
    if within is None:
        return None
    before, after = old.strip(), new.strip()
    if "\n" in after and "\n" not in before:
        return "several lines"
    if after != after.lower() and before == before.lower():
        return "capital letters"
    if _is_in_quotes(after) and not _is_in_quotes(before):
        return "quotes around it"
    if any(mark in after and mark not in before for mark in ("**", "`")):
        return "marks of Markdown"
    if _TAG.search(within.replace(old, "")) and _has_signs(after) and not _has_signs(before):
        return "signs that HTML escapes"
    return None


def _is_in_quotes(text: str) -> bool:
    return len(text) > 1 and text[0] + text[-1] in _QUOTES


def _has_signs(text: str) -> bool:
    return any(sign in text for sign in "&<>")
