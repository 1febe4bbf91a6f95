"""On replay, an event waits for the requests of its block that came before it in the recording."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aquila_cassette.dialects.reading import recognise
from aquila_cassette.model import Interaction
from aquila_cassette.session.player import Player, ReplayIndex
from aquila_cassette.storage.bodies import is_event_stream
from aquila_cassette.waiting.event_loops import elapsed, time_limit
from aquila_cassette.waiting.notifier import notifier

NEVER = -1
"""The place of a request that does not come: what waits for it waits until the block ends."""

LIMIT = 5.0
"""How many seconds an event waits for a request that does not come."""


class Order:
    """Which of the requests in `index` started while others were under way."""

    def __init__(self, index: ReplayIndex) -> None:
        self.is_over = False
        self._index = index
        self.given_up: set[int] = set()
        starts = ((_start(one), place) for place, one in enumerate(index.interactions))
        self._starts = sorted((start, place) for start, place in starts if start)

    def waits(self, one: Interaction) -> dict[int, list[int]]:
        """Return for which requests the pieces of a stream wait; a model's answer waits for none.

        The end of a GET that said nothing waits for all: it stood there for what might come.
        """
        start, response = _start(one), one.response
        kind = response.header("content-type")
        if not start or not is_event_stream(response) or recognise(kind, response.body):
            return {}
        is_silent = one.request.method == "GET" and not response.pieces
        times = [start + piece.at for piece in response.pieces]
        waits: dict[int, list[int]] = {}
        for later, place in self._starts:
            piece = bisect_left(times, later)
            is_of_the_block = self._index.interactions[place].recorded_by == one.recorded_by
            if later > start and is_of_the_block and (piece < len(times) or is_silent):
                waits.setdefault(piece, []).append(place)
        if (waits or is_silent) and response.ended == "closed":
            waits[len(times)] = [NEVER]  # it stands open, as the live one did when it was closed
        return waits

    def is_due(self, places: Sequence[int]) -> bool:
        return self.is_over or self.given_up.union(self._index.played).issuperset(places)


def _start(one: Interaction) -> int:
    """Return when a request started, in ms; 0 if it overlapped no other, which has no fraction."""
    at = one.recorded_at
    return round(datetime.fromisoformat(at).timestamp() * 1000) if "." in at else 0


class OrderedPlayer(Player):
    """The replay of a stream whose pieces wait for requests: by their number, for which places."""

    def __init__(
        self, *args: Any, order: Order, waits: Mapping[int, Sequence[int]], **how: Any
    ) -> None:
        super().__init__(*args, **how)
        self._order = order
        self._waits = waits
        self.is_immediate = False

    def take(self) -> bytes:
        places = self._waits.get(self._place, ())
        deadline = elapsed() + LIMIT
        count = notifier.count
        while not self._order.is_due(places) and (left := deadline - elapsed()) > 0:
            notifier.wait_sync(count, left)
            count = notifier.count
        self._order.given_up.update(places)
        return super().take()

    async def take_async(self) -> bytes:
        places = self._waits.get(self._place, ())
        with time_limit(LIMIT):
            await notifier.until(lambda: self._order.is_due(places))
        self._order.given_up.update(places)
        return await super().take_async()
