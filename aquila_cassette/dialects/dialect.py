"""The base class of dialects, and the errors that any provider sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal

from aquila_cassette.dialects.framing import Framing, ProviderEvent, frames_backwards, read_event
from aquila_cassette.dialects.json_access import Table, as_dict, as_dicts, as_int, as_str, dump_json
from aquila_cassette.dialects.message import MessageBuilder

EVENT_TYPE = "event:"
"""Stands for the type of an event, apart from its JSON, among the fields of a `Mark`."""

Mark = Mapping[str, type | tuple[str, ...] | Literal[True]]
"""Fields that an event has: each with the type of its value, how its text may begin, or True."""

_SEVERAL = re.compile(rb'"index"\s*:\s*[1-9]')


class Dialect:
    """One provider's way to write an answer. No method raises, whatever the bytes."""

    name: ClassVar[str]  # as a program writes it: openai-chat
    title: ClassVar[str]  # as a person reads it: OpenAI chat completions
    expected: ClassVar[str]  # the terminal events, for a message that says what is missing
    # What an event has that can only be this dialect's, and an answer that is one JSON text (some
    # dialects stream those): one of these marks.
    events: ClassVar[tuple[Mark, ...]] = ()
    answers: ClassVar[tuple[Mark, ...]] = ()
    ends: ClassVar[tuple[Mark, ...]] = ()  # what a terminal event has, errors and ``[DONE]`` aside

    def recognises(self, event: ProviderEvent) -> bool:
        """Return True for an event that can only be this dialect's."""
        fields = {**event.fields, EVENT_TYPE: event.type}
        return _has_any((*self.events, *self.answers), fields)

    def is_answer(self, answer: Table) -> bool:
        """Return True if a JSON body is this provider's unstreamed answer."""
        return _has_any(self.answers, answer)

    def is_terminal(self, event: ProviderEvent) -> bool:
        """Return True for a terminal event, errors and ``[DONE]`` aside."""
        return _has_any(self.ends, {**event.fields, EVENT_TYPE: event.type})

    def is_complete_at_eof(self, how: Framing, body: bytes) -> bool:
        """Return True if a body without a terminal event is complete all the same at EOF."""
        return False

    def read_event(self, event: ProviderEvent, builder: MessageBuilder) -> None:
        """Add to `builder` what an event says; by default, that of an answer that is one JSON."""
        self.read_answer(event.fields, builder)

    def read_answer(self, answer: Table, builder: MessageBuilder) -> None:
        """Add to `builder` what an answer says that is one JSON text."""


def _has_any(marks: tuple[Mark, ...], fields: Table) -> bool:
    for mark in marks:
        for field, wanted in mark.items():
            if field not in fields:
                break
            value = fields[field]
            if isinstance(wanted, tuple):
                if not (isinstance(value, str) and value.startswith(wanted)):
                    break
            elif value is not True if wanted is True else not isinstance(value, wanted):
                break
        else:
            return True
    return False


def every_choice_finished(how: Framing, body: bytes, *, choices: str, reason: str) -> bool:
    """Return True if a body has choices, and each that began has given its reason to stop.

    `choices` and `reason` name the fields. Where there is but one choice, only the frames that give
    a reason are read.
    """
    mark = re.compile(rb'"%s"\s*:\s*"[^"]' % reason.encode())
    if not mark.search(body):
        return False
    several = _SEVERAL.search(body) is not None
    begun: set[int] = set()
    ended: set[int] = set()
    for raw in frames_backwards(how, body):
        if (several or mark.search(raw)) and (event := read_event(how, raw)) is not None:
            for choice in as_dicts(event.fields.get(choices)):
                begun.add(as_int(choice.get("index")))
                if choice.get(reason):
                    ended.add(as_int(choice.get("index")))
            if ended and not several:
                return True
    return bool(begun) and begun == ended


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
