"""Which good answers failures would take the place of."""

import pytest

from aquila_cassette.errors import OverwriteError
from aquila_cassette.model import Failure, Interaction, Piece, Request, Response
from aquila_cassette.options import Layer
from aquila_cassette.session.failures import how_failed
from aquila_cassette.session.owner import BlockOwner
from aquila_cassette.session.saving import find_loss
from tests.session.fake_adapter import Library, Suite

ERROR = b'event: error\ndata: {"type": "error", "error": {"message": "Overloaded"}}\n\n'
BAD_KEY = b'{"error": {"message": "API key not valid. Please pass a valid API key."}}'
SSE = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)
BODY = (Piece(1, b"well"),)
ANSWERS = {
    "ok": Response(200, pieces=BODY),
    "empty": Response(204),
    "silent": Response(200, SSE),
    "stopped": Response(200, pieces=BODY, ended="closed"),
    "unread": Response(200, ended="closed"),
    "given-up": Response(None, ended="closed"),
    "refused": Response(None, ended="failed", error=Failure("ConnectError", "refused")),
    "cut": Response(200, pieces=BODY, ended="failed", error=Failure("ReadError", "reset")),
    "no-end": Response(200, pieces=BODY, ended="failed", error=Failure(None, "no [DONE]")),
    "overloaded": Response(200, SSE, (Piece(1, ERROR),)),
    "bad-key": Response(400, JSON, (Piece(1, BAD_KEY),)),
}


def answered(text: str) -> list[Interaction]:
    """Read ``a:ok b:429``: what was asked, and what came."""
    made = []
    for word in text.split():
        asked, _, came = word.partition(":")
        response = ANSWERS.get(came) or Response(int(came), pieces=BODY)
        made.append(Interaction(Request("GET", f"https://x.example/{asked}"), response))
    return made


def lost(old: str, new: str) -> list[int]:
    found, _ = find_loss(enumerate(answered(old), 1), answered(new), lambda request: request.url)
    return [number for number, _ in found]


@pytest.mark.parametrize("came", [*ANSWERS, "401", "403", "404", "429", "500", "529"])
def test_a_failure_in_the_place_of_a_good_answer_is_a_loss(came: str) -> None:
    good = came in ("ok", "empty", "silent", "stopped")
    assert lost("a:ok", f"a:{came}") == ([] if good else [1])
    assert lost("a:ok", f"b:{came}") == ([] if good else [1])


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (
            Response(None, ended="closed"),
            "no answer",
            "the request was given up before an answer came",
        ),
        # openai closes these unread, and asks again.
        (Response(500, ended="closed"), "HTTP 500", "HTTP 500"),
        (
            Response(200, ended="closed"),
            "an answer that nobody read",
            "HTTP 200, but nothing of the answer was read",
        ),
    ],
)
def test_an_answer_that_nobody_read_is_not_called_a_request_without_an_answer(
    response: Response, kind: str, words: str
) -> None:
    one = Interaction(Request("GET", "https://x.example/"), response)
    assert how_failed(one) == (kind, words)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a:silent", "a:unread", []),
        ("a:silent", "a:given-up", []),
        ("a:empty", "a:unread", [1]),
        # A failure had its place there.
        ("a:429", "a:429", []),
        ("a:ok a:429", "a:ok a:429", []),
        ("a:ok b:401", "b:401", []),
        ("a:ok b:401", "a:ok c:401", []),
        ("a:ok b:401", "c:ok d:401", []),
        ("a:ok b:401", "c:401", [1]),
        ("a:429 a:ok", "a:429", [2]),
        ("a:ok a:429", "a:429 a:429", [1]),
        # It was tried again.
        ("a:ok", "a:429 a:refused a:ok", []),
        ("a:ok", "b:429 b:ok", []),
        ("a:ok", "b:429 b:429", [1]),
        # The same request, several times.
        ("a:ok a:ok", "a:ok", []),
        ("a:ok a:ok", "a:ok a:500", [2]),
        ("a:ok a:ok", "a:500 a:ok", [2]),
        ("a:ok a:ok", "a:500", [1, 2]),
        ("a:404 a:404 a:ok", "a:404 a:ok", []),
        # Conversations, in which each request holds the answer before.
        ("a:ok b:ok", "a:ok c:429", [2]),
        ("a:ok b:ok", "a:refused", [1]),
        ("a:ok b:ok", "a:ok", []),
        # Something was added, and nothing went.
        ("a:ok", "a:ok b:401", []),
        ("", "a:401", []),
        ("a:ok", "", []),
    ],
)
def test_what_is_lost(old: str, new: str, expected: list[int]) -> None:
    assert lost(old, new) == expected


def test_a_refused_block_of_a_script_takes_no_part_in_what_comes_after_it(suite: Suite) -> None:
    def script() -> BlockOwner:
        above = [Layer("folder", {"cassette_dir": suite.folder})]
        return BlockOwner("it.py", above=above, run=suite.folder_of_run)

    with suite.block(script()):
        suite.library.send("a")
        suite.library.send("b")
    again, refused = script(), Library(lambda asked: (401, b"no"))
    with pytest.raises(OverwriteError), suite.block(again, mode="all"):
        refused.send("a")
    with suite.block(again, mode="all"):
        suite.library.send("b")
    again.end_process()
    assert suite.on_file() == [("a", 200), ("b", 200)]

    suite.library.sent.clear()
    with suite.block(again, mode="all"):
        suite.library.send("a")
    assert suite.library.sent == ["a"], "the failure is not replayed"
