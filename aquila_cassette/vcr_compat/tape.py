"""vcrpy's cassette with our engine under it: what `vcr` is in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import vcr.matchers as matchers  # type: ignore[import-untyped]
from vcr.cassette import Cassette  # type: ignore[import-untyped]
from vcr.matchers import get_matchers_results, requests_match
from vcr.record_mode import RecordMode  # type: ignore[import-untyped]

from aquila_cassette.vcr_compat.files import Files
from aquila_cassette.vcr_compat.translation import NoCase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aquila_cassette.vcr_compat.session import Deck

__all__ = ["CassetteData", "Chosen"]

_LOOK_AT_THE_URL = frozenset(
    {matchers.method, matchers.uri}
    | {matchers.scheme, matchers.host, matchers.port, matchers.path, matchers.query}
)


class Chosen(NamedTuple):
    """Where on the cassette the answer is; whether its request had this body; whether more follow."""

    place: int
    same_body: bool
    more: bool


class CassetteData(Cassette):  # type: ignore[misc]
    """A `vcr.cassette.Cassette`: loading, hooks, matchers, counts and saving are vcrpy's own.

    What reaches it are requests that our heads met; responses come when they are over.

    Args:
        settings: As vcrpy gives them to its own.
    """

    def __init__(self, **settings: Any) -> None:
        self.deck: Deck | None = None
        self._pairs: list[tuple[Any, Any]] = []
        super().__init__(**settings)

    @property
    def data(self) -> list[tuple[Any, Any]]:
        """The requests and responses: those of the file, and those that were recorded so far."""
        if self.deck is not None:
            self.deck.hand_over()
        return self._pairs

    @data.setter
    def data(self, pairs: list[tuple[Any, Any]]) -> None:
        self._pairs = pairs

    @property
    def looks_at_urls_only(self) -> bool:
        """Whether nothing but method and URL decides what matches."""
        return _LOOK_AT_THE_URL.issuperset(self._match_on)

    @property
    def holds_values(self) -> bool:
        """Whether a request on the cassette has a JSON value for a body, in place of its bytes."""
        return any(isinstance(request.body, dict | list) for request, _ in self._pairs)

    def choose(
        self,
        forms: Sequence[Any],
        same_body: Callable[[int], bool],
        *,
        strict: bool,
    ) -> Chosen | None:
        """Choose what answers a request, and count it as played; None where nothing does.

        Of several recordings that the matchers take for the same, those with the same body come
        first: what runs side by side gets its own answers.

        Args:
            forms: The request, filtered, in the forms in which it may be on the cassette.
            same_body: Tells whether the request at a place of the cassette had the body of this one.
            strict: Whether nothing but the same body will do.
        """
        repeats = self.allow_playback_repeats
        if self.record_mode == RecordMode.ALL or not (self.rewound or repeats):
            return None
        fitting = [
            place
            for place, (stored, _) in enumerate(self.data)
            if (repeats or not self.play_counts[place])
            and any(requests_match(form, stored, self._match_on) for form in forms)
        ]
        same = [place for place in fitting if same_body(place)]
        if not same and (strict or not fitting):
            return None
        place = (same or fitting)[0]
        if not self.play_counts[place] and place < self._loaded_count:
            self._played_interactions.append(self.data[place])
        self.play_counts[place] += 1
        return Chosen(place, bool(same), repeats or len(fitting) > 1)

    def compared(self, request: Any) -> list[list[tuple[str, str | None]]]:
        """Tell for each recording which matchers find it another request, and why."""
        return [get_matchers_results(request, stored, self._match_on)[1] for stored, _ in self.data]

    def filter_response(self, response: dict[str, Any]) -> dict[str, Any] | None:
        """Show a response to the hooks; None where one of them drops it."""
        filtered: dict[str, Any] | None = self._before_record_response(response)
        return filtered

    def append(self, request: Any, response: Any) -> None:
        """Take a recording off the file; its headers are as hooks know them, whoever wrote it."""
        if isinstance(response, dict) and isinstance(response.get("headers"), dict):
            response = {**response, "headers": NoCase(response["headers"])}
        super().append(request, response)

    def keep(self, request: Any, response: dict[str, Any]) -> None:
        """Put a recording on the cassette, filtered as it is to be saved."""
        self._pairs.append((request, response))
        self.dirty = True

    def _save(self, force: bool = False) -> None:
        if self.deck is not None and not self.deck.finish():
            return
        persister = self._persister
        if isinstance(persister, Files):
            persister.replaces |= self.record_mode == RecordMode.ALL or self.drop_unused_requests
        super()._save(force=force)

    def _persist(self, cassette_dict: dict[str, Any]) -> None:
        responses = [_plain(response) for response in cassette_dict["responses"]]
        super()._persist({**cassette_dict, "responses": responses})


def _plain(response: Any) -> Any:
    """Give a response that any serializer knows how to write."""
    if not isinstance(response, dict):
        return response
    plain = dict(response)
    if isinstance(plain.get("headers"), dict):
        plain["headers"] = dict(plain["headers"])
    if isinstance(plain.get("body"), dict):  # vcrpy's serializing writes into it
        plain["body"] = dict(plain["body"])
    return plain
