"""The base class of dialects, and the errors that any provider sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from aquila_cassette.dialects.framing import ProviderEvent
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str, dump_json
from aquila_cassette.dialects.message import MessageBuilder

EVENT_TYPE = "event:"
"""Stands for the type of an event, apart from its JSON, among the fields of a `Mark`."""

Mark = Mapping[str, type | tuple[str, ...]]
"""Fields that an event has: each with the type of its value, or how its text may begin."""


class Dialect:
    """One provider's way to write an answer. No method raises, whatever the bytes."""

    name: str  # as a program writes it: openai-chat
    title: str  # as a person reads it: OpenAI chat completions
    expected: str  # the terminal events, for a message that says what is missing
    # What an event has that can only be this dialect's, and an answer that is one JSON text (some
    # dialects stream those): one of these marks.
    events: ClassVar[tuple[Mark, ...]] = ()
    answers: tuple[Mark, ...] = ()
    # The types of terminal events, errors and ``[DONE]`` aside; their bytes have one of these words.
    ends: ClassVar[tuple[str, ...]] = ()

    def recognises(self, event: ProviderEvent) -> bool:
        """Return True for an event that can only be this dialect's."""
        return _has_any((*self.events, *self.answers), {**event.fields, EVENT_TYPE: event.type})

    def is_answer(self, answer: Table) -> bool:
        """Return True if a JSON body is this provider's unstreamed answer."""
        return _has_any(self.answers, answer)

    def is_terminal(self, event: ProviderEvent) -> bool:
        """Return True for a terminal event, errors and ``[DONE]`` aside."""
        fields = event.fields
        return bool(fields) and fields.get("type", event.type) in self.ends

    def is_complete_at_eof(self, events: Iterator[ProviderEvent]) -> bool:
        """Return True if a stream without a terminal event is complete all the same at EOF."""
        return False

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        """Add to `builder` what an event says; by default, that of an answer that is one JSON."""
        self.read_answer(event.fields, builder)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        """Add to `builder` what an answer says that is one JSON text."""


class FieldDialect(Dialect):
    """A dialect whose events each say a part of the text in a field, and the last why it ended."""

    def __init__(
        self, name: str, title: str, text: str, reason: str, counts: tuple[str, ...] = ()
    ) -> None:
        self.name, self.title, self.expected = name, title, f"a {reason}"
        self.answers = ({text: str, reason: object},)
        if counts:
            self.answers += ({"results": list, counts[0]: int},)
        self._text, self._reason, self._counts = text, reason, counts

    def is_complete_at_eof(self, events: Iterator[ProviderEvent]) -> bool:
        return any(as_str(event.fields.get(self._reason)) for event in events)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        usage = {name: answer[name] for name in self._counts if answer.get(name) is not None}
        builder.set_meta(model=answer.get("model"), usage=usage)
        for part in as_dicts(answer.get("results")) or [answer]:
            builder.add_text(part.get(self._text))
            builder.set_meta(finish_reason=part.get(self._reason))


def _has_any(marks: tuple[Mark, ...], fields: Table) -> bool:
    return any(
        all(name in fields and _fits(fields[name], wanted) for name, wanted in mark.items())
        for mark in marks
    )


def _fits(value: object, wanted: type | tuple[str, ...]) -> bool:
    if isinstance(wanted, tuple):
        return isinstance(value, str) and value.startswith(wanted)
    return isinstance(value, wanted)


def has_every_choice_finished(
    events: Iterable[ProviderEvent], *, choices: str, reason: str
) -> bool:
    """Return True if there are choices, and each gave its reason to stop, in the fields named so."""
    finished: dict[int, bool] = {}
    for event in events:
        for choice in as_dicts(event.fields.get(choices)):
            index = as_int(choice.get("index"))
            finished[index] = finished.get(index, False) or bool(as_str(choice.get(reason)))
    return bool(finished) and all(finished.values())


def read_function(call: Table, key: int, builder: MessageBuilder) -> None:
    """Add a tool call in the form that OpenAI's chat completions have."""
    function = as_dict(call.get("function")) or as_dict(call.get("custom"))
    given = function.get("arguments") or function.get("input")
    builder.add_call(key, id_=call.get("id"), name=function.get("name"), arguments=given)


def provider_error(event: ProviderEvent) -> str | None:
    """Return the provider's words if `event` is an error, else None.

    An event that is cut off within its JSON is no error yet.
    """
    found = error_in(event.json)
    if found is None and event.type == "error":
        if event.json is not None:
            return _error_text(event.json)
        if not event.data.lstrip().startswith(("{", "[")):
            return event.data or "error"
    return found


def error_in(answer: object) -> str | None:
    """Return the provider's words if the JSON `answer` is an error, else None.

    One of JSON-RPC is not: it answers one request of several and ends no stream.
    """
    fields = as_dict(answer)
    if not fields or "jsonrpc" in fields:
        return None
    if fields.get("error"):
        return _error_text(fields["error"])
    if "error" in (fields.get("type"), fields.get("object")):
        return _error_text(fields)
    return None


def _error_text(error: object) -> str:
    while isinstance(error, dict) and isinstance(error.get("error"), str | dict) and error["error"]:
        error = error["error"]
    return as_str(error) or as_str(as_dict(error).get("message")) or dump_json(error)
