"""An answer that was asked for again: what was said before it, then and now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.rerecord.answers import Answer
    from aquila_cassette.rerecord.leaves import Author, Leaf
    from aquila_cassette.rerecord.requests import RequestDocument

__all__ = ["Turn", "spoken"]


def spoken(leaf: Leaf) -> tuple[Author, str]:
    """Give what is said in a leaf, and by whom.

    Args:
        leaf: Of a request.
    """
    return leaf.author, leaf.text


class Turn:
    """An earlier answer, old and new, and what had been asked until then.

    Args:
        place: Its place on the tape, from 0.
        old: As it was.
        new: As it is now.
        asked: The requests up to the one that it answers.
    """

    def __init__(
        self, place: int, old: Answer, new: Answer, asked: Sequence[RequestDocument]
    ) -> None:
        self.place = place
        self.old = old
        self.new = new
        self.known = frozenset(leaf.text for document in asked for leaf in document.leaves)
        self.counted = Counter(spoken(leaf) for leaf in asked[-1].leaves)
        self.users = frozenset(leaf.text for leaf in asked[-1].leaves if leaf.author == "user")
        self.changed = old.words != new.words

    @property
    def number(self) -> int:
        """Its number as people count."""
        return self.place + 1

    def knew(self, text: str) -> bool:
        """Tell whether `text` stood in a request before the answer came."""
        return text in self.known or any(text in one for one in self.known)
