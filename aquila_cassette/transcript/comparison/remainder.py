"""What the events of an answer hold beside what was said: citations, roles, filters, errors.

A model's stream is cut into events by chance, so its fields are gathered by their paths: chunks of
text are joined, other values are kept as they change. What the model said, its usage and why it
stopped are compared on their own and left out here, as is what an answer repeats of its request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from aquila_cassette.dialects.lenient import as_dict, as_str, dump_json, load_json
from aquila_cassette.transcript.comparison.noise import is_noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.dialects import ModelMessage
    from aquila_cassette.transcript.comparison.answer import Answer

__all__ = ["remainders"]

_NAMES = frozenset({"type", "role", "object", "status", "mode", "phase", "event_type"})
_SPOKEN = frozenset({
    "arguments", "completion", "content", "delta", "input", "name", "output_text", "partial_json",
    "reasoning", "reasoning_content", "reasoning_text", "refusal", "response", "summary", "text",
    "thinking", "tool_plan", "value",
})  # fmt: skip
_GIVEN = frozenset({"args", "arguments", "input", "parameters"})
_USAGE = frozenset({"usage", "usageMetadata", "usage_metadata"})
_MODELS = frozenset({"model", "modelVersion"})
_REASONS = frozenset({
    "blockReason", "done_reason", "finishReason", "finish_reason", "reason", "status",
    "stop_reason",
})  # fmt: skip
_PLACES = frozenset({"index", "output_index", "content_index", "summary_index", "annotation_index"})

_SNAPSHOTS = ("response", "interaction")


class _Leaf(NamedTuple):
    path: tuple[str, ...]
    value: Any


def remainders(
    old: Answer, new: Answer, requests: tuple[bytes, bytes], *, everything: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give what two answers hold beside what was said, by path, without what differs each time.

    Args:
        old: A model's answer, streamed or not.
        new: The other.
        requests: The bodies that asked for them, whose fields some answers repeat.
        everything: Whether to give what differs each time as well.
    """
    was = _remainder(old, requests[0], everything=everything)
    now = _remainder(new, requests[1], everything=everything)
    if not everything and _shape(old.said) != _shape(new.said):
        # Events that only the one has follow from what only the one says.
        alone = {path for path in was.keys() ^ now.keys() if path.rpartition(".")[2] in _NAMES}
        was, now = ({path: one[path] for path in one if path not in alone} for one in (was, now))
    return was, now


def _shape(said: ModelMessage) -> tuple[object, ...]:
    spoke = (said.text, said.reasoning, said.refusal, said.error)
    return *map(bool, spoke), len(said.tool_calls)


def _remainder(answer: Answer, request: bytes, *, everything: bool) -> dict[str, Any]:
    asked = frozenset(as_dict(load_json(request)))
    heard = _Heard(answer, asked)
    gathered: dict[tuple[str, ...], list[Any]] = {}
    for leaf in _leaves_of(answer, everything=everything):
        gathered.setdefault(leaf.path, []).append(leaf.value)
    return {
        ".".join(path): _settled(path, values)
        for path, values in gathered.items()
        if not heard.explains(path, values)
    }


def _leaves_of(answer: Answer, *, everything: bool) -> Iterator[_Leaf]:
    if answer.framing == "json":
        if answer.json is None:  # nested so deeply that it could be read but a moment ago
            yield _Leaf(("body",), answer.response.body.decode("utf-8", "backslashreplace"))
        else:
            yield from _leaves((), answer.json, everything)
        return
    for message in answer.messages:
        if message.json is None:
            if not message.data.startswith("[DONE]"):
                yield _Leaf((message.type,), message.data)
            continue
        fields = as_dict(message.json)
        type_ = as_str(fields.get("type")) or as_str(fields.get("event_type"))
        label = type_ or (message.type if message.type != "message" else "")
        for leaf in _leaves((), message.json, everything):
            # The snapshots in a response's first and last event are of one thing.
            whole = leaf.path[0] in _SNAPSHOTS and len(leaf.path) > 1
            yield leaf if whole or not label else leaf._replace(path=(label, *leaf.path))


def _leaves(path: tuple[str, ...], value: Any, everything: bool) -> Iterator[_Leaf]:
    """Give the values in `value` that hold something, by path; in lists by ``index``."""
    if isinstance(value, dict):
        for name, held in value.items():
            if name not in _PLACES and (everything or not is_noise(name, held, of_model=True)):
                yield from _leaves((*path, name), held, everything)
    elif isinstance(value, list):
        for place, held in enumerate(value):
            at = as_dict(held).get("index", place)
            yield from _leaves((*path, str(at)), held, everything)
    elif value is not None and value != "":
        yield _Leaf(path or ("body",), value)


def _settled(path: tuple[str, ...], values: list[Any]) -> Any:
    """Make one value of those that stood at a path, however they were cut."""
    if _is_cut(path, values):
        return "".join(values)
    runs = [value for at, value in enumerate(values) if not at or value != values[at - 1]]
    return runs[0] if len(runs) == 1 else runs


def _is_cut(path: tuple[str, ...], values: list[Any]) -> bool:
    """Tell whether the values at a path are chunks of one text."""
    if (
        path[0] in _SNAPSHOTS
        or path[-1] in _NAMES
        or not all(isinstance(one, str) for one in values)
    ):
        return False
    # A field that each delta repeats is no text.
    return path[-1] in _SPOKEN or (len(set(values)) > 1 and any("delta" in step for step in path))


class _Heard:
    """What is compared on its own, so that it is not told twice.

    Args:
        answer: The answer.
        asked: The names of the fields of its request.
    """

    def __init__(self, answer: Answer, asked: frozenset[str]) -> None:
        self._said = answer.said
        self._asked = asked
        calls = self._said.tool_calls
        self._texts = tuple(
            filter(
                None,
                [
                    self._said.text,
                    self._said.reasoning,
                    self._said.refusal,
                    *(call.name for call in calls),
                    *(call.arguments for call in calls),
                ],
            )
        )

    def explains(self, path: tuple[str, ...], values: list[Any]) -> bool:
        """Tell whether what stands at `path` is compared elsewhere."""
        *way, name = path
        said = self._said
        if said.usage is not None and (not _USAGE.isdisjoint(path) or name in said.usage):
            return True
        if name in _MODELS and set(map(dump_json, values)) == {dump_json(said.model)}:
            return True
        if name in _REASONS and values[-1] == said.finish_reason:
            return True
        if name == "message" and values[-1] == said.error:
            return True
        if way[:1] == ["response"] and (path[1] in self._asked):
            return True
        if said.tool_calls and not _GIVEN.isdisjoint(way):
            return True
        return name in _SPOKEN and all(map(self._is_spoken, values))

    def _is_spoken(self, value: Any) -> bool:
        return isinstance(value, str) and any(value in text for text in self._texts)
