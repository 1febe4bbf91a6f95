"""What an endpoint is: how its requests are made, and what its answers are kept as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.client.dialects.ask import Ask, Outcome
    from aquila_cassette.dialects.dialect import Dialect
    from aquila_cassette.dialects.message import IdentifiedToolCall

__all__ = ["Endpoint", "Provider", "Turn"]


class Turn(Protocol):
    """Gathers one answer of the model as the message that it is in the next request."""

    def take(self, message: dict[str, Any]) -> None:
        """Take the JSON of a message of the stream, or of a whole answer."""

    def messages(self, text: str, calls: Sequence[IdentifiedToolCall]) -> list[dict[str, Any]]:
        """Give the answer as messages, from what was taken or from the text and the calls."""
        raise NotImplementedError


@dataclass(frozen=True)
class Provider:
    """Whom to ask: where, and with what key.

    Args:
        name: Its name: ``openai``.
        environment: The prefix of its variables: ``OPENAI`` for ``OPENAI_API_KEY``.
        base_url: Its address where no other is given.
        headers: Makes the headers that a key is sent in; the key is empty where there is none.
    """

    name: str
    environment: str
    base_url: str
    headers: Callable[[str], dict[str, str]]


@dataclass(frozen=True)
class Endpoint:
    """One way to ask one provider for a stream: a dialect to listen with, and requests to make.

    Args:
        name: What users call it: ``chat``.
        provider: Whose it is.
        dialect: Listens to its streams.
        path: Makes the path of a request, below the base URL.
        body: Makes the JSON body of a request.
        turn: Makes a gatherer for one answer.
        results: Makes the messages that tell what tools gave back, in the order of the calls.
        id_of: Finds the response's id in a message of the stream or a whole answer; or "".
        completions: The reasons to stop that are real completions; all others are failures.
        refusals: Those that say that the model or the provider refused to answer.
        failures: Those that say that the provider broke the answer off, and the words for it where
            it gives none.
        ends_by_reason: Whether a reason to stop, with EOF, ends a stream without a last event.
        stored: The path of stored responses; None where there are none.
    """

    name: str
    provider: Provider
    dialect: Dialect
    path: Callable[[Ask], str]
    body: Callable[[Ask], dict[str, Any]]
    turn: Callable[[], Turn]
    results: Callable[[Sequence[Outcome]], list[dict[str, Any]]]
    id_of: Callable[[dict[str, Any]], str]
    completions: frozenset[str]
    refusals: frozenset[str] = field(default_factory=frozenset)
    failures: Mapping[str, str] = field(default_factory=dict)
    ends_by_reason: bool = False
    stored: str | None = None
