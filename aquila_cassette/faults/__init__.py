"""Failures that take the place of recorded answers on replay: `disconnect`, `rate_limit` and others.

Give them to a block: ``aquila_cassette("chat", faults=[faults.disconnect(after=3)])``. Each answers
the next requests that it fits, as often as its `times` say; those after that get the recorded answer.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from aquila_cassette.faults import edits, provider_errors
from aquila_cassette.faults.fault import Fault, On, failed, replayed_as
from aquila_cassette.model import Failure, Headers, Interaction

__all__ = [
    "Fault",
    "broken_tool_arguments",
    "connect_error",
    "disconnect",
    "drop",
    "duplicate",
    "error_event",
    "http_error",
    "malformed",
    "overloaded",
    "rate_limit",
    "refusal",
    "slow",
    "stall",
    "timeout",
    "token_limit",
    "truncate",
]

_CUT = Failure(
    None,
    "peer closed connection without sending complete message body (incomplete chunked read)",
    "protocol",
)
_STALLED = Failure(None, "The read operation timed out", "timeout")


def disconnect(
    after: int | None = None,
    *,
    pieces: int | None = None,
    bytes: int | None = None,  # noqa: A002 - what a user counts
    times: int = 1,
    on: On = None,
) -> Fault:
    """Cut the connection in the middle of an answer.

    Args:
        after: How many events come before; by default none.
        pieces: How many pieces come, instead of events.
        bytes: How many bytes come, instead of events.
        times: How many requests get it.
        on: Which requests: the number of one in its block, from 1; a text in the URL or in what is
            asked; or a function of the `Request`. By default any.

    Example:
        >>> from aquila_cassette import aquila_cassette, faults
        >>> import httpx
        >>> with aquila_cassette("docs/models", mode="none", faults=[faults.disconnect()]):
        ...     httpx.get("http://127.0.0.1:8101/v1/models")
        Traceback (most recent call last):
        httpx.RemoteProtocolError: peer closed connection without sending complete message body ...
    """
    return _cut_off("disconnect", after, pieces, bytes, times=times, on=on, error=_CUT)


def stall(
    after: int | None = None,
    *,
    pieces: int | None = None,
    bytes: int | None = None,  # noqa: A002
    times: int = 1,
    on: On = None,
) -> Fault:
    """Send nothing more, until the client's read time-out, which is raised without the wait.

    Arguments are those of `disconnect`.
    """
    return _cut_off("stall", after, pieces, bytes, times=times, on=on, error=_STALLED)


def truncate(
    after: int | None = None,
    *,
    pieces: int | None = None,
    bytes: int | None = None,  # noqa: A002
    times: int = 1,
    on: On = None,
) -> Fault:
    """End an answer early as if it were whole: the connection ends well, without the last events.

    Arguments are those of `disconnect`.
    """
    return _cut_off("truncate", after, pieces, bytes, times=times, on=on, error=None)


def connect_error(*, times: int = 1, on: On = None) -> Fault:
    """Refuse the connection; `times` and `on` as for `disconnect`."""
    error = Failure(None, "All connection attempts failed", "connect")
    return Fault("connect_error", partial(failed, error=error), times, on)


def timeout(*, times: int = 1, on: On = None) -> Fault:
    """Let the time-out of the client pass before any answer; without the wait.

    `times` and `on` as for `disconnect`.
    """
    return Fault("timeout", partial(failed, error=_STALLED), times, on)


def http_error(
    status: int,
    body: bytes | str | None = None,
    *,
    headers: dict[str, str] | None = None,
    times: int = 1,
    on: On = None,
) -> Fault:
    """Answer with an HTTP error.

    Args:
        status: 400 to 599.
        body: By default an error as the provider of the recorded answer writes it.
        headers: Besides the content type.
        times: How many requests get it.
        on: Which requests, as for `disconnect`.
    """
    return _http_error(f"http_error-{status}", status, body, headers, times, on)


def rate_limit(*, times: int = 1, retry_after: float | None = None, on: On = None) -> Fault:
    """Answer 429, in the words of the provider.

    Args:
        times: How many requests get it.
        retry_after: Seconds in ``retry-after``. A client that reads ``retry-after-ms`` (openai,
            anthropic) waits a hundredth of that. By default clients are asked to come at once.
        on: Which requests, as for `disconnect`.
    """
    headers = None
    if retry_after is not None:
        headers = {
            "retry-after": f"{retry_after:g}",
            "retry-after-ms": f"{max(1, round(retry_after * 10))}",
        }
    return _http_error("rate_limit", 429, None, headers, times, on)


def overloaded(*, times: int = 1, on: On = None) -> Fault:
    """Answer that the provider is overloaded: Anthropic's 529, others' 503, in their words.

    `times` and `on` as for `disconnect`.
    """
    return _http_error("overloaded", None, None, None, times, on)


def malformed(event: int = 1, *, times: int = 1, on: On = None) -> Fault:
    """Break the JSON of an event, counted from 1; `times` and `on` as for `disconnect`."""
    return _edited(f"malformed-{event}", partial(edits.break_json, event=event), times, on)


def drop(event: int = 1, *, times: int = 1, on: On = None) -> Fault:
    """Leave an event out, counted from 1; `times` and `on` as for `disconnect`."""
    return _edited(f"drop-{event}", partial(edits.copy, event=event, count=0), times, on)


def duplicate(event: int = 1, *, times: int = 1, on: On = None) -> Fault:
    """Send an event twice, counted from 1; `times` and `on` as for `disconnect`."""
    return _edited(f"duplicate-{event}", partial(edits.copy, event=event, count=2), times, on)


def error_event(
    after: int = 1, message: str = "Overloaded", *, times: int = 1, on: On = None
) -> Fault:
    """End a stream with an error event, as the provider writes it, after so many events.

    `times` and `on` as for `disconnect`.
    """
    how = partial(edits.end_with_error, after=after, message=message)
    return _edited(f"error_event-after-{after}", how, times, on)


def token_limit(after: int = 1, *, times: int = 1, on: On = None) -> Fault:
    """End an answer as the provider does at its limit of tokens, after so many events.

    `times` and `on` as for `disconnect`.
    """
    how = partial(edits.stop_for, after=after, reason="limit")
    return replace(_edited(f"token_limit-after-{after}", how, times, on), is_whole=True)


def refusal(after: int = 0, *, times: int = 1, on: On = None) -> Fault:
    """End an answer as the provider does where the model will not answer, after so many events.

    `times` and `on` as for `disconnect`.
    """
    how = partial(edits.stop_for, after=after, reason="refusal")
    return replace(_edited("refusal", how, times, on), is_whole=True)


def broken_tool_arguments(*, times: int = 1, on: On = None) -> Fault:
    """Leave out the end of the arguments of the last tool call, so that they are no JSON.

    `times` and `on` as for `disconnect`.
    """
    return _edited("broken_tool_arguments", edits.break_arguments, times, on)


def slow(*, first: float = 0.0, between: float = 0.0, times: int = 1, on: On = None) -> Fault:
    """Send the answer slowly, in real time.

    Args:
        first: Seconds before the status and the headers.
        between: Seconds before each event.
        times: How many requests get it.
        on: Which requests, as for `disconnect`.
    """
    change = partial(edits.slowed, first=first, between=between)
    return Fault("slow", change, times, on, speed=1.0, is_whole=True)


def _cut_off(
    name: str,
    after: int | None,
    pieces: int | None,
    size: int | None,
    *,
    times: int,
    on: On,
    error: Failure | None,
) -> Fault:
    given = {"events": after, "pieces": pieces, "bytes": size}
    found = [(unit, count) for unit, count in given.items() if count is not None] or [("events", 0)]
    (unit, count), *others = found
    if others:
        raise ValueError(f"{name}: give one of after=, pieces= and bytes=")
    shown = f"{name}-after-{count}" + ("" if unit == "events" else f"-{unit}")
    return Fault(shown, partial(edits.cut_off, unit=unit, count=count, error=error), times, on)


def _edited(name: str, edit: edits.Edit, times: int, on: On) -> Fault:
    return Fault(name, partial(edits.with_events, edit=edit), times, on)


def _http_error(
    name: str,
    status: int | None,
    body: bytes | str | None,
    headers: dict[str, str] | None,
    times: int,
    on: On,
) -> Fault:
    def change(recorded: Interaction) -> Interaction:
        provider = edits.dialect_of(recorded.response)
        code = status or (529 if provider == "anthropic" else 503)
        text = body if body is not None else provider_errors.body(provider, code)
        sent: Headers = (("content-type", "application/json"), *(headers or {}).items())
        return replayed_as(recorded, code, sent, text.encode() if isinstance(text, str) else text)

    return Fault(name, change, times, on, keeps_waits=bool(headers))
