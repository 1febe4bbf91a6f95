"""Build the events of one answer from its bytes, and the error that its caller gets.

It does no input or output. A body that begins as JSON does is read as a whole: servers answer a
request for a stream so, some with an error and some with the answer.
"""

from __future__ import annotations

import codecs
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

from aquila_cassette import sse
from aquila_cassette.client.endpoints import MADE_UP_ID, Endpoint
from aquila_cassette.client.events import Chunk, Meta, Raw, Reasoning, StreamEvent
from aquila_cassette.dialects.dialect import error_in, provider_error
from aquila_cassette.dialects.framing import ProviderEvent, event_of_frame
from aquila_cassette.dialects.json_access import Table, as_dict, load_json
from aquila_cassette.dialects.message import MessageBuilder, ModelMessage, ModelToolCall

_BOM = b"\xef\xbb\xbf"
_MAX_SHOWN = 500
"""The most characters of a body that an error shows."""
_MAX_HEAD = 8 * 1024
"""How much of a stream is kept to name it if it is none."""
_utf16_decoder = codecs.getincrementaldecoder("utf-16-le")
_TEXT_EVENTS: dict[str, type[Chunk | Reasoning]] = {"words": Chunk, "thought": Reasoning}


class StreamFailure(Exception):  # noqa: N818 - what users see is a StreamError
    def __init__(self, kind: str, reason: str) -> None:
        self.kind = kind
        super().__init__(reason)


class AnswerParser:
    """Reads one answer, until its dialect says that it is over."""

    def __init__(
        self, endpoint: Endpoint, ref: Hashable, status: int, content_type: str | None
    ) -> None:
        self._endpoint = endpoint
        self._ref = ref
        self.status = status
        self._content_type = content_type or ""
        self._decoder: sse.Decoder | None = None  # until the body shows that it is no JSON
        self._body = bytearray()  # the whole body, or the head of a stream
        self._objects: list[Table] = []
        self._broken = ""  # an event that is no JSON, where JSON was due
        self._foreign = ""  # the first event that is not of the endpoint's dialect
        self._is_complete = False
        self._builder = MessageBuilder()
        # Some providers cut a character into two surrogates, and send them in two chunks.
        self._utf16 = {kind: _utf16_decoder("replace") for kind in _TEXT_EVENTS.values()}
        self._response_id = ""
        self.is_over = False
        """Whether nothing more is to be read."""

    @property
    def message(self) -> ModelMessage:
        return self._builder.build(None)

    @property
    def calls(self) -> list[ModelToolCall]:
        """The tool calls, each with an id."""
        return [
            call if call.id else replace(call, id=f"{MADE_UP_ID}{number}")
            for number, call in enumerate(self.message.tool_calls, 1)
        ]

    def messages(self) -> list[Table]:
        return self._endpoint.answer_messages(self._objects, self.message.text, self.calls)

    def meta(self) -> Meta:
        message = self.message
        return Meta(
            response_id=self._response_id or None,
            model=message.model,
            usage=message.usage or {},
            finish_reason=message.finish_reason,
            endpoint=self._endpoint.name,
        )

    def failure(self) -> StreamFailure | None:
        message = self.message
        reason = message.finish_reason or ""
        endpoint, title = self._endpoint, self._endpoint.dialect.title
        if self.status >= 300:
            return StreamFailure("http", message.error or f"HTTP {self.status}")
        if message.error:
            return StreamFailure("provider", message.error)
        if self._broken:
            return StreamFailure("protocol", f"A chunk of the stream is not JSON: {self._broken}")
        if message.refusal or reason in endpoint.refusals:
            return StreamFailure("refusal", message.refusal or f"The answer was refused: {reason}")
        if not self._is_complete and not (endpoint.ends_by_reason and reason):
            other = "" if self._objects else self._foreign or self._named()
            if other:
                return StreamFailure("protocol", f"This is not an answer of {title}: {other}")
            return StreamFailure("cut", f"The stream ended before {endpoint.dialect.expected}.")
        if reason in endpoint.failures:
            return StreamFailure("provider", f"The provider ended the answer: {reason}")
        if reason and reason not in endpoint.completions:
            return StreamFailure("incomplete", f"The answer is incomplete: {reason}")
        return None

    def _named(self) -> str:
        """Return the type and the first line of a body that says it is no stream, as a page."""
        kind = self._content_type.partition(";")[0] or "no content type"
        text = self._body.decode("utf-8", "replace").strip()
        if not text or "event-stream" in kind:
            return ""
        first = text.splitlines()[0][:_MAX_SHOWN]
        return f"{kind}: {first}" if first.isprintable() else kind

    def read(self, piece: bytes | None) -> Iterator[StreamEvent]:
        """Read a piece of the body, None at its end."""
        if piece is None:
            yield from self._read_end()
            return
        if self._decoder is None or not (self._objects or len(self._body) > _MAX_HEAD):
            self._body += piece
        if self.status >= 300:
            return
        if self._decoder is None:
            head = self._body[:_MAX_HEAD].removeprefix(_BOM).lstrip()
            if not head or _BOM.startswith(head) or head.startswith((b"{", b"[")):
                return
            self._decoder, piece = sse.Decoder(), bytes(self._body)
        for frame in self._decoder.decode(piece):
            if event := _provider_event(frame.raw, frame.event):
                yield from self._read_event(event)
                if self.is_over:
                    return

    def _read_end(self) -> Iterator[StreamEvent]:
        if self._decoder is not None:
            rest = self._decoder.flush()
            # A last event may lack its blank line, if its data is whole.
            last = rest and _provider_event(rest.raw, sse.meaning(rest.raw))
            if last and (last.json is not None or last.data.startswith("[DONE]")):
                yield from self._read_event(last)
        elif text := self._body.decode("utf-8-sig", "replace").strip():
            body = load_json(text)
            # Gemini streams a list of answers where server-sent events are not asked for.
            answers = body if isinstance(body, list) else [body]
            if self.status >= 300:
                error = error_in(answers[0]) if answers else None
                self._builder.set_error(error or text[:_MAX_SHOWN])
            else:
                for answer in answers:
                    yield from self._read_answer(answer, text)
        yield from self._finish()

    def _read_event(self, event: ProviderEvent) -> Iterator[StreamEvent]:
        dialect = self._endpoint.dialect
        if event.data.startswith("[DONE]"):
            # Where the dialect has a last event of its own, this one means nothing.
            self._is_complete |= bool(self._objects) and self._endpoint.ends_by_reason
            yield from self._finish()
        elif (error := provider_error(event)) is not None:
            self._builder.set_error(error)
            yield from self._finish()
        elif _is_broken(event, json_is_due=bool(self._objects)):
            self._broken = event.data[:_MAX_SHOWN]
            yield from self._finish()
        elif not dialect.recognises(event):
            self._foreign = self._foreign or event.data[:_MAX_SHOWN]
            yield self._raw(event.type, event.data)
        else:
            self._builder.piece += 1
            before = self._builder.changes
            dialect.read_event(event, self._builder)
            yield from self._keep(event.fields)
            if dialect.is_terminal(event):
                self._is_complete = True
                yield from self._finish()
            elif self._builder.changes == before:
                yield self._raw(event.type, event.data)

    def _read_answer(self, answer: Any, text: str) -> Iterator[StreamEvent]:
        fields = as_dict(answer)
        if (error := error_in(answer)) is not None:
            self._builder.set_error(error)
        elif self._endpoint.dialect.is_answer(fields):
            self._builder.piece += 1
            self._endpoint.dialect.read_answer(fields, self._builder)
            yield from self._keep(fields)
            self._is_complete = True
        else:
            self._foreign = text[:_MAX_SHOWN]
            yield self._raw("message", text)

    def _keep(self, fields: Table) -> Iterator[StreamEvent]:
        """Keep what was read, and yield its texts."""
        self._objects.append(fields)
        self._response_id = self._response_id or self._endpoint.response_id(fields)
        for new in self._builder.newest():
            if kind := _TEXT_EVENTS.get(new.kind):
                utf16 = new.text.encode("utf-16-le", "surrogatepass")
                if text := self._utf16[kind].decode(utf16):
                    yield kind(text, ref=self._ref)

    def _finish(self) -> Iterator[StreamEvent]:
        self.is_over = True
        for kind, decoder in self._utf16.items():
            if half := decoder.decode(b"", final=True):
                yield kind(half, ref=self._ref)

    def _raw(self, type_: str, data: str) -> Raw:
        return Raw(sse.Event(type_, data), ref=self._ref)


def _provider_event(raw: bytes, event: sse.Event | None) -> ProviderEvent | None:
    """Return what a frame holds: an event, or bare JSON (with such an error Gemini breaks off)."""
    if event is None:
        text = raw.strip()
        is_json = text.startswith((b"{", b"[")) and load_json(text) is not None
        event = sse.Event("message", text.decode("utf-8", "replace")) if is_json else None
    return event_of_frame(raw, event)


def _is_broken(event: ProviderEvent, *, json_is_due: bool) -> bool:
    """Return whether an event was to be JSON and is not: more than an unknown event type."""
    data = event.data.strip()
    if event.json is not None or data in ("", "null"):
        return False
    return data.startswith(("{", "[")) or (json_is_due and event.type == "message")
