"""What the tests of the provider ask, and how they look at what an SDK made of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = "Say hello"
ESSAY = "Explain how streaming responses cross a network."
WEATHER = "Call get_weather for New York, in fahrenheit, 3 days."
WEATHER_ARGUMENTS = {"city": "New York", "unit": "fahrenheit", "days": 3}
WEATHER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer"},
    },
    "required": ["city", "unit", "days"],
}


def full(answer: Any, *, unknown: tuple[str, ...] = ()) -> Any:
    """Give the answer back if it is valid for its own class and holds nothing that is not in it.

    The SDKs build objects without validating them, so that this has to be asked for.
    """
    values = answer.to_dict() if hasattr(answer, "to_dict") else answer.model_dump()
    type(answer).model_validate(values)
    strangers = {name for name in _strangers(answer) if name not in unknown}
    assert not strangers
    return answer


def _strangers(value: Any) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from _strangers(getattr(value, name, None))
    elif isinstance(value, list):
        for item in value:
            yield from _strangers(item)


def json_values(*keys: str) -> st.SearchStrategy[Any]:
    """Draw JSON values whose objects have some of `keys`."""
    names = st.sampled_from(keys) if keys else st.text(max_size=3)
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | names,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=5,
    )
