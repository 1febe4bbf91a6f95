"""The whole of a stream without its input and output: rounds of requests, answers and tools.

A conversation is a generator of steps. Whoever drives it does each step, sync or async, and sends
back what came of it, or throws in what was raised.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from aquila_cassette.client.events import Done, Error, Kind, Meta, StreamEvent, ToolCall
from aquila_cassette.client.round import Flaw, Round
from aquila_cassette.client.tools import Invocation, Tool
from aquila_cassette.client.usage import added
from aquila_cassette.errors import AquilaError, SseError

if TYPE_CHECKING:
    from aquila_cassette.client.dialects.ask import Ask
    from aquila_cassette.client.dialects.endpoint import Endpoint
    from aquila_cassette.dialects.message import IdentifiedToolCall

__all__ = [
    "Call",
    "Close",
    "Conversation",
    "Emit",
    "Head",
    "Open",
    "Read",
    "Step",
    "Stopped",
    "joined",
]


@dataclass(frozen=True)
class Open:
    """Send this request; give back the `Head` of its answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Head:
    """What an answer begins with."""

    status: int
    content_type: str | None


@dataclass(frozen=True)
class Read:
    """Give back the next piece of the answer; None at its end."""


@dataclass(frozen=True)
class Close:
    """Close the answer.

    Args:
        whole: Whether all was read that counts: the connection may then serve the next request if
            the answer's end is at hand.
    """

    whole: bool = False


@dataclass(frozen=True)
class Emit:
    """Hand on an event."""

    event: StreamEvent


@dataclass(frozen=True)
class Call:
    """Run these tools, all at once."""

    invocations: list[Invocation]


Step: TypeAlias = Open | Read | Close | Emit | Call


class Stopped(Exception):  # noqa: N818 - it is thrown in to stop, and nobody else sees it
    """Thrown into a conversation that has to end now.

    Args:
        kind: What sort of failure it is.
        reason: What the readers are told.
        cause: The exception behind it.
    """

    def __init__(self, kind: Kind, reason: str, cause: BaseException | None = None) -> None:
        self.kind: Kind = kind
        self.reason = reason
        self.cause = cause
        super().__init__(reason)


@dataclass
class Conversation:
    """One stream: what is asked, and what has come of it so far.

    Args:
        endpoint: Whom to ask, and how.
        ask: What to ask.
        base_url: The address of the server.
        headers: The headers of each request.
        ref: The stream's ref.
        tools: The tools, by their names.
        context: What tools get that want a context; their patches go over it.
        max_rounds: The most requests of one stream.
        said: The texts of the chunks that were handed on so far: who drives it adds to them.
    """

    endpoint: Endpoint
    ask: Ask
    base_url: str
    headers: Mapping[str, str]
    ref: Hashable
    tools: Mapping[str, Tool]
    context: Mapping[str, Any]
    max_rounds: int
    said: list[str] = field(default_factory=list)
    _before: list[Round] = field(default_factory=list)
    _round: Round | None = None
    _status: int | None = None

    @property
    def text(self) -> str:
        """All chunks so far, joined."""
        return "".join(self.said)

    def steps(self) -> Generator[Step, Any, None]:
        """Give what to do, one step after the other; the last is to emit a `Done` or an `Error`."""
        try:
            flaw = yield from self._converse()
            cause = None
        except Stopped as stopped:
            flaw, cause = Flaw(stopped.kind, stopped.reason), stopped.cause
        except SseError as error:
            flaw, cause = Flaw("protocol", str(error)), error
        except Exception as error:
            flaw, cause = _transport(error), error
        try:
            yield Close(whole=self._round is not None and self._round.over)
        except Stopped as stopped:
            flaw = flaw or Flaw(stopped.kind, stopped.reason)
        if flaw is None:
            done = Done(self.text, self._meta(), messages=self.ask.messages, ref=self.ref)
            try:
                yield Emit(done)
            except Stopped as stopped:
                flaw, cause = Flaw(stopped.kind, stopped.reason), stopped.cause
            else:
                return
        yield Emit(
            Error(
                flaw.reason,
                kind=flaw.kind,
                status=self._status,
                text=self.text,
                meta=replace(self._meta(), status=flaw.kind),
                cause=cause,
                ref=self.ref,
            )
        )

    def _converse(self) -> Generator[Step, Any, Flaw | None]:
        for _ in range(self.max_rounds):
            round_ = yield from self._one_round()
            if flaw := round_.flaw():
                return flaw
            self._continue_with(round_.messages())
            calls = round_.calls
            for call in calls:
                yield Emit(self._tool_call(call))
            if not calls or not self.tools:
                return None
            yield Close(whole=True)
            yield from self._run_tools(calls)
            self._before.append(round_)
            self._round = None
        return Flaw("rounds", f"The model still calls tools after {self.max_rounds} rounds.")

    def _one_round(self) -> Generator[Step, Any, Round]:
        endpoint, ask = self.endpoint, self.ask
        body = json.dumps(endpoint.body(ask), ensure_ascii=False, separators=(",", ":"))
        head: Head = yield Open(
            "POST",
            joined(self.base_url, endpoint.path(ask)),
            self.headers,
            body.encode("utf-8", "replace"),
        )
        self._status = head.status
        round_ = self._round = Round(endpoint, self.ref, head.status, head.content_type)
        while not round_.over:
            piece: bytes | None = yield Read()
            for event in round_.eof() if piece is None else round_.feed(piece):
                yield Emit(event)
        return round_

    def _run_tools(self, calls: list[IdentifiedToolCall]) -> Generator[Step, Any, None]:
        running = [
            Invocation(call, self.tools.get(call.name), self.tools, self.context) for call in calls
        ]
        yield Call(running)
        outcomes = [one.outcome for one in running if one.outcome is not None]
        for one in running:
            self.context = {**self.context, **one.patch}
        for outcome in outcomes:
            yield Emit(
                ToolCall(
                    "result",
                    outcome.name,
                    outcome.arguments,
                    outcome.result,
                    failed=outcome.failed,
                    id=outcome.id,
                    ref=self.ref,
                )
            )
        self._continue_with(self.endpoint.results(outcomes))

    def _tool_call(self, call: IdentifiedToolCall) -> ToolCall:
        return ToolCall("start", call.name, call.arguments, id=call.id, ref=self.ref)

    def _continue_with(self, messages: list[dict[str, Any]]) -> None:
        self.ask = replace(self.ask, messages=(*self.ask.messages, *messages))

    def _rounds(self) -> list[Round]:
        return [*self._before, *([self._round] if self._round else [])]

    def _meta(self) -> Meta:
        rounds = self._rounds()
        heard = [round_.heard.build(None) for round_ in rounds]
        usage: dict[str, Any] = {}
        for said in heard:
            usage = added(usage, said.usage or {})
        return Meta(
            response_id=next((one.response_id for one in rounds[::-1] if one.response_id), None),
            model=next((said.model for said in heard[::-1] if said.model), None),
            usage=usage,
            finish_reason=heard[-1].finish_reason if heard else None,
            endpoint=self.endpoint.name,
        )


def joined(base_url: str, path: str) -> str:
    """Join a base URL and a path; a version that both name is named once.

    Example:
        >>> joined("https://api.anthropic.com/v1/", "/v1/messages")
        'https://api.anthropic.com/v1/messages'
    """
    base = base_url.rstrip("/")
    version = "/" + path.split("/")[1]
    return base.removesuffix(version) + path


def _transport(error: Exception) -> Flaw:
    name = type(error).__name__
    if isinstance(error, AquilaError):
        return Flaw("transport", str(error))
    words = f"{name}: {error}" if str(error) else name
    # httpx, httpx2 and what stands in for them share these names, not the classes.
    late = isinstance(error, TimeoutError) or name.endswith(("Timeout", "TimeoutException"))
    return Flaw("timeout" if late else "transport", words)
