"""Follow recorded conversations: what a request repeats of earlier answers is replaced or refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aquila_cassette.cli.record_conversation import Conversation
from aquila_cassette.errors import CassetteError
from aquila_cassette.model import Headers, Interaction, Piece, Request, Response
from tests.cli.talking import APPS, Model, again, talk

HOST = "https://api.example.com"
OSLO = '{"city": "Oslo"}'
LONG = "The capital of France is Paris, on the Seine."
ELSE = "It is a large city, they say, and old."


def asks(body: Any = None, url: str = "/v1", headers: Headers = ()) -> Request:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", HOST + url, headers, data)


def answers(value: Any, headers: Headers = (), **more: Any) -> Response:
    return Response(200, headers, (Piece(0, json.dumps(value).encode()),), **more)


def says(text: str, *calls: tuple[str, str, str], **more: Any) -> Response:
    shown = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    message = {"role": "assistant", "content": text or None, "tool_calls": shown}
    return answers({"id": f"chat_{len(text)}x", "choices": [{"message": message}]}, **more)


def chat(*messages: Any) -> Request:
    """Ask as chat completions are asked: the user's words and the model's in turn, or messages."""
    roles = ("user", "assistant")
    turns = [
        one if isinstance(one, dict) else {"role": roles[place % 2], "content": one}
        for place, one in enumerate(messages)
    ]
    return asks({"messages": turns})


def call(id_: str, arguments: str) -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"id": id_, "function": function}]}


def result(id_: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


NOTHING = answers({})


def followed(
    *pairs: tuple[Request, Response],
    new: Sequence[Response],
    by: Sequence[str | None] = ("test_a.py::test_a",) * 3,
) -> Request:
    """Send all requests again, and return the last as it would be sent."""
    interactions = [
        Interaction(request, response, recorded_by=owner)
        for (request, response), owner in zip(pairs, by, strict=False)
    ]
    conversation = Conversation(interactions, Path("chat.yaml"), "Fix: it.")
    for response in new:
        conversation.request()
        conversation.answered(response)
    return conversation.request()


def refused(*pairs: tuple[Request, Response], new: Sequence[Response], **more: Any) -> str:
    with pytest.raises(CassetteError) as error:
        followed(*pairs, new=new, **more)
    what, *facts, fix = str(error.value).splitlines()
    assert fix == "Fix: it."
    assert what.startswith(f"Request {len(pairs)} of chat.yaml cannot be followed: ")
    return "\n".join([what.partition(": ")[2], *facts])


def test_an_id_is_replaced_in_path_query_header_body_and_text() -> None:
    got = followed(
        (asks(url="/files"), answers({"id": "file-abc123", "size": 2048})),
        (
            asks(
                {"file": "file-abc123", "prompt": "Read file-abc123!", "max_tokens": 2048},
                "/v1/files/file-abc123?file=file-abc123",
                (("last-event-id", "file-abc123"),),
            ),
            NOTHING,
        ),
        new=[answers({"id": "file-xyz/9", "size": 4096})],
    )
    assert got.url == HOST + "/v1/files/file-xyz%2F9?file=file-xyz%2F9"
    assert got.headers == (("last-event-id", "file-xyz/9"),)
    assert json.loads(got.body) == {
        "file": "file-xyz/9", "prompt": "Read file-xyz/9!", "max_tokens": 2048,
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"file-abc123","a":[1, 2]}',
        b'{\n  "id": "file-abc123"\n}',
        b"--x\r\n\r\nfile-abc123\xff\r\n--x--",
    ],
)
def test_a_body_keeps_the_way_it_is_written(body: bytes) -> None:
    got = followed(
        (asks(url="/files"), answers({"id": "file-abc123"})),
        (asks(body), NOTHING),
        new=[answers({"id": "file-abc124"})],
    )
    assert got.body == body.replace(b"c123", b"c124")


def test_a_redirect_is_followed() -> None:
    got = followed(
        (asks(), answers({}, (("location", "/v1/there/1?a=b"),))),
        (asks(url="/v1/there/1?a=b"), NOTHING),
        new=[answers({}, (("location", "https://b.example/there"),))],
    )
    assert got.url == "https://b.example/there"


def test_an_id_that_the_answer_has_from_its_request_stays() -> None:
    body = {"previous_response_id": "resp_abcdef1"}
    got = followed(
        (asks(body), answers({"id": "resp_2222222", **body})),
        (asks(body), NOTHING),
        new=[answers({"id": "resp_3333333", "previous_response_id": "resp_other12"})],
    )
    assert json.loads(got.body) == body


@pytest.mark.parametrize(("was", "now"), [(LONG, ELSE), ("Paris (\u00e9).", ELSE), (LONG, "Yes.")])
def test_a_whole_answer_is_replaced(was: str, now: str) -> None:
    new = [says(now)]
    recorded = (chat("What is it?"), says(was))
    assert followed(recorded, (chat("a", was, "b"), NOTHING), new=new) == chat("a", now, "b")
    stripped = (recorded[0], says(f"{was}\n"))
    new_lines = [says(f" {now}\n")]
    assert followed(stripped, (chat("a", was, "b"), NOTHING), new=new_lines) == chat("a", now, "b")
    if was == LONG:
        quoted = followed(recorded, (chat(f"Translate:\n{was}\nPlease."), NOTHING), new=new)
        assert quoted == chat(f"Translate:\n{now}\nPlease.")


def test_equal_answers_are_told_apart_by_their_order_and_their_tests() -> None:
    got = followed(
        (chat("a"), says("Yes.")),
        (chat("a", "Yes.", "b"), says("Yes.")),
        (chat("a", "Yes.", "b", "Yes.", "c"), NOTHING),
        new=[says("One."), says("Two.")],
    )
    assert got == chat("a", "One.", "b", "Two.", "c")
    got = followed(
        (chat("a"), says("Yes.")),
        (chat("a"), says("Yes.")),
        (chat("a", "Yes.", "c"), NOTHING),
        new=[says("One."), says("Two.")],
        by=["test_a.py::test_a", "test_a.py::test_b", "test_a.py::test_a (teardown)"],
    )
    assert got == chat("a", "One.", "c")


def test_a_call_and_its_id_in_a_tools_result_are_replaced() -> None:
    shown = '{"call": "call_old1", "rain": true}'
    got = followed(
        (chat("a"), says("", ("call_old1", "weather", OSLO))),
        (chat("a", call("call_old1", OSLO), result("call_old1", shown)), NOTHING),
        new=[says("", ("call_new1", "weather", '{"city":"Oslo"}'))],
    )
    new_result = result("call_new1", shown.replace("old1", "new1"))
    assert got == chat("a", call("call_new1", '{"city":"Oslo"}'), new_result)


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (says("", ("call_new1", "climate", '{"city": "Rome"}')), 'climate {"city": "Rome"}'),
        (says("I do not know."), "no tool"),
    ],
)
def test_the_result_of_another_call_is_refused(now: Response, shown: str) -> None:
    gemini = {"role": "user", "parts": [{"functionResponse": {"name": "weather"}}]}
    for later in (
        chat("a", call("call_old1", OSLO), result("call_old1", "rain")),
        asks({"input": [{"type": "function_call_output", "call_id": "call_old1", "output": "r"}]}),
        asks({"contents": [gemini]}),
    ):
        assert refused(
            (chat("a"), says("", ("call_old1", "weather", OSLO))), (later, NOTHING), new=[now]
        ) == (
            "answer 1 now calls other tools, or with other arguments.\n"
            f"  recorded: weather {OSLO}\n"
            f"  now:      {shown}"
        )


@pytest.mark.parametrize(
    ("was", "now", "later", "why"),
    [
        (
            answers({"id": "file-abc123"}), answers({"error": "no"}), asks({"id": "file-abc123"}),
            "answer 1 now has nothing in the place of 'file-abc123'.",
        ),
        (
            says(LONG), says(""), chat("a", LONG, "b"),
            f"answer 1 now has nothing in the place of '{LONG}'.",
        ),
        (
            says("", ("call_old1", "weather", OSLO)),
            says("Let me look.", ("call_new1", "weather", OSLO)),
            chat("a", call("call_old1", OSLO), result("call_old1", "rain")),
            "answer 1 now has a text, and had none.",
        ),
        (
            says("One two", ended="closed"), says("One two three"), chat("a", "One two", "b"),
            "answer 1, which it repeats, was not read whole.",
        ),
    ],
    ids=["id", "text", "text beside a call", "closed"],
)  # fmt: skip
def test_a_value_without_a_counterpart_is_refused(
    was: Response, now: Response, later: Request, why: str
) -> None:
    assert refused((chat("a"), was), (later, NOTHING), new=[now]) == why


def test_what_no_test_would_check_is_refused() -> None:
    first = (chat("a"), says(LONG))
    repeats = (chat("a", LONG, "b"), NOTHING)
    assert refused(first, repeats, new=[says(ELSE)], by=[None, None]) == (
        "it repeats an answer, and no test would notice a wrong guess."
    )
    assert followed(first, (chat("b"), NOTHING), new=[says(ELSE)], by=[None, None]) == chat("b")


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
