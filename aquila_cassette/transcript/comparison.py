"""Compare two cassettes as text.

What differs each time one asks is left out before: ids, dates, padding, latencies, how the answer
was cut into pieces and when they came.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from aquila_cassette.dialects.framing import framing, read_events
from aquila_cassette.matching.difference import closest
from aquila_cassette.matching.keys import Matcher
from aquila_cassette.matching.volatile import RANDOM
from aquila_cassette.model import Interaction, Request
from aquila_cassette.transcript.humanize import body_lines, json_inline, json_lines
from aquila_cassette.transcript.interaction_text import InteractionView, Row, format_usage

_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])([A-Z])")
_ID_NAME = re.compile(r"(?:^|[_-])ids?$")
_NOISY_NAME = re.compile(
    r"""
    # dates
    (?:^|_)(?:created|updated)$ | _at$ | ^ts(?:_[mu]s)?$ | ^timestamp$ | ^date$
    # latencies
    | _(?:time|ms|duration|latency)$ | (?:^|_)latency(?:_|$) | per_second$ | invocation_metrics$
    | ^(?:time_info|timings|latency|throughput)$
    # which machine answered, padding, counters of events
    | ^(?:system_)?fingerprint$ | ^obfuscation$ | ^sequence_number$
    | ^seed$ | ^content_filter_offsets$
    # what only the provider can read
    | signature$ | ^encrypted_
    # what floating point makes of the same weights
    | logprobs | ^(?:probability|severity)_score$
    """,
    re.VERBOSE,
)
_PADDING = re.compile(r"a(?:b(?:c(?:d\w*)?)?)?")  # the alphabet from its beginning
# Counts of bytes, ports and addresses in an exception's message.
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")
# A model writes paragraphs in one line: compared by the sentence, one other word shows as such.
_SENTENCE_END = re.compile(r"(?<=[.!?:;]) (?=\S)|(?<=[\u3002\uff01\uff1f])(?=.)")
_MOST_CANDIDATES = 10  # to find the closest among
_PROSE = frozenset({"words", "thought", "result", "refusal", "error"})


class _Text(NamedTuple):
    """An interaction as it is compared."""

    request: tuple[str, ...]
    answer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InteractionDiff:
    """How one interaction differs; `number` counts from 1 in the new cassette, else in the old."""

    number: int
    state: Literal["same", "changed", "added", "removed"]
    interaction: Interaction
    what: str = ""  # "request", "answer", "request and answer" where it changed
    lines: tuple[str, ...] = ()  # a unified diff: each begins with "-", "+" or " "

    @property
    def heading(self) -> str:
        request = self.interaction.request
        state = f"{self.what} changed" if self.state == "changed" else self.state
        return f"interaction {self.number}: {state} ({request.method} {request.url})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the interactions of a cassette differ from older ones: the new ones in order, the removed."""

    interactions: tuple[InteractionDiff, ...]

    @property
    def same(self) -> bool:
        return all(one.state == "same" for one in self.interactions)

    def summary(self) -> str:
        """Return how many changed, were added and removed, or ``the same``."""
        states: list[str] = [one.state for one in self.interactions]
        changed, added, removed = map(states.count, ("changed", "added", "removed"))
        changes = {f"{changed} of {len(states) - removed} changed": changed}
        changes |= {f"{added} added": added, f"{removed} removed": removed}
        return ", ".join(text for text, number in changes.items() if number) or "the same"

    def lines(self, most: int | None = None) -> Iterator[str]:
        """Yield each difference under its heading; `most` lines of each interaction, None for all."""
        for one in self.interactions:
            if one.state != "same":
                yield one.heading
                yield from one.lines[:most]
                if most is not None and len(one.lines) > most:
                    yield f" ... and {len(one.lines) - most} more lines"


def compare(old: Sequence[Interaction], new: Sequence[Interaction]) -> Comparison:
    """Compare two recordings.

    Interactions with the same request are paired in their order, then those with the same URL: each
    with the closest.
    """
    partner = _pairs(old, new)
    diffs = [
        _two_sided(place, old[partner[place]], one)
        if place in partner
        else _one_sided(place, "added", one)
        for place, one in enumerate(new)
    ]
    removed = (at for at in range(len(old)) if at not in partner.values())
    return Comparison((*diffs, *(_one_sided(at, "removed", old[at]) for at in removed)))


def is_same_recording(
    old: Sequence[Interaction], new: Sequence[Interaction], key_of: Callable[[Request], Hashable]
) -> bool:
    """Return whether the old recording serves as well as the new one, which need not be saved.

    The same tests asked the same, and the answers differ only in what differs each time one asks.
    """

    def identity(one: Interaction) -> Hashable:
        # A header that is no longer recorded, say, because it holds a secret, must go.
        names = {name.lower() for name, _ in (*one.request.headers, *one.response.headers)}
        return one.recorded_by, key_of(one.request), frozenset(names)

    is_same = Counter(map(identity, old)) == Counter(map(identity, new))
    return is_same and compare(old, new).same


def _pairs(old: Sequence[Interaction], new: Sequence[Interaction]) -> dict[int, int]:
    """Return the place in `old` of each in `new` that was there."""
    key = Matcher().key
    partner: dict[int, int] = {}
    ways: list[tuple[Callable[[Interaction], Hashable], int]] = [
        # Of several attempts at one request, the status says which is which.
        (lambda one: (key(one.request), one.response.status), 1),
        (lambda one: (one.request.method, RANDOM.sub("[id]", one.request.url)), _MOST_CANDIDATES),
    ]
    for way, most in ways:
        places: dict[Hashable, list[int]] = defaultdict(list)
        taken = set(partner.values())
        for at, one in enumerate(old):
            if at not in taken:
                places[way(one)].append(at)
        for place, one in enumerate(new):
            if place not in partner and (left := places[way(one)]):
                some = [old[at].request for at in left[:most]]
                nearest = closest(one.request, some) if len(some) > 1 else 0
                partner[place] = left.pop(nearest or 0)
    return partner


def _one_sided(at: int, state: Literal["added", "removed"], one: Interaction) -> InteractionDiff:
    sign, text = "+" if state == "added" else "-", _text_of(one)
    lines = tuple(f"{sign}{line}" for line in (*text.request, *text.answer))
    return InteractionDiff(at + 1, state, one, lines=lines)


def _two_sided(place: int, old: Interaction, new: Interaction) -> InteractionDiff:
    was, now = _text_of(old), _text_of(new)
    what = [name for name in _Text._fields if getattr(was, name) != getattr(now, name)]
    before, after = (*was.request, *was.answer), (*now.request, *now.answer)
    if not what:
        fields, others = (_json_of(InteractionView(one)) for one in (old, new))
        if fields != others:
            what = ["answer"]
            before, after = (tuple(_labelled("body", json_lines(one))) for one in (fields, others))
    if not what:
        return InteractionDiff(place + 1, "same", new)
    _, _, _, *lines = unified_diff(before, after, n=1, lineterm="")
    shown = (" ..." if line.startswith("@@") else line for line in lines)
    return InteractionDiff(place + 1, "changed", new, " and ".join(what), tuple(shown))


def _text_of(one: Interaction) -> _Text:
    view = InteractionView(one)
    try:
        url = [RANDOM.sub("[id]", one.request.url)]
        request = [*_labelled(one.request.method, url), *_lines(_steady_request_rows(view))]
        return _Text(tuple(request), tuple(_lines(_steady_answer_rows(view))))
    except RecursionError:  # nobody nests that deep; it came by accident, or to do harm
        bodies = one.request.body, one.response.body
        return _Text(*(tuple(_labelled("body", [repr(body)])) for body in bodies))
    finally:
        one.response.forget()


def _steady_request_rows(view: InteractionView) -> Iterator[Row]:
    for row in view.request_rows():
        if row.label == "with" and row.section == "request":
            rest = _without_noise(view.asked.rest, of_model=False)
            row = row._replace(text="\n".join(json_lines(rest)))
        yield row._replace(text=RANDOM.sub("[id]", row.text)) if row.kind == "part" else row


def _steady_answer_rows(view: InteractionView) -> Iterator[Row]:
    for row in view.answer_rows():
        if row.label == "answer":
            row = row._replace(text=row.text.partition(", retry after ")[0])
        elif row.label == "body":
            row = row._replace(text="\n".join(_steady_body(view)))
        yield row
    ending = view.ending()
    if view.response.error is not None:
        ending = _NUMBER.sub("0", ending)
    yield Row("arrival", "ended", ending)
    usage = _without_noise(view.said.usage or {}, of_model=True)
    yield Row("arrival", "usage", format_usage(usage))


def _steady_body(view: InteractionView) -> Iterator[str]:
    """Yield an answer that is no model's without the fields that differ each time."""
    how = framing(view.content_type, view.response.body)
    if not view.is_read:
        yield f"{len(view.response.body)} bytes, {sha256(view.response.body).hexdigest()[:16]}"
    elif how != "json":
        for event in read_events(how, view.response.body):
            value = _without_noise(event.json, of_model=False)
            yield event.data if event.json is None else json_inline(value)
    elif (value := _json_of(view)) is not None:
        yield from json_lines(value)
    else:
        yield from body_lines(view.response.body, view.content_type)


def _lines(rows: Iterator[Row]) -> Iterator[str]:
    for row in rows:
        if row.text:
            lines = row.text.split("\n")
            if row.kind in _PROSE:
                lines = [one for line in lines for one in _SENTENCE_END.split(line)]
            yield from _labelled(row.label, lines)


def _labelled(label: str, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield f"{label:<10} {line}" if line else label


def _json_of(view: InteractionView) -> Any:
    """Return the JSON of an answer without noise; None for a stream, or where it is no JSON."""
    body = view.response.body
    if framing(view.content_type, body) != "json" or not view.is_read:
        return None
    try:
        return _without_noise(json.loads(body), of_model=view.said.dialect is not None)
    except (ValueError, RecursionError):
        return None


def _without_noise(value: Any, *, of_model: bool) -> Any:
    """Return JSON without the fields that differ each time; a model's ids all do."""
    if isinstance(value, dict):
        return {
            name: _without_noise(held, of_model=of_model)
            for name, held in value.items()
            if not _is_noise(name, held, of_model=of_model)
        }
    if isinstance(value, list):
        return [_without_noise(held, of_model=of_model) for held in value]
    return value


def _is_noise(name: str, value: object, *, of_model: bool) -> bool:
    name = _CAMEL_CASE.sub(r"_\1", name).lower().replace("-", "_")
    if name == "p":
        return isinstance(value, str) and _PADDING.fullmatch(value) is not None
    if _ID_NAME.search(name) and name != "model_id":
        ids = value if isinstance(value, list) else [value]
        return all(isinstance(id_, str) and (of_model or RANDOM.search(id_)) for id_ in ids)
    return _NOISY_NAME.search(name) is not None
