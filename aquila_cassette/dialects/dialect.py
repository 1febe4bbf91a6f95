"""What a dialect is: how one provider's messages are told from others, read, and known to end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila_cassette.dialects.framing import backwards, read
from aquila_cassette.dialects.lenient import Table, rows, table, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila_cassette.dialects.framing import Framing, Message
    from aquila_cassette.dialects.said import Saying

__all__ = ["Dialect", "every_choice_finished"]

_SEVERAL = re.compile(rb'"index"\s*:\s*[1-9]')


def never_ends(_message: Message) -> bool:
    """Say that no message is a terminal event of this dialect's own."""
    return False


def no_answer(_answer: Table) -> bool:
    """Say that no unstreamed answer is this dialect's."""
    return False


def no_words(_answer: Table, _saying: Saying) -> None:
    """Hear nothing."""


def not_finished(_how: Framing, _body: bytes) -> bool:
    """Say that EOF alone never makes a stream of this dialect whole."""
    return False


@dataclass(frozen=True, slots=True)
class Dialect:
    """One provider's way to stream an answer, as functions of its messages that never raise.

    Args:
        name: As a program writes it: ``openai-chat``.
        title: As a person reads it: ``OpenAI chat completions``.
        expected: The terminal events, for a message that says what is missing.
        recognises: Whether a message can only be this dialect's.
        hear: Takes what a message says.
        ends: Whether a message is a terminal event, errors and ``[DONE]`` aside.
        hints: Each frame that holds such an event has one of these bytes, so that the others need
            no reading.
        finished: Whether a body without a terminal event is whole all the same if EOF follows.
        answers: Whether a JSON body is this provider's unstreamed answer.
        hear_answer: Takes what such an answer says.
    """

    name: str
    title: str
    expected: str
    recognises: Callable[[Message], bool]
    hear: Callable[[Message, Saying], None]
    ends: Callable[[Message], bool] = never_ends
    hints: tuple[bytes, ...] = ()
    finished: Callable[[Framing, bytes], bool] = not_finished
    answers: Callable[[Table], bool] = no_answer
    hear_answer: Callable[[Table, Saying], None] = no_words


def every_choice_finished(
    how: Framing, body: bytes, *, choices: str, reason: str, mark: re.Pattern[bytes]
) -> bool:
    """Whether a body has choices, and each that began has given its reason to stop.

    Args:
        how: The framing of the body.
        body: The body.
        choices: The name of the field that lists a message's choices, told apart by ``index``.
        reason: The name of a choice's field that says why it stopped.
        mark: What only a frame matches that gives such a reason, so that the others need no
            reading where there is but one choice.
    """
    if not mark.search(body):
        return False
    several = _SEVERAL.search(body) is not None
    begun: set[int] = set()
    ended: set[int] = set()
    for raw in backwards(how, body):
        if (several or mark.search(raw)) and (message := read(how, raw)) is not None:
            for choice in rows(table(message.json).get(choices)):
                begun.add(whole(choice.get("index")))
                if choice.get(reason):
                    ended.add(whole(choice.get("index")))
            if ended and not several:
                return True
    return bool(begun) and begun == ended
