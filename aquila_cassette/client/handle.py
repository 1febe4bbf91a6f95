"""What the streams of both clients have in common."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from aquila_cassette.client.conversation import Conversation, Stopped
from aquila_cassette.client.events import Chunk, Done, Error, Response, StreamEvent
from aquila_cassette.client.log import Log
from aquila_cassette.client.progress import Progress
from aquila_cassette.client.stream_base import OPEN_STREAMS
from aquila_cassette.errors import ResultTimeout, StreamError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from aquila_cassette.client.sinks import Sink
    from aquila_cassette.waiting.open_streams import OpenStream

__all__ = ["Face", "Handle"]

_logger = logging.getLogger("aquila_cassette.client")


class Face:
    """What a reader has of a stream: its ref, its events so far, and how it ended.

    Args:
        conversation: What is asked.
        log: The events.
    """

    def __init__(self, conversation: Conversation, log: Log) -> None:
        self.ref = conversation.ref
        self._conversation = conversation
        self._log = log
        self._open: OpenStream | None = None

    @property
    def done(self) -> bool:
        """Whether the stream is over."""
        return self._log.last is not None

    @property
    def text(self) -> str:
        """What the model has said so far."""
        return self._conversation.text

    @property
    def tool_context(self) -> Mapping[str, Any]:
        """The tool context, with what tools have patched so far."""
        return self._conversation.context

    def _note_reader(self) -> None:
        """Note that this task or thread reads the stream, and goes on when it is over."""
        if self._open is not None and not self.done:
            OPEN_STREAMS.add_reader(self._open)

    def _outcome(self, timeout: float | None) -> Response:
        last = self._log.last
        if last is None:
            raise ResultTimeout(
                f"The stream was not over after {timeout:g} s; it goes on.",
                facts=[f"so far: {self.text[-200:]!r}"],
                fix="Fix: wait longer, or end it: stream.cancel()",
            )
        if isinstance(last, Error):
            raise StreamError(
                last.reason,
                kind=last.kind,
                status=last.status,
                text=last.text,
                facts=[f"status: {last.status}"] if last.kind == "http" else [],
            ) from last.cause
        return Response(last.text, last.meta, list(last.messages))


class Handle(Face):
    """A stream as its driver has it.

    Args:
        conversation: What is asked.
        sink: Where its events go.
        over: Is called once, when the stream is over.
        log: Keeps its events; None for a new one.
    """

    def __init__(
        self,
        conversation: Conversation,
        sink: Sink,
        over: Callable[[Hashable], None],
        log: Log | None = None,
    ) -> None:
        super().__init__(conversation, Log() if log is None else log)
        self._progress = Progress(conversation)
        self._sink = sink
        self._on_over = over
        self._told = False

    @contextlib.contextmanager
    def _handing(self, event: StreamEvent) -> Iterator[None]:
        """Keep an event that is handed to the sink meanwhile; its failure is the stream's."""
        if isinstance(event, Error):
            # Who waits for the end must not wait for a sink that may never take it.
            self._add(event)
        self._told = isinstance(event, Done)
        try:
            yield
        except Exception as error:
            if isinstance(event, Error):
                _logger.warning("The sink raised at %r.", event, exc_info=True)
                return
            if not self._told:
                self._add(event)
            raise Stopped("sink", f"The sink raised {error!r}.", error) from error
        except BaseException:
            if not self._told:
                self._add(event)
            raise
        self._add(event)

    def _add(self, event: StreamEvent) -> None:
        if isinstance(event, Chunk):
            self._conversation.said.append(event.text)
        if self._log.add(event) and isinstance(event, Done | Error):
            self._on_over(self.ref)
            OPEN_STREAMS.close(self._open)
