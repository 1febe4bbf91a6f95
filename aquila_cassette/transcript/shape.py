"""The shape of an answer: its status and ending, the types of its events, their fields; no values."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Any

from aquila_cassette.dialects.framing import ProviderEvent, framing, read_events
from aquila_cassette.dialects.json_access import as_str, load_json
from aquila_cassette.dialects.reading import ending
from aquila_cassette.matching.volatile import RANDOM
from aquila_cassette.model import Response


def shape_diff(old: Response, new: Response) -> list[str]:
    """Return what is gone and what is new in the shape of an answer, as the lines of a diff."""
    lines = unified_diff(shape(old), shape(new), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def shape(response: Response) -> list[str]:
    """Return a line for each thing that a client may rely on, sorted: ``response.id: text``.

    What is null is left out: it may be anything the next time.
    """
    content_type = response.header("content-type")
    how = framing(content_type, response.body)
    if how == "json":
        lines = {*_fields("body", load_json(response.body))}
    else:
        events = read_events(how, response.body)
        lines = {line for event in events for line in _fields(_label(event), event.json)}
        dialect = ending(content_type, response.body).dialect
        lines.add(f"dialect: {dialect}")
    kind = (content_type or "none").partition(";")[0].strip().lower()
    return [
        f"status: {response.status}",
        f"content type: {kind}",
        f"ends: {response.ended}",
        *sorted(lines),
    ]


def _label(event: ProviderEvent) -> str:
    fields = event.fields
    return as_str(fields.get("type")) or as_str(fields.get("object")) or event.type


def _fields(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield f"{path}: object"
        for name, held in value.items():
            yield from _fields(f"{path}.{RANDOM.sub('*', name)}", held)
    elif isinstance(value, list):
        for held in value:
            yield from _fields(f"{path}[]", held)
    elif isinstance(value, bool):
        yield f"{path}: true or false"
    elif isinstance(value, str):
        yield f"{path}: text"
    elif value is not None:
        yield f"{path}: number"
