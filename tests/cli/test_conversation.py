"""Following recorded conversations: as the application would have gone on, or not at all."""

from __future__ import annotations

import json

import pytest

from aquila_cassette.errors import ResendError
from aquila_cassette.model import Interaction
from tests.cli.talking import APPS, Model, again, talk


def asked(recorded: list[Interaction]) -> list[tuple[str, object]]:
    return [(one.request.url, json.loads(one.request.body)) for one in recorded]


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("stream", [True, False])
def test_a_conversation_with_tools_goes_on_as_its_application_would(app: str, stream: bool) -> None:
    recorded = talk(app, Model(1, stream=stream))
    assert len(recorded) == 5
    new = again(recorded, Model(2, stream=stream))
    assert asked(new) == asked(talk(app, Model(2, stream=stream)))
    assert asked(new) != asked(recorded)


@pytest.mark.parametrize("app", APPS)
def test_a_tool_that_is_called_otherwise_is_refused(app: str) -> None:
    recorded = talk(app, Model(1, calls=True))
    with pytest.raises(ResendError) as refused:
        again(recorded, Model(2, calls=True))
    assert str(refused.value).splitlines()[0] == (
        "Request 2 of cassette.yaml cannot be followed: "
        "answer 1 now calls other tools, or with other arguments."
    )
