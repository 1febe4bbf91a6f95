"""A whole stream without its input and output: rounds of requests, answers and tools.

`Rounds` has the step to do now. The sync and the async client do each step in their own way, and
give back its value or its error.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Hashable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote

from aquila_cassette.client.answer import AnswerFailure, AnswerParser
from aquila_cassette.client.dialects import Endpoint, ModelRequest
from aquila_cassette.client.events import Answer, Done, Error, Kind, Meta, StreamEvent, ToolCall
from aquila_cassette.client.tools import Tool, ToolRun
from aquila_cassette.errors import AquilaError, SseError, StreamError


class SendRequest(NamedTuple):
    """Send this request; the step's value is the `ResponseHead`."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes


class ResponseHead(NamedTuple):
    status: int
    content_type: str | None


class ReadPiece(NamedTuple):
    """Read the next piece of the answer; the step's value is None at the end."""


class CloseResponse(NamedTuple):
    """Close the answer; if all that counts `was_read`, the connection may serve again."""

    was_read: bool = False


class EmitEvent(NamedTuple):
    """Hand an event to the sink and the readers."""

    event: StreamEvent


class RunTools(NamedTuple):
    """Run these tools, all at once."""

    runs: list[ToolRun]


HttpStep: TypeAlias = SendRequest | ReadPiece | CloseResponse
Step: TypeAlias = HttpStep | EmitEvent | RunTools


class Stopped(Exception):  # noqa: N818 - thrown in to end the rounds; nobody else sees it
    def __init__(self, kind: Kind, reason: str, cause: BaseException | None = None) -> None:
        self.failure = AnswerFailure(kind, reason)
        self.cause = cause
        super().__init__(reason)


class Server(NamedTuple):
    """Where an endpoint is asked, and with which headers."""

    endpoint: Endpoint
    base_url: str
    headers: Mapping[str, str]

    def request(self, method: str, path: str, content: bytes = b"") -> SendRequest:
        # A version that both the base URL and the path name is named once.
        version = "/" + path.split("/")[1]
        base = self.base_url.rstrip("/").removesuffix(version)
        return SendRequest(method, base + path, self.headers, content)


class Rounds:
    """One stream: what is asked, what came of it so far, and the step to do now."""

    def __init__(
        self,
        server: Server,
        request: ModelRequest,
        ref: Hashable,
        tools: Mapping[str, Tool],
        context: Mapping[str, Any],
        max_rounds: int,
    ) -> None:
        self.request = request
        self.ref = ref
        self.context = context
        self.chunks: list[str] = []
        """The texts of the chunks that were handed on: whoever drives this adds to them."""
        self._server = server
        self._tools = tools
        self._max_rounds = max_rounds
        self._answers: list[AnswerParser] = []
        self._status: int | None = None
        self._stop: Stopped | None = None
        self._steps = self._run()
        self.step: Step | None = next(self._steps)
        """The step to do now; None when there is none left."""

    @property
    def text(self) -> str:
        """All chunks so far, joined."""
        return "".join(self.chunks)

    @property
    def is_stopping(self) -> bool:
        """Whether it is to end, but has not noticed yet."""
        return self._stop is not None

    @property
    def is_at_last_step(self) -> bool:
        return isinstance(self.step, EmitEvent) and isinstance(self.step.event, Done | Error)

    def stop(self, stopped: Stopped) -> None:
        """End as soon as the current step is done; the first reason counts. From any thread."""
        self._stop = self._stop or stopped

    def resume(self, value: object = None, *, error: Exception | None = None) -> None:
        """Go on with the value or the error of the step."""
        if self._stop is not None and not (self.is_at_last_step and error is None):
            error, self._stop = self._stop, None
        try:
            self.step = self._steps.throw(error) if error else self._steps.send(value)
        except StopIteration:
            self.step = None

    def _run(self) -> Generator[Step, Any, None]:
        failure: AnswerFailure | None
        cause: BaseException | None = None
        try:
            failure = yield from self._run_rounds()
        except Stopped as stopped:
            failure, cause = stopped.failure, stopped.cause
        except SseError as error:
            failure, cause = AnswerFailure("protocol", str(error)), error
        except Exception as error:
            failure, cause = _transport_failure(error), error
        try:
            yield CloseResponse(was_read=bool(self._answers) and self._answers[-1].is_over)
        except Stopped as stopped:
            failure = failure or stopped.failure
        if failure is None:
            messages = self.request.messages
            try:
                yield EmitEvent(Done(self.text, self._meta(), messages=messages, ref=self.ref))
            except Stopped as stopped:
                failure, cause = stopped.failure, stopped.cause
            else:
                return
        yield EmitEvent(
            Error(
                failure.reason,
                kind=failure.kind,
                status=self._status,
                text=self.text,
                meta=replace(self._meta(), status=failure.kind),
                cause=cause,
                ref=self.ref,
            )
        )

    def _run_rounds(self) -> Generator[Step, Any, AnswerFailure | None]:
        for _ in range(self._max_rounds):
            answer = yield from self._ask()
            if failure := answer.failure():
                return failure
            self._add_messages(answer.messages())
            calls = answer.calls
            for call in calls:
                yield EmitEvent(
                    ToolCall("start", call.name, call.arguments, id=call.id, ref=self.ref)
                )
            if not calls or not self._tools:
                return None
            yield CloseResponse(was_read=True)
            runs = [ToolRun(call, self._tools, self.context) for call in calls]
            yield RunTools(runs)
            for run in runs:
                self.context = {**self.context, **run.patch}
            outcomes = [run.outcome for run in runs if run.outcome is not None]
            for one in outcomes:
                id_, *result, failed = one
                yield EmitEvent(ToolCall("result", *result, failed=failed, id=id_, ref=self.ref))
            self._add_messages(self._server.endpoint.result_messages(outcomes))
        return AnswerFailure(
            "rounds", f"The model still calls tools after {self._max_rounds} rounds."
        )

    def _ask(self) -> Generator[Step, Any, AnswerParser]:
        endpoint = self._server.endpoint
        body = json.dumps(endpoint.body(self.request), ensure_ascii=False, separators=(",", ":"))
        content = body.encode("utf-8", "replace")
        head = yield self._server.request("POST", endpoint.path(self.request), content)
        self._status = head.status
        answer = AnswerParser(endpoint, self.ref, head.status, head.content_type)
        self._answers.append(answer)
        while not answer.is_over:
            piece = yield ReadPiece()
            for event in answer.eof() if piece is None else answer.feed(piece):
                yield EmitEvent(event)
        return answer

    def _add_messages(self, messages: list[dict[str, Any]]) -> None:
        self.request = replace(self.request, messages=(*self.request.messages, *messages))

    def _meta(self) -> Meta:
        messages = [answer.message.build(None) for answer in self._answers]
        usage: dict[str, Any] = {}
        for message in messages:
            usage = add_usage(usage, message.usage or {})
        ids = [answer.response_id for answer in self._answers if answer.response_id]
        models = [message.model for message in messages if message.model]
        return Meta(
            response_id=ids[-1] if ids else None,
            model=models[-1] if models else None,
            usage=usage,
            finish_reason=messages[-1].finish_reason if messages else None,
            endpoint=self._server.endpoint.name,
        )


def stored_response(
    server: Server, method: str, response_id: str
) -> Generator[HttpStep, Any, Answer]:
    """Fetch (GET) or delete (DELETE) a stored response; StreamError if the provider refuses."""
    endpoint = server.endpoint
    head = yield server.request(method, f"{endpoint.stored_path}/{quote(response_id, safe='')}")
    answer = AnswerParser(endpoint, response_id, head.status, head.content_type)
    while not answer.is_over:
        piece = yield ReadPiece()
        for _ in answer.eof() if piece is None else answer.feed(piece):
            pass
    yield CloseResponse()
    failure = answer.failure()
    if failure is not None and failure.kind == "http":
        facts = [f"status: {head.status}"]
        raise StreamError(failure.reason, kind="http", status=head.status, facts=facts)
    message = answer.message.build(None)
    meta = Meta(
        response_id=answer.response_id or response_id,
        model=message.model,
        usage=message.usage or {},
        finish_reason=message.finish_reason,
        status=failure.kind if failure else "completed",
        endpoint=endpoint.name,
    )
    return Answer(message.text, meta, answer.messages())


def add_usage(one: Any, other: Any) -> Any:
    """Add the numbers of two usages, also nested ones; of anything else, take the later one.

    Example:
        >>> add_usage({"all": 1, "details": {"cached": 2}}, {"all": 3, "details": {"cached": 4}})
        {'all': 4, 'details': {'cached': 6}}
    """
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, dict) and isinstance(other, dict):
        names = dict.fromkeys([*one, *other])
        return {name: add_usage(one.get(name), other.get(name)) for name in names}
    are_numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)
    )
    return one + other if are_numbers else other


def _transport_failure(error: Exception) -> AnswerFailure:
    name = type(error).__name__
    if isinstance(error, AquilaError):
        return AnswerFailure("transport", str(error))
    # httpx and httpx2 share these names, not the classes.
    is_late = isinstance(error, TimeoutError) or name.endswith(("Timeout", "TimeoutException"))
    text = f"{name}: {error}" if str(error) else name
    return AnswerFailure("timeout" if is_late else "transport", text)
