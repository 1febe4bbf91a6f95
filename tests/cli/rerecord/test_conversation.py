"""Following recorded conversations: as the application would have gone on, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.errors import ResendError
from aquila_cassette.model import Interaction
from tests.cli.rerecord.talking import APPS, App, Model, again, talk

TOOLS = ["What is the weather in Lund?", "And how is life there?", "Thanks. weather in Malmö?"]
each_app = pytest.mark.parametrize("app", APPS.values(), ids=list(APPS))


def asked(tape: list[Interaction]) -> list[tuple[str, object]]:
    return [(one.request.url, json.loads(one.request.body)) for one in tape]


@each_app
@pytest.mark.parametrize("stream", [True, False])
def test_a_conversation_with_tools_goes_on_as_its_application_would(app: App, stream: bool) -> None:
    tape = talk(app, Model(1, stream=stream), TOOLS)
    assert len(tape) == 5
    new = again(tape, Model(2, stream=stream))
    assert asked(new) == asked(talk(app, Model(2, stream=stream), TOOLS))
    assert asked(new) != asked(tape)


@each_app
def test_a_tool_that_is_called_otherwise_is_refused(app: App) -> None:
    tape = talk(app, Model(1, calls=True), TOOLS)
    with pytest.raises(ResendError) as refused:
        again(tape, Model(2, calls=True))
    assert str(refused.value).splitlines()[0] == (
        "Request 2 of cassette.yaml cannot be followed: "
        "answer 1 now calls other tools, or with other arguments."
    )


PROMPTS = st.lists(
    st.sampled_from(
        [
            "Hello",
            "Tell me of ships",
            "What is the weather in Lund?",
            "weather in Oslo",
            "{said}",
            "Say it in French: {said}",
            "What of {part}?",
            "Is it so that {part} or {said}",
            "Go on",
            "Hello",
        ]
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(
    app=st.sampled_from([*APPS.values(), App("gemini"), App("chat", keep=lambda said: said[:9])]),
    prompts=PROMPTS,
    old=st.builds(Model, st.integers(0, 3), st.booleans(), st.booleans()),
    day=st.integers(0, 3),
)
def test_a_request_is_what_its_application_would_send_or_it_is_refused(
    app: App, prompts: list[str], old: Model, day: int
) -> None:
    new = Model(day, old.calls, old.mute)
    tape = talk(app, old, prompts)
    expected = asked(talk(app, new, prompts))
    try:
        got = asked(again(tape, new))
    except ResendError:
        return
    assert got == expected
