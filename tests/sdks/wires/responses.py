"""OpenAI's responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.servers.frames import USAGE, response_object

from .wire import Frame, Wire, named

__all__ = ["RESPONSES"]

Step = tuple[str, dict[str, Any]]


def _frames(begun: dict[str, Any], inside: list[Step], item: dict[str, Any]) -> list[Frame]:
    steps: list[Step] = [
        ("response.created", {"response": response_object("in_progress", [], None)}),
        ("response.output_item.added", {"output_index": 0, "item": begun}),
        *inside,
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response_object("completed", [item], USAGE)}),
    ]
    return [
        Frame(
            named(kind, {"type": kind, **fields, "sequence_number": number}),
            shows=kind.endswith(".delta"),
        )
        for number, (kind, fields) in enumerate(steps)
    ]


def text(parts: Sequence[str]) -> list[Frame]:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "".join(parts), "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant"}
    inside: list[Step] = [
        ("response.content_part.added", {**at, "part": {**part, "text": ""}}),
        *(("response.output_text.delta", {**at, "delta": one, "logprobs": []}) for one in parts),
        ("response.output_text.done", {**at, "text": "".join(parts), "logprobs": []}),
        ("response.content_part.done", {**at, "part": part}),
    ]
    begun = {**item, "status": "in_progress", "content": []}
    return _frames(begun, inside, {**item, "status": "completed", "content": [part]})


def tool(name: str, parts: Sequence[str]) -> list[Frame]:
    at = {"item_id": "fc_1", "output_index": 0}
    arguments = "".join(parts)
    item = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": name}
    inside: list[Step] = [
        *(("response.function_call_arguments.delta", {**at, "delta": one}) for one in parts),
        ("response.function_call_arguments.done", {**at, "arguments": arguments, "name": name}),
    ]
    begun = {**item, "status": "in_progress", "arguments": ""}
    return _frames(begun, inside, {**item, "status": "completed", "arguments": arguments})


ERROR = named(
    "error",
    {
        "type": "error",
        "code": "server_error",
        "message": "The model is overloaded.",
        "param": None,
        "sequence_number": 9,
    },
)

RESPONSES = Wire("OpenAI responses", "text/event-stream", text, tool, ERROR)
