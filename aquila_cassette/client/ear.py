"""Turns what a dialect hears into events, as it is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquila_cassette.client.events import Chunk, Reasoning
from aquila_cassette.dialects.message import MessageBuilder

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Ear"]


class Ear(MessageBuilder):
    """A listener that a dialect speaks to, and that makes events of it.

    Args:
        ref: The stream's ref, which every event carries.

    Example:
        >>> ear = Ear("a stream")
        >>> ear.add_text("Hello"); ear.take()
        [Chunk(text='Hello', ref='a stream')]
        >>> ear.take()
        []
    """

    def __init__(self, ref: Hashable) -> None:
        super().__init__()
        self._ref = ref
        self._events: list[Chunk | Reasoning] = []
        self._halves = {Chunk: "", Reasoning: ""}
        self.touched = False
        """Whether anything was heard since this was last set to False."""

    def add_text(self, chunk: str) -> None:
        """Hear a chunk of the answer."""
        super().add_text(chunk)
        self._hear(Chunk, chunk)

    def add_reasoning(self, chunk: str) -> None:
        """Hear a chunk of the reasoning."""
        super().add_reasoning(chunk)
        self._hear(Reasoning, chunk)

    def add_refusal(self, chunk: str) -> None:
        """Hear a chunk of a refusal."""
        super().add_refusal(chunk)
        self.touched = self.touched or bool(chunk)

    def add_call(
        self, key: Hashable, *, id_: str = "", name: str = "", arguments: str = ""
    ) -> None:
        """Hear of a tool call."""
        super().add_call(key, id_=id_, name=name, arguments=arguments)
        self.touched = True

    def set_meta(
        self, *, model: str = "", usage: dict[str, Any] | None = None, finish_reason: str = ""
    ) -> None:
        """Hear about the answer."""
        super().set_meta(model=model, usage=usage, finish_reason=finish_reason)
        self.touched = self.touched or bool(model or usage or finish_reason)

    def set_error(self, message: str) -> None:
        """Hear the provider's error."""
        super().set_error(message)
        self.touched = self.touched or bool(message)

    def take(self) -> list[Chunk | Reasoning]:
        """Give the events since the last call."""
        events, self._events = self._events, []
        return events

    def finish(self) -> None:
        """Hear that nothing follows: half a character that waits for its other half is given up."""
        for kind in (Chunk, Reasoning):
            if self._halves[kind]:
                self._halves[kind] = ""
                self._add(kind, "\N{REPLACEMENT CHARACTER}")

    def _hear(self, kind: type[Chunk | Reasoning], chunk: str) -> None:
        if not chunk:
            return
        self.touched = True
        # Some providers cut a character into two surrogates, and send them in two chunks.
        text = self._halves[kind] + chunk
        half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        self._halves[kind] = half
        if whole := text[: len(text) - len(half)]:
            self._add(
                kind, whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            )

    def _add(self, kind: type[Chunk | Reasoning], text: str) -> None:
        self._events.append(kind(text, ref=self._ref))
