"""Empty turns of the model: each stands for an answer that was empty, and gets what it is now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.hollow import hollows
from aquila_cassette.cli.rerecord.leaves import shown
from aquila_cassette.cli.rerecord.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.cli.rerecord.hollow import Hollow
    from aquila_cassette.cli.rerecord.leaves import Path
    from aquila_cassette.cli.rerecord.requests import RequestDocument
    from aquila_cassette.cli.rerecord.turns import Turn

__all__ = ["filled", "only_a_part", "other_parts", "standing"]

_SAID = frozenset({"text", "message", "output_text"})


def standing(document: RequestDocument, turns: Sequence[Turn]) -> Iterator[tuple[Hollow, Turn]]:
    """Give each empty turn of the model in a request, with the answer that it stands for.

    Args:
        document: The request.
        turns: The answers before it.

    Raises:
        Refusal: It cannot be told which, or an empty answer that now is not was left out.
    """
    found = hollows(document.document["body"], ("body",))
    empty = [turn for turn in turns if turn.old.is_said and turn.old.is_empty]
    if not empty:
        return
    added = found[empty[0].hollows :]
    if len(added) == len(empty):
        yield from zip(added, empty, strict=True)
    elif any(not turn.new.is_empty for turn in empty):
        if added:
            raise Refusal(
                "it cannot be told for which of several empty answers a turn of it stands.",
                f"it is: {shown(added[0].path)}",
            )
        for turn in empty:
            if not turn.new.is_empty and _goes_on(document, turn):
                raise Refusal(
                    f"it leaves out answer {turn.number}, which was empty and now is not."
                )


def _goes_on(document: RequestDocument, turn: Turn) -> bool:
    """Tell whether a request repeats all that the user had said before the answer, and more."""
    now = Counter(leaf.text for leaf in document.leaves if leaf.author == "user")
    return bool(turn.prompts) and turn.prompts < now


def filled(hollow: Hollow, turn: Turn) -> dict[Path, str]:
    """Give the text that an empty turn of the model has now, by where it belongs.

    Args:
        hollow: The turn.
        turn: The answer; it calls no tools.

    Raises:
        Refusal: There is no place for it, or it is more than a text.
    """
    text = turn.new.text
    if turn.new.is_empty:
        return {}
    if hollow.place is None or not text or not _SAID.issuperset(turn.new.shape):
        raise other_parts(turn, hollow.path)
    if turn.old.response.ended != "complete":
        raise only_a_part(turn, hollow.path)
    if hollow.text == turn.old.text != "":
        return {hollow.place: text}
    if text != text.strip():
        raise Refusal(
            f"it sends back answer {turn.number}, and what it does to white space shows nowhere.",
            f"sent back: {shown(hollow.path)}",
        )
    return {hollow.place: text}


def only_a_part(turn: Turn, path: Path) -> Refusal:
    """Say that an answer that is sent back was not recorded to its end.

    Args:
        turn: The answer.
        path: Where it is sent back.
    """
    return Refusal(
        f"it sends back answer {turn.number}, of which only a part is on the cassette.",
        f"sent back: {shown(path)}",
    )


def other_parts(turn: Turn, path: Path) -> Refusal:
    """Say that an answer now has parts for which the request has no place.

    Args:
        turn: The answer.
        path: Where it is sent back.
    """
    return Refusal(
        f"answer {turn.number} now has other parts than the ones it sends back.",
        f"sent back: {shown(path)}",
        f"recorded:  {', '.join(turn.old.shape) or 'nothing'}",
        f"now:       {', '.join(turn.new.shape) or 'nothing'}",
    )
