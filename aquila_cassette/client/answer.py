"""Build the events of one answer from its bytes, and decide whether it failed.

It does no input or output. A body that begins as JSON does is read as a whole: servers answer a
request for a stream so, some with an error and some with the answer.
"""

from __future__ import annotations

import html
import re
from collections.abc import Generator, Hashable, Iterator
from dataclasses import replace
from typing import Any

from aquila_cassette import sse
from aquila_cassette.client.endpoints import MADE_UP_ID, Endpoint
from aquila_cassette.client.events import Chunk, Kind, Meta, Raw, Reasoning, StreamEvent
from aquila_cassette.dialects.dialect import error_in, provider_error
from aquila_cassette.dialects.framing import ProviderEvent, framing, read_events
from aquila_cassette.dialects.json_access import Table, as_dict, dump_json, load_json
from aquila_cassette.dialects.message import MessageBuilder, ModelToolCall

_BOM = b"\xef\xbb\xbf"
_MAX_SHOWN = 500
"""The most characters of a body that an error shows."""
_MAX_HEAD = 8 * 1024
"""How much of a body is kept to name it if it is no stream: a title is within it."""
_TITLE = re.compile(r"<title\b[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_TEXT_EVENTS: dict[str, type[Chunk | Reasoning]] = {"words": Chunk, "thought": Reasoning}
_SSE_FIELDS = ("data", "event", "id", "retry")


class StreamFailure(Exception):  # noqa: N818 - what users see is a StreamError
    def __init__(self, kind: Kind, reason: str) -> None:
        self.kind: Kind = kind
        super().__init__(reason)


class _Message(MessageBuilder):
    """Knows also whether an event changed anything but texts."""

    is_changed = False

    def begin_event(self) -> None:
        self.piece += 1
        self.is_changed = False

    def add_call(self, key: Hashable, **fields: str) -> None:
        super().add_call(key, **fields)
        self.is_changed = True

    def set_meta(self, **fields: Any) -> None:
        super().set_meta(**fields)
        self.is_changed |= any(fields.values())


class AnswerParser:
    """Reads one answer, until its dialect says that it is over."""

    def __init__(
        self, endpoint: Endpoint, ref: Hashable, status: int, content_type: str | None
    ) -> None:
        self._endpoint = endpoint
        self._ref = ref
        self.status = status
        self._content_type = content_type
        self._splitter = _BodySplitter(content_type)
        self._objects: list[Table] = []
        self._head = bytearray()
        self._error: str | None = None
        self._broken = ""  # an event that is no JSON, where JSON was due
        self._foreign = ""  # the first event that is not of the endpoint's dialect
        self._is_complete = False
        self._message = _Message()
        self._halves: dict[type[Chunk | Reasoning], str] = {Chunk: "", Reasoning: ""}
        self._response_id = ""
        self.is_over = False
        """Whether nothing more is to be read."""

    @property
    def text(self) -> str:
        return self._message.build(None).text

    @property
    def calls(self) -> list[ModelToolCall]:
        """The tool calls, each with an id."""
        return [
            call if call.id else replace(call, id=f"{MADE_UP_ID}{number}")
            for number, call in enumerate(self._message.calls, 1)
        ]

    def messages(self) -> list[Table]:
        return self._endpoint.answer_messages(self._objects, self.text, self.calls)

    def meta(self) -> Meta:
        message = self._message.build(None)
        return Meta(
            response_id=self._response_id or None,
            model=message.model,
            usage=message.usage or {},
            finish_reason=message.finish_reason,
            endpoint=self._endpoint.name,
        )

    def read(self, piece: bytes | None) -> Iterator[StreamEvent]:
        """Read a piece of the body, None at its end."""
        if self.status < 300:
            yield from self._read_end() if piece is None else self._read_piece(piece)
        elif piece is not None:
            self._head += piece
        else:
            self._error = _error_text(self._content_type, bytes(self._head))
            yield from self._finish()

    def _read_piece(self, piece: bytes) -> Iterator[StreamEvent]:
        if not self._objects:
            self._head += piece[: max(0, _MAX_HEAD - len(self._head))]
        for event in self._splitter.feed(piece):
            yield from self._read_event(event)
            if self.is_over:
                return

    def _read_end(self) -> Iterator[StreamEvent]:
        events, answers = self._splitter.end()
        for event in events:
            yield from self._read_event(event)
        for answer in answers:
            yield from self._read_answer(answer)
        yield from self._finish()

    def failure(self) -> StreamFailure | None:
        message = self._message.build(None)
        reason = message.finish_reason or ""
        endpoint, dialect = self._endpoint, self._endpoint.dialect
        if self.status >= 300:
            return StreamFailure("http", self._error or f"HTTP {self.status}")
        if error := self._error or message.error:
            return StreamFailure("provider", error)
        if self._broken:
            return StreamFailure("protocol", f"A chunk of the stream is not JSON: {self._broken}")
        if message.refusal or reason in endpoint.refusals:
            return StreamFailure("refusal", message.refusal or f"The answer was refused: {reason}")
        if not self._is_complete and not (endpoint.ends_by_reason and reason):
            if not self._objects:
                other = self._foreign or _name_page(self._content_type, bytes(self._head))
                if other:
                    text = f"This is not an answer of {dialect.title}: {other}"
                    return StreamFailure("protocol", text)
            return StreamFailure("cut", f"The stream ended before {dialect.expected}.")
        if reason in endpoint.failures:
            return StreamFailure("provider", endpoint.failures[reason])
        if reason and reason not in endpoint.completions:
            return StreamFailure("incomplete", f"The answer is incomplete: {reason}")
        return None

    def _read_event(self, event: ProviderEvent) -> Iterator[StreamEvent]:
        dialect = self._endpoint.dialect
        if event.data.startswith("[DONE]"):
            # Where the dialect has a last event of its own, this one means nothing.
            self._is_complete |= bool(self._objects) and self._endpoint.ends_by_reason
            yield from self._finish()
        elif (error := provider_error(event)) is not None:
            self._error = error
            yield from self._finish()
        elif _is_broken(event, json_is_due=bool(self._objects)):
            self._broken = event.data[:_MAX_SHOWN]
            yield from self._finish()
        elif not dialect.recognises(event):
            self._foreign = self._foreign or event.data[:_MAX_SHOWN]
            yield self._raw(event.type, event.data)
        else:
            self._message.begin_event()
            dialect.read_event(event, self._message)
            is_new = yield from self._keep(event.fields)
            if dialect.is_terminal(event):
                self._is_complete = True
                yield from self._finish()
            elif not is_new:
                yield self._raw(event.type, event.data)

    def _read_answer(self, answer: Any) -> Iterator[StreamEvent]:
        fields = as_dict(answer)
        if (error := error_in(answer)) is not None:
            self._error = error
        elif self._endpoint.dialect.is_answer(fields):
            self._message.begin_event()
            self._endpoint.dialect.read_answer(fields, self._message)
            yield from self._keep(fields)
            self._is_complete = True
        else:
            text = answer if isinstance(answer, str) else dump_json(answer)
            self._foreign = text[:_MAX_SHOWN]
            yield self._raw("message", text)

    def _keep(self, fields: Table) -> Generator[StreamEvent, None, bool]:
        """Keep what was read of the message; return whether it said anything."""
        self._objects.append(fields)
        self._response_id = self._endpoint.response_id(fields) or self._response_id
        is_new = self._message.is_changed
        for new in self._message.newest():
            is_new = True
            if new.kind in _TEXT_EVENTS:
                yield from self._add_text(_TEXT_EVENTS[new.kind], new.text)
        return is_new

    def _add_text(self, kind: type[Chunk | Reasoning], chunk: str) -> Iterator[StreamEvent]:
        # Some providers cut a character into two surrogates, and send them in two chunks.
        text = self._halves[kind] + chunk
        half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        self._halves[kind] = half
        if whole := text.removesuffix(half):
            joined = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            yield kind(joined, ref=self._ref)

    def _finish(self) -> Iterator[StreamEvent]:
        self.is_over = True
        for kind, half in self._halves.items():
            if half:
                yield kind("\N{REPLACEMENT CHARACTER}", ref=self._ref)
        self._halves.clear()

    def _raw(self, type_: str, data: str) -> Raw:
        return Raw(sse.Event(type_, data), ref=self._ref)


class _BodySplitter:
    """Splits the pieces of one body into events, or keeps it whole where it begins as JSON."""

    def __init__(self, content_type: str | None) -> None:
        self._content_type = content_type
        self._decoder: sse.Decoder | None = None
        self._kept = bytearray()

    def feed(self, piece: bytes) -> Iterator[ProviderEvent]:
        if self._decoder is None:
            self._kept += piece
            head = self._kept[:_MAX_HEAD].removeprefix(_BOM).lstrip()
            if not head or _BOM.startswith(head) or head.startswith((b"{", b"[")):
                return
            self._decoder, piece = sse.Decoder(), bytes(self._kept)
        for frame in self._decoder.decode(piece):
            if frame.event is not None:
                data = frame.event.data
                yield ProviderEvent(frame.event.type, data, load_json(data))
            elif (bare := _bare_json(frame.raw)) is not None:
                yield bare

    def end(self) -> tuple[list[ProviderEvent], list[Any]]:
        """Return what is left at the end: events, and JSON answers that are no stream."""
        if self._decoder is not None:
            rest = self._decoder.flush()
            last = rest and _unfinished(rest.raw)
            return [last] if last else [], []
        body = bytes(self._kept)
        how = framing(self._content_type, body)
        if how != "json":
            return list(read_events(how, body)), []
        answer = load_json(body)
        if answer is None:
            return [], [body.decode("utf-8", "replace")] if body.strip() else []
        # Gemini streams a list of answers where server-sent events are not asked for.
        return [], answer if isinstance(answer, list) else [answer]


def _bare_json(raw: bytes) -> ProviderEvent | None:
    """Read JSON between frames: with such an error Gemini breaks its streams off."""
    text = raw.strip()
    value = load_json(text) if text.startswith((b"{", b"[")) else None
    if value is None:
        return None
    return ProviderEvent("message", text.decode("utf-8", "replace"), value)


def _unfinished(raw: bytes) -> ProviderEvent | None:
    """Read a last frame without its blank line, if its data is whole."""
    event = sse.meaning(raw)
    if event is None:
        return _bare_json(raw)
    value = load_json(event.data)
    if value is None and not event.data.startswith("[DONE]"):
        return None
    return ProviderEvent(event.type, event.data, value)


def _is_broken(event: ProviderEvent, *, json_is_due: bool) -> bool:
    """Return whether an event was to be JSON and is not: more than an unknown event type."""
    data = event.data.strip()
    if event.json is not None or data in ("", "null"):
        return False
    return data.startswith(("{", "[")) or (json_is_due and event.type == "message")


def _error_text(content_type: str | None, body: bytes) -> str:
    """Return the error message in a body with an error status: JSON, a stream, or anything."""
    how = framing(content_type, body)
    if how == "json":
        answer = load_json(body)
        text = error_in(answer[0] if isinstance(answer, list) and answer else answer)
    else:
        events = list(read_events(how, body))
        errors = (error for event in events if (error := provider_error(event)) is not None)
        text = next(errors, events[0].data if events else None)
    return (text or body.decode("utf-8", "replace").strip())[:_MAX_SHOWN]


def _name_page(content_type: str | None, head: bytes) -> str | None:
    """Name a body that is no stream by its type and its title or first line; None for a stream."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff\r\n\t ")
    field = re.split(r"[:\r\n]", text, maxsplit=1)[0]
    if not text or any(name.startswith(field) for name in _SSE_FIELDS):
        return None
    kind = (content_type or "").partition(";")[0].strip() or "no content type"
    title = _TITLE.search(text)
    words = " ".join(html.unescape(title[1]).split()) if title else ""
    words = (words or text.splitlines()[0].rstrip())[:_MAX_SHOWN]
    return f"{kind}: {words}" if words.isprintable() else kind
