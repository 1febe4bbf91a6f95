"""What came out of comparing two cassettes: which interactions belong together, and what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from aquila_cassette.matching.difference import Hunk

if TYPE_CHECKING:
    from aquila_cassette.model import Interaction

__all__ = ["Aspect", "Change", "Compared", "Comparison", "Detail", "Sign", "Span", "Value", "Words"]

Aspect = Literal[
    "request",
    "status",
    "headers",
    "dialect",
    "model",
    "reasoning",
    "text",
    "refusal",
    "calls",
    "error",
    "stop",
    "usage",
    "fields",
    "arrival",
    "ended",
    "kept",
]
"""What of an interaction changed: the request; of the answer, what was said and how; `arrival` is
when and in how many pieces it came, `fields` whatever else its events hold, `kept` what is noted of
the recording itself."""

Sign = Literal[" ", "-", "+", "@"]
"""Whether something is in both, only in the old or only in the new, or says where that is."""


class Span(NamedTuple):
    """A stretch of text that is in both, or only in the old, or only in the new."""

    sign: Sign
    text: str


class Words(NamedTuple):
    """A text compared word by word: its spans without ``+`` are the old, without ``-`` the new."""

    spans: tuple[Span, ...]


class Value(NamedTuple):
    """A value that became another.

    Args:
        name: What it is called; empty where the aspect says that.
        old: What it was; None where there was none.
        new: What it is; None where there is none.
    """

    name: str
    old: str | None
    new: str | None


Detail = Value | Words | Hunk
"""One difference: a value, a text, or a place in JSON."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in one aspect of an interaction.

    Args:
        aspect: Which.
        details: The differences, in their order.
    """

    aspect: Aspect
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One interaction: on both cassettes, or on one of them.

    Args:
        old: As it was; None where it was added.
        new: As it is; None where it was removed.
        old_number: Its number on the old cassette, from 1; None where it is not there.
        new_number: Its number on the new cassette, from 1; None where it is not there.
        moved: Whether it stands before or after others than it did.
        changes: What is different between the two.
    """

    old: Interaction | None
    new: Interaction | None
    old_number: int | None
    new_number: int | None
    moved: bool = False
    changes: tuple[Change, ...] = ()

    @property
    def state(self) -> Literal["same", "changed", "moved", "added", "removed"]:
        """What became of it; one that was changed and moved is ``changed``."""
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        if self.changes:
            return "changed"
        return "moved" if self.moved else "same"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a cassette differs from an older one.

    Args:
        interactions: Those of both, in the order of the new cassette; a removed one stands where it
            stood, after what stood before it.
        changes: What is different of the cassettes themselves.
    """

    interactions: tuple[Compared, ...]
    changes: tuple[Change, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing is different."""
        return not self.changes and all(one.state == "same" for one in self.interactions)

    def summary(self) -> str:
        """Say in a few words what became of the interactions.

        Example:
            >>> Comparison(()).summary()
            'the same'
        """
        states = [one.state for one in self.interactions]
        total = sum(one.new is not None for one in self.interactions)
        parts = []
        if changed := states.count("changed"):
            parts.append(f"{changed} of {total} changed")
        parts += [
            f"{number} {state}"
            for state in ("added", "removed", "moved")
            if (number := states.count(state))
        ]
        if not parts and self.changes:
            parts.append("the file changed")
        return ", ".join(parts) or "the same"
