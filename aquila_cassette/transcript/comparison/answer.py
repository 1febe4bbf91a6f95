"""One answer as it is compared: what was said in it, and whatever else its events hold."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from aquila_cassette.dialects import ModelMessage, read_message
from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.dialects.lenient import as_dict, as_str, load_json
from aquila_cassette.transcript.comparison.noise import FILLERS, ids_of

if TYPE_CHECKING:
    from aquila_cassette.dialects.framing import Framing, ProviderEvent
    from aquila_cassette.model import Response

__all__ = ["Answer"]


class Answer:
    """One response, read when it is asked for.

    Args:
        response: As it is on the cassette.
    """

    def __init__(self, response: Response) -> None:
        self.response = response
        self._type = response.header("content-type")

    @cached_property
    def framing(self) -> Framing:
        """How the body is framed."""
        return framing(self._type, self.response.body)

    @cached_property
    def said(self) -> ModelMessage:
        """What the model said; nothing where no model answered."""
        return read_message(self._type, self.response.body)

    @cached_property
    def json(self) -> Any:
        """The body's JSON; None where it is a stream, or no JSON."""
        return load_json(self.response.body) if self.framing == "json" else None

    @cached_property
    def messages(self) -> list[ProviderEvent]:
        """The events of a stream, those left out that only keep the connection open."""
        if self.framing == "json":
            return []
        return [one for one in read_events(self.framing, self.response.body) if not _is_filler(one)]

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events."""
        return self.framing != "json"

    @property
    def is_models(self) -> bool:
        """Whether a model answered, or a provider with an error."""
        return self.said.dialect is not None or self.said.error is not None

    @property
    def values(self) -> list[Any]:
        """All that the body holds: the JSON of it, or of each event; else an event's data."""
        if self.framing == "json":
            return [] if self.json is None else [self.json]
        return [one.data if one.json is None else one.json for one in self.messages]

    @property
    def ids(self) -> set[str]:
        """The ids in it, which a later request may send back."""
        return ids_of(self.values)


def _is_filler(message: ProviderEvent) -> bool:
    return message.type in FILLERS or as_str(as_dict(message.json).get("type")) in FILLERS
