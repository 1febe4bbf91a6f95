"""A recorded conversation asked again: each request as its test would send it now.

Where a recorded request sends back an id, a text or a tool call of an earlier answer, it must send
back that of the new answer. Where it cannot be told what the test would send, the request is
refused; so is a tool's result where the new answer calls something else: it would be that of
another call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.cli.rerecord.answers import Answer
from aquila_cassette.cli.rerecord.following import Follower
from aquila_cassette.cli.rerecord.picking import whose
from aquila_cassette.cli.rerecord.refusal import Refusal
from aquila_cassette.cli.rerecord.requests import RequestDocument
from aquila_cassette.cli.rerecord.turns import Turn
from aquila_cassette.errors import ResendError
from aquila_cassette.storage.names import display_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.model import Interaction, Request, Response

__all__ = ["Conversation"]


class Conversation:
    """The requests of a cassette, to be asked again in their order.

    Args:
        interactions: All of the cassette.
        path: The file, for messages.
        fix: What to do where a request cannot be followed.

    Example:
        >>> from pathlib import Path
        >>> from aquila_cassette.model import Interaction, Piece, Request, Response
        >>> def answer(id_: str) -> Response:
        ...     return Response(200, pieces=(Piece(0, b'{"id": "%s"}' % id_.encode()),))
        >>> made = Interaction(Request("POST", "https://a.example/threads"), answer("thread_1"))
        >>> used = Interaction(Request("GET", "https://a.example/threads/thread_1"), answer("-"))
        >>> again = Conversation([made, used], Path("x.yaml"), "")
        >>> _ = again.request()
        >>> again.answered(answer("thread_2"))
        >>> again.request().url
        'https://a.example/threads/thread_2'
    """

    def __init__(self, interactions: Sequence[Interaction], path: Path, fix: str) -> None:
        self._interactions = interactions
        self._path = path
        self._fix = fix
        self._turns: list[Turn] = []
        self._documents: list[RequestDocument] = []

    def request(self) -> Request:
        """Give the next request as its test would send it now.

        Raises:
            ResendError: It cannot be told what the test would send.
        """
        place = len(self._turns)
        document = RequestDocument(self._interactions[place].request)
        self._documents[place:] = [document]
        try:
            return Follower(document, [self._turns[at] for at in self._same(place)]).request()
        except Refusal as refusal:
            raise ResendError(
                f"Request {place + 1} of {display_path(self._path)} cannot be followed: {refusal}",
                path=self._path,
                facts=refusal.facts,
                fix=self._fix,
            ) from None

    def answered(self, response: Response) -> None:
        """Take the answer to the request that was given last.

        Args:
            response: As it came now.
        """
        place = len(self._turns)
        asked = [self._documents[at] for at in (*self._same(place), place)]
        old = Answer(self._interactions[place].response)
        self._turns.append(Turn(place, old, Answer(response), asked))

    def _same(self, place: int) -> list[int]:
        """List the interactions before that the same test recorded: others are none of its own."""
        owner = whose(self._interactions[place])
        return [at for at in range(place) if whose(self._interactions[at]) == owner]
