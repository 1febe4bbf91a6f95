"""Two answers compared: what was said, called and counted, how it came and how it ended."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING, Any

from aquila_cassette.dialects.lenient import load_json
from aquila_cassette.matching.difference import (
    Hunk,
    as_json,
    bytes_hunks,
    cut,
    json_hunks,
    text_hunks,
    visible,
)
from aquila_cassette.transcript.comparison.answer import Answer
from aquila_cassette.transcript.comparison.arrival import arrival
from aquila_cassette.transcript.comparison.noise import without_noise
from aquila_cassette.transcript.comparison.remainder import remainders
from aquila_cassette.transcript.comparison.result import Change, Value
from aquila_cassette.transcript.comparison.values import changed, headers_changed
from aquila_cassette.transcript.comparison.words import compare_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from aquila_cassette.dialects import ModelToolCall
    from aquila_cassette.model import Interaction, Response
    from aquila_cassette.transcript.comparison.result import Aspect, Detail

__all__ = ["answer_changes"]

_MOST_FIELDS = 200
_NOISY_HEADERS = frozenset({
    "retry-after", "retry-after-ms", "x-goog-upload-url", "x-amzn-bedrock-invocation-latency",
})  # fmt: skip
_NOISY_PREFIXES = ("x-ratelimit-", "ratelimit", "anthropic-ratelimit-")
# Counts of bytes, ports and addresses in an exception's message.
_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)


def answer_changes(old: Interaction, new: Interaction, *, everything: bool) -> list[Change]:
    """Compare two answers.

    Args:
        old: The older one, with its request.
        new: The newer one, with its request.
        everything: Whether what differs each time counts as well.
    """
    if old.response == new.response:
        return []
    was, now = Answer(old.response), Answer(new.response)
    headers = headers_changed(
        old.response.headers, new.response.headers, is_noise=_is_noisy_header, everything=everything
    )
    return [
        *_changes([("status", _values(_status(old.response), _status(new.response)))]),
        *_changes([("headers", headers)]),
        *_body_changes(was, now, (old.request.body, new.request.body), everything=everything),
        *_changes([("arrival", arrival(was, now, everything=everything))]),
        *_changes([("ended", _ended(old.response, new.response, everything=everything))]),
    ]


def _changes(rows: Iterable[tuple[Aspect, Iterable[Detail]]]) -> list[Change]:
    found = (Change(aspect, tuple(details)) for aspect, details in rows)
    return [change for change in found if change.details]


def _body_changes(
    was: Answer, now: Answer, requests: tuple[bytes, bytes], *, everything: bool
) -> list[Change]:
    bodies = was.response.body, now.response.body
    if bodies[0] == bodies[1] and was.framing == now.framing:
        return []
    try:
        found = _changes(_body_rows(was, now, requests, everything=everything))
    except RecursionError:  # nobody nests that deep; it came by accident, or to do harm
        everything, found = True, []
    # Where nothing tells in what way they differ, that they do is still to be told.
    return found or (_changes([("fields", bytes_hunks("body", *bodies))]) if everything else [])


def _body_rows(
    was: Answer, now: Answer, requests: tuple[bytes, bytes], *, everything: bool
) -> list[tuple[Aspect, Iterable[Detail]]]:
    old, new = was.said, now.said
    return [
        ("dialect", _values(old.dialect, new.dialect)),
        ("model", _values(old.model, new.model)),
        ("reasoning", _text(old.reasoning, new.reasoning)),
        ("text", _text(old.text, new.text)),
        ("refusal", _text(old.refusal, new.refusal)),
        ("calls", _calls(old.tool_calls, new.tool_calls)),
        ("error", _text(old.error or "", new.error or "")),
        ("stop", _values(old.finish_reason, new.finish_reason)),
        ("usage", _usage(old.usage, new.usage, everything=everything)),
        ("fields", _fields(was, now, requests, everything=everything)),
    ]


def _values(old: str | None, new: str | None) -> Iterable[Value]:
    return changed([("", old, new)])


def _status(response: Response) -> str | None:
    return None if response.status is None else str(response.status)


def _is_noisy_header(name: str) -> bool:
    return name in _NOISY_HEADERS or name.startswith(_NOISY_PREFIXES)


def _text(old: str, new: str) -> Iterator[Detail]:
    if old != new:
        yield compare_words(old, new)


def _calls(old: Sequence[ModelToolCall], new: Sequence[ModelToolCall]) -> Iterator[Detail]:
    """Compare the tools that were called: in their order, those of one name with each other."""
    aligned = SequenceMatcher(
        None, [call.name for call in old], [call.name for call in new], autojunk=False
    )
    for tag, start, end, new_start, new_end in aligned.get_opcodes():
        if tag == "equal":
            for was, now in zip(old[start:end], new[new_start:new_end], strict=True):
                yield from _arguments(was, now)
            continue
        for call in old[start:end]:
            yield Hunk(visible(call.name), [f"-{cut(visible(call.arguments))}"])
        for call in new[new_start:new_end]:
            yield Hunk(visible(call.name), [f"+{cut(visible(call.arguments))}"])


def _arguments(old: ModelToolCall, new: ModelToolCall) -> Iterator[Hunk]:
    if old.arguments == new.arguments:
        return
    was, now = load_json(old.arguments), load_json(new.arguments)
    if isinstance(was, dict) and isinstance(now, dict):
        yield from json_hunks(visible(old.name), was, now)
    else:
        yield from text_hunks(visible(old.name), old.arguments, new.arguments)


def _usage(
    old: dict[str, Any] | None, new: dict[str, Any] | None, *, everything: bool
) -> Iterator[Value]:
    was, now = (
        dict(_counts("", (one or {}) if everything else without_noise(one or {}, of_model=True)))
        for one in (old, new)
    )
    yield from changed((name, was.get(name), now.get(name)) for name in {**was, **now})


def _counts(path: str, usage: Any) -> Iterator[tuple[str, str]]:
    if isinstance(usage, dict):
        for name, held in usage.items():
            yield from _counts(f"{path}.{name}" if path else name, held)
    elif usage:  # a count of 0 is as good as none
        yield path, as_json(usage)


def _fields(
    was: Answer, now: Answer, requests: tuple[bytes, bytes], *, everything: bool
) -> Iterator[Hunk]:
    """Compare whatever the bodies hold beside; what comes several times is told once."""
    told: set[tuple[str, ...]] = set()  # an event repeats what another said: delta, done
    for hunk in islice(_field_hunks(was, now, requests, everything=everything), _MOST_FIELDS):
        what = (hunk.where.rpartition(".")[2], *hunk.body)
        if what not in told:
            told.add(what)
            yield hunk


def _field_hunks(
    was: Answer, now: Answer, requests: tuple[bytes, bytes], *, everything: bool
) -> Iterator[Hunk]:
    if was.is_models and now.is_models:
        yield from json_hunks("", *remainders(was, now, requests, everything=everything))
    elif was.values and now.values and was.is_stream == now.is_stream:
        values = (one.values if everything else without_noise(one.values, of_model=False)
                  for one in (was, now))  # fmt: skip
        yield from json_hunks("", *(some if was.is_stream else some[0] for some in values))
    else:
        yield from bytes_hunks("body", was.response.body, now.response.body)


def _ended(old: Response, new: Response, *, everything: bool) -> Iterator[Value]:
    was, now = _how(old), _how(new)
    if everything:
        if was == now and old.error != new.error:
            was, now = repr(old.error), repr(new.error)
        same = was == now
    else:
        same = _NUMBERS.sub("0", was) == _NUMBERS.sub("0", now)
    if not same:
        yield Value("", was, now)


def _how(response: Response) -> str:
    error = response.error
    parts = [response.ended, *((error.type, error.message) if error else ())]
    return ": ".join(filter(None, parts))
