"""An answer that was asked for again: what was said before it, then and now."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.hollow import hollows
from aquila_cassette.cli.rerecord.quoting import is_long
from aquila_cassette.cli.rerecord.values import is_explained, occurrences, value_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.cli.rerecord.answers import Answer
    from aquila_cassette.cli.rerecord.leaves import Author, Leaf, Path
    from aquila_cassette.cli.rerecord.requests import RequestDocument
    from aquila_cassette.cli.rerecord.values import Address, Value

__all__ = ["Turn", "field", "spoken"]


def spoken(leaf: Leaf) -> tuple[Author, str]:
    """Give what is said in a leaf, and by whom.

    Args:
        leaf: Of a request.
    """
    return leaf.author, leaf.text


def field(path: Path) -> tuple[str | int, str | int]:
    """Give the field that a path leads to: the part of the request, and the nearest name.

    Args:
        path: In a request.

    Example:
        >>> field(("body", "messages", 3, "stop", 0))
        ('body', 'stop')
    """
    return path[0], next(step for step in reversed(path) if isinstance(step, str) and step)


class Turn:
    """An earlier answer, old and new, and what had been asked until then.

    Args:
        place: Its place on the cassette, from 0.
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
        self.prompts = Counter(leaf.text for leaf in asked[-1].leaves if leaf.author == "user")
        self.users = frozenset(self.prompts)
        self.hollows = len(hollows(asked[-1].document["body"]))
        self.changed = (old.words, old.quotable) != (new.words, new.quotable)
        self._asked = tuple(asked)

    @property
    def number(self) -> int:
        """Its number as people count."""
        return self.place + 1

    def knew(self, text: str) -> bool:
        """Tell whether `text` stood in a request before the answer came."""
        return text in self.known or any(text in one for one in self.known)

    @cached_property
    def texts(self) -> frozenset[str]:
        """All that was said in the requests, those that are no JSON as well."""
        return self.known.union(document.plain for document in self._asked)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Who was asked."""
        return frozenset(document.host for document in self._asked)

    @cached_property
    def lost(self) -> tuple[Value, ...]:
        """The values of the old answer that no longer stand where they stood."""
        now = self.new.told
        return tuple(
            {
                one.value: None
                for at, one in self.old.told.items()
                if at not in now or now[at].spelt != one.spelt or self._is_resized(at)
            }
        )

    def _is_resized(self, at: Address) -> bool:
        """Tell whether a place is in a list that now has more or fewer items.

        An application that takes one of them cannot be told from one that takes all.
        """
        lists = (at[:depth] for depth in range(2, len(at)))
        return any(self.old.sizes.get(one) != self.new.sizes.get(one) for one in lists)

    @cached_property
    def lost_voids(self) -> frozenset[str | None]:
        """What of null and the empty string was in the answer's JSON where it no longer is."""
        now = self.new.voids
        return frozenset(
            void for at, void in self.old.voids.items() if at not in now or now[at] != void
        )

    def string_now(self, old: str) -> str | None:
        """Give what stands where a string of the old answer's JSON stood; None if it is not clear.

        Args:
            old: The string.
        """
        places = [at for at, one in self.old.strings.items() if one == old]
        found = {None if self._is_resized(at) else self.new.strings.get(at) for at in places}
        return found.pop() if len(found) == 1 else None

    def explains(self, part: str, text: str) -> bool:
        """Tell whether a short part of a text stood in such a place before the answer came.

        Args:
            part: It.
            text: A string of a request.
        """
        value = value_of(part)
        places = occurrences(value, text) if value else []
        return part in self.known or bool(
            value and places and all(is_explained(value, at, text, self.texts) for at in places)
        )

    def had(self, path: Path, value: object) -> bool:
        """Tell whether a value stood in that field before the answer came: a constant.

        Args:
            path: Where it stands now.
            value: It, a name where it is the name that stands there.
        """
        return (field(path), type(value), value) in self._fields

    @cached_property
    def _fields(self) -> frozenset[tuple[object, type, object]]:
        return frozenset(
            (field(path), type(value), value)
            for document in self._asked
            for path, value in (
                *((leaf.path, leaf.value) for leaf in document.leaves),
                *document.marks,
            )
        )

    def had_void(self, path: Path, void: str | None) -> bool:
        """Tell whether a null or an empty string stood in that field before the answer came.

        Args:
            path: Where it stands now.
            void: It.
        """
        return (field(path), void) in self._void_fields

    @cached_property
    def _void_fields(self) -> frozenset[tuple[object, str | None]]:
        return frozenset(
            (field(at), void) for document in self._asked for at, void in document.voids
        )

    def repeats(self, text: str) -> bool:
        """Tell whether a long text is one that stood in a request before the answer came.

        Args:
            text: A whole leaf.
        """
        return is_long(text) and text in self.known
