"""What differs each time one asks: ids, dates, padding, latencies. By name, in any spelling."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

__all__ = ["FILLERS", "ids_of", "is_noise", "without_echoes", "without_noise"]

FILLERS = frozenset({"ping", "keepalive", "keep-alive", "heartbeat"})
"""Types of events that only keep a connection open."""

_UPPER = re.compile(r"(?<=[a-z0-9])([A-Z])")
_ID = re.compile(r"(?:^|[_-])ids?$")
_NO_ID = frozenset({"model_id"})
_VOLATILE = re.compile(
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
# The alphabet from its beginning, as far as it takes.
_PADDING = re.compile(r"a(?:b(?:c(?:d\w*)?)?)?")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
# A run that a person or a catalogue would hardly write: gpt-4o-mini-2024-07-18 has none.
_DRAWN = re.compile(
    r"(?=[A-Za-z_]*\d)[A-Za-z0-9_]{16,}|(?=[a-z]*[A-Z0-9][A-Za-z0-9]*[a-z])[A-Za-z0-9]{20,}"
)
_CALLS = re.compile(r"(?:^|_)(?:call|tool|tool_use|tool_call)_id$|^id$")
_SHORTEST_ECHO = 4


def is_noise(name: str, value: object, *, of_model: bool) -> bool:
    """Tell whether a field of an answer differs each time one asks.

    Args:
        name: The field's name, in snake_case or camelCase.
        value: What it holds, which came from JSON.
        of_model: Whether a model answered: there any id was drawn; elsewhere it may be a name.

    Example:
        >>> [is_noise(name, "x1", of_model=True) for name in ("responseId", "created", "content")]
        [True, True, False]
        >>> is_noise("id", "gpt-4o-mini-2024-07-18", of_model=False)
        False
    """
    name = _snake(name)
    if name == "p":
        return isinstance(value, str) and _PADDING.fullmatch(value) is not None
    if _is_id(name):
        values = value if isinstance(value, list) else [value]
        return all(isinstance(one, str) and (of_model or _is_drawn(one)) for one in values)
    return _VOLATILE.search(name) is not None


def without_noise(value: Any, *, of_model: bool) -> Any:
    """Give what came from JSON without the fields that differ each time.

    Args:
        value: An answer, an event of one, or a part of it.
        of_model: As in `is_noise`.

    Example:
        >>> without_noise({"id": "1", "say": [{"obfuscation": "x", "text": "a"}]}, of_model=True)
        {'say': [{'text': 'a'}]}
    """
    if isinstance(value, dict):
        return {
            name: without_noise(held, of_model=of_model)
            for name, held in value.items()
            if not is_noise(name, held, of_model=of_model)
        }
    if isinstance(value, list):
        return [without_noise(held, of_model=of_model) for held in value]
    return value


def ids_of(value: Any) -> set[str]:
    """Give the ids and signatures in an answer: what a later request may send back.

    Args:
        value: An answer or an event of one, which came from JSON.

    Example:
        >>> sorted(ids_of({"id": "resp_1", "output": [{"call_id": "call_7", "name": "look"}]}))
        ['call_7', 'resp_1']
    """
    found: set[str] = set()
    open_: list[Any] = [value]
    while open_:
        held = open_.pop()
        if isinstance(held, list):
            open_ += held
        elif isinstance(held, dict):
            open_ += held.values()
            for name, one in held.items():
                if isinstance(one, str) and len(one) >= _SHORTEST_ECHO and _comes_back(name):
                    found.add(one)
    return found


def without_echoes(value: Any, echoes: frozenset[str]) -> Any:
    """Give a request's JSON with the same word for each id that came of an earlier answer.

    So for ids of tool calls that a library drew at random (pydantic-ai does for Google).

    Args:
        value: What came from JSON.
        echoes: The ids and signatures of the answers before.

    Example:
        >>> without_echoes({"tool_call_id": "call_7", "content": "18"}, frozenset({"call_7"}))
        {'tool_call_id': '[id]', 'content': '18'}
    """
    if isinstance(value, dict):
        return {
            name: "[id]"
            if isinstance(held, str) and _CALLS.search(_snake(name)) and _UUID.search(held)
            else without_echoes(held, echoes)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [without_echoes(held, echoes) for held in value]
    return "[id]" if isinstance(value, str) and value in echoes else value


def _comes_back(name: str) -> bool:
    name = _snake(name)
    return _is_id(name) or name.endswith("signature") or name.startswith("encrypted_")


def _is_id(name: str) -> bool:
    return _ID.search(name) is not None and name not in _NO_ID


def _is_drawn(value: str) -> bool:
    return bool(_UUID.search(value) or _DRAWN.search(value))


@lru_cache(maxsize=1024)
def _snake(name: str) -> str:
    return _UPPER.sub(r"_\1", name).lower().replace("-", "_")
