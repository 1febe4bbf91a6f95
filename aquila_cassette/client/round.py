"""One round: one request's answer, from its first piece to the verdict on how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.client.dialects.ask import MADE_UP
from aquila_cassette.client.ear import Ear
from aquila_cassette.client.events import Kind, Raw, StreamEvent
from aquila_cassette.client.framing import Cutter
from aquila_cassette.client.strange import SHOWN, is_broken, page, refusal
from aquila_cassette.dialects.dialect import error_in, provider_error
from aquila_cassette.dialects.lenient import as_dict, dump_json
from aquila_cassette.dialects.message import IdentifiedToolCall
from aquila_cassette.sse import Event as SseEvent

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from aquila_cassette.client.dialects.endpoint import Endpoint
    from aquila_cassette.dialects.framing import ProviderEvent

__all__ = ["Flaw", "Round"]

# How much of a body is kept, to name one that is no stream: a title stands within it.
_HEAD = 8 * 1024


class Flaw(NamedTuple):
    """Why an answer is no real completion."""

    kind: Kind
    reason: str


class Round:
    """Takes the pieces of one answer and gives events; reads until the dialect says it is over.

    Args:
        endpoint: Whose answer it is.
        ref: The stream's ref.
        status: The HTTP status.
        content_type: The content type; None if there was none.
    """

    def __init__(
        self, endpoint: Endpoint, ref: Hashable, status: int, content_type: str | None
    ) -> None:
        self._endpoint = endpoint
        self._ref = ref
        self._status = status
        self._content_type = content_type
        self._cutter = Cutter(content_type)
        self._ear = Ear(ref)
        self._turn = endpoint.turn()
        self._problem: str | None = None
        self._whole = False
        self._known = False
        self._foreign = ""
        self._broken = ""
        self._body = bytearray()
        self.response_id = ""
        self.over = False
        """Whether nothing more is to be read."""

    @property
    def heard(self) -> Ear:
        """What was said so far."""
        return self._ear

    @property
    def calls(self) -> list[IdentifiedToolCall]:
        """The tools called, each with an id."""
        return [
            call if call.id else call._replace(id=f"{MADE_UP}{number}")
            for number, call in enumerate(self._ear.calls, 1)
        ]

    def feed(self, piece: bytes) -> Iterator[StreamEvent]:
        """Take a piece of the body.

        Raises:
            FrameTooLargeError: An event passed the size limit.
        """
        if self._status >= 300:
            self._body += piece
            return
        if not self._known:
            self._body += piece[: max(0, _HEAD - len(self._body))]
        for message in self._cutter.feed(piece):
            yield from self._take(message)
            if self.over:
                return

    def eof(self) -> Iterator[StreamEvent]:
        """Take the end of the body."""
        if self._status >= 300:
            self._problem = refusal(self._content_type, bytes(self._body))
        else:
            rest, answers = self._cutter.end()
            for message in rest:
                yield from self._take(message)
            for answer in answers:
                yield from self._take_answer(answer)
        self.over = True
        self._ear.finish()
        yield from self._ear.take()

    def messages(self) -> list[dict[str, Any]]:
        """Give the answer as messages for the next request."""
        return self._turn.messages(self._ear.build(None).text, self.calls)

    def flaw(self) -> Flaw | None:
        """Say why this is no real completion; None if it is one."""
        said = self._ear.build(None)
        reason = said.finish_reason or ""
        endpoint = self._endpoint
        if self._status >= 300:
            return Flaw("http", self._problem or f"HTTP {self._status}")
        if words := self._problem or said.error:
            return Flaw("provider", words)
        if self._broken:
            return Flaw("protocol", f"A chunk of the stream is no JSON: {self._broken}")
        if said.refusal or reason in endpoint.refusals:
            return Flaw("refusal", said.refusal or f"The answer was refused: {reason}")
        if not self._whole and not (endpoint.ends_by_reason and reason):
            if foreign := self._named():
                title = endpoint.dialect.title
                return Flaw("protocol", f"The answer is none of {title}: {foreign}")
            return Flaw("cut", f"The stream ended before {endpoint.dialect.expected}.")
        if reason in endpoint.failures:
            return Flaw("provider", endpoint.failures[reason])
        if reason and reason not in endpoint.completions:
            return Flaw("incomplete", f"The answer is incomplete: {reason}")
        return None

    def _named(self) -> str | None:
        """Name what came, if nothing of it was the dialect's."""
        if self._known:
            return None
        return self._foreign or page(self._content_type, bytes(self._body))

    def _take(self, message: ProviderEvent) -> Iterator[StreamEvent]:
        if message.data.startswith("[DONE]"):
            self.over = True
            # Of a dialect with a last event of its own, it says nothing.
            self._whole = self._whole or (self._known and self._endpoint.ends_by_reason)
        elif (words := provider_error(message)) is not None:
            self._problem = words
            self.over = True
        elif is_broken(message, known=self._known):
            self._broken = message.data[:SHOWN]
            self.over = True
        else:
            yield from self._hear(message)
        if self.over:
            self._ear.finish()
            yield from self._ear.take()

    def _hear(self, message: ProviderEvent) -> Iterator[StreamEvent]:
        dialect = self._endpoint.dialect
        self._ear.touched = False
        if dialect.recognises(message):
            self._known = True
            dialect.read_event(message, self._ear)
            self._keep(as_dict(message.json))
            self.over = self._whole = dialect.is_terminal(message)
        else:
            self._foreign = self._foreign or message.data[:SHOWN]
        events = self._ear.take()
        yield from events
        if not (self._ear.touched or self.over):
            yield Raw(SseEvent(message.type, message.data), ref=self._ref)

    def _take_answer(self, answer: Any) -> Iterator[StreamEvent]:
        fields = as_dict(answer)
        if (words := error_in(answer)) is not None:
            self._problem = words
        elif self._endpoint.dialect.is_answer(fields):
            self._endpoint.dialect.read_answer(fields, self._ear)
            self._keep(fields)
            self._known = self._whole = True
        else:
            text = answer if isinstance(answer, str) else dump_json(answer)
            self._foreign = text[:SHOWN]
            yield Raw(SseEvent("message", text), ref=self._ref)
        yield from self._ear.take()

    def _keep(self, fields: dict[str, Any]) -> None:
        self._turn.take(fields)
        self.response_id = self._endpoint.id_of(fields) or self.response_id
