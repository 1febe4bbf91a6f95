"""Requests, answers, and what following a cassette of them comes to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.cli.rerecord.conversation import Conversation
from aquila_cassette.errors import ResendError
from aquila_cassette.model import Headers, Interaction, Piece, Request, Response

__all__ = ["HOST", "NOTHING", "answers", "asks", "chat", "followed", "refused", "says"]

HOST = "https://api.example.com"


def asks(body: Any = None, url: str = "/v1", headers: Headers = ()) -> Request:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", HOST + url, headers, data)


def answers(value: Any, headers: Headers = (), **more: Any) -> Response:
    return Response(200, headers, (Piece(0, json.dumps(value).encode()),), **more)


def says(text: str, *calls: tuple[str, str, str], **more: Any) -> Response:
    """Answer as chat completions do."""
    told = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    message = {"role": "assistant", "content": text or None, "tool_calls": told}
    return answers({"id": f"chat_{len(text)}x", "choices": [{"message": message}]}, **more)


def chat(*messages: Any) -> Request:
    """Ask as chat completions are asked: the user's words and the model's in turn, or messages."""
    roles = ("user", "assistant")
    return asks(
        {
            "messages": [
                one if isinstance(one, dict) else {"role": roles[place % 2], "content": one}
                for place, one in enumerate(messages)
            ]
        }
    )


def followed(
    *tape: tuple[Request, Response], new: Sequence[Response], by: Sequence[str | None] = ()
) -> Request:
    """Ask all requests of a cassette again, and give the last as it would be sent."""
    owners = [*by, *[None] * len(tape)]
    interactions = [
        Interaction(request, response, recorded_by=owner)
        for (request, response), owner in zip(tape, owners, strict=False)
    ]
    conversation = Conversation(interactions, Path("cassette.yaml"), "Mend it.")
    for response in new:
        conversation.request()
        conversation.answered(response)
    return conversation.request()


def refused(*tape: tuple[Request, Response], new: Sequence[Response]) -> str:
    with pytest.raises(ResendError) as error:
        followed(*tape, new=new)
    assert error.value.fix == "Mend it."
    what, *facts, _ = str(error.value).splitlines()
    return "\n".join([what.partition(": ")[2], *facts])


NOTHING = answers({})
