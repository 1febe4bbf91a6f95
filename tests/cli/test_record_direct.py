"""``record --direct``: the recorded requests asked again, live, without their tests."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aquila_cassette import aquila_cassette, importers
from aquila_cassette.cli.record_direct import _key_header, _with_key, redirect
from aquila_cassette.model import Failure, Interaction, Piece, Request, Response
from aquila_cassette.provider import Provider
from aquila_cassette.storage import files
from tests.cli.conftest import Cli
from tests.cli.talking import PROMPTS, Model, talk
from tests.servers import Connection, RawServer
from tests.servers import Request as Asked

TESTS = "tests/test_chat.py::test_it"


class Live:
    """The provider, asked by an application."""

    def answer(self, request: Request) -> Response:
        headers = dict(request.headers)
        sent = httpx.post(request.url, content=request.body, headers=headers, verify=False)
        kind = sent.headers["content-type"]
        return Response(sent.status_code, (("content-type", kind),), (Piece(0, sent.content),))


def lay(*interactions: Interaction, name: str = "chat") -> Path:
    path = Path(f"cassettes/{name}.yaml")
    files.save(path, interactions)
    return path


def test_a_conversation_with_tools_is_recorded_as_its_application_would(
    cli: Cli, provider: Provider
) -> None:
    app = "responses, stored"
    # Recorded on a day when the model said other things and gave other ids.
    lay(*talk(app, Model(1), PROMPTS, provider.url))
    assert cli("record", "--direct", "chat").done.endswith("\n1 cassette re-recorded; 1 changed.\n")
    expected = talk(app, Live(), PROMPTS, provider.url)
    stored = importers.load(Path("cassettes/chat.yaml")).interactions
    assert [one.request for one in stored] == [one.request for one in expected]
    assert [one.response.body for one in stored] == [one.response.body for one in expected]
    asked = len(provider.requests)
    with aquila_cassette("chat", mode="none") as cassette:
        talk(app, Live(), PROMPTS, provider.url)
    assert (len(cassette.played), len(provider.requests)) == (5, asked)


def body(prompt: str) -> bytes:
    message = {"role": "user", "content": prompt}
    return json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [message]}).encode()


def sse(*texts: str) -> bytes:
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    frames = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*frames, "data: [DONE]\n\n"]).encode()


STREAM = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)


def recorded(
    url: str, prompt: str = "Say it", answer: Response | None = None, by: str | None = TESTS
) -> Interaction:
    request = Request("POST", f"{url}/v1/chat/completions", JSON, body(prompt))
    answer = answer or Response(200, STREAM, (Piece(3, sse("old")),))
    return Interaction(request, answer, "2020-01-01T00:00:00Z", by)


Script = Callable[[Connection, Asked], None]
Serve = Callable[[Script], RawServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers as a script says."""
    with ExitStack() as stack:
        yield lambda script: stack.enter_context(RawServer(script))


def says(*texts: str) -> Script:
    def script(connection: Connection, _: Asked) -> None:
        connection.head()
        connection.piece(sse(*texts))
        connection.end()

    return script


def test_ctrl_c_leaves_the_cassette_that_was_asked_as_it_was(serve: Serve) -> None:
    asked = threading.Event()

    def script(connection: Connection, request: Asked) -> None:
        if b"wait" in request.body:
            connection.head()
            asked.set()
            connection.gone()
        else:
            says("new")(connection, request)

    server = serve(script)
    lay(recorded(server.url), name="a")
    old = [
        lay(recorded(server.url), recorded(server.url, "wait"), name="b").read_bytes(),
        lay(recorded(server.url), name="c").read_bytes(),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "aquila_cassette", "record", "--direct", "*"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        out = process.stdout.read()
    assert process.returncode == 130
    assert out.endswith(
        "\n"
        "NAME  RESULT       CHANGED, OR WHY NOT\n"
        "a     re-recorded  1 of 1 changed\n"
        "b     kept         stopped\n"
        "c     kept         not asked\n"
        "\n"
        "1 cassette re-recorded, 2 kept as before; 1 changed.\n"
        "Stopped. Each cassette is whole: the old one or the new one.\n"
    )
    assert [Path(f"cassettes/{name}.yaml").read_bytes() for name in "bc"] == old


def test_a_key_comes_from_the_usual_variable_of_its_host(
    cli: Cli, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-key-of-openai")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-key-of-anthropic")
    monkeypatch.setenv("GEMINI_API_KEY", "key-of-gemini")
    server = serve(says("your key is key-of-gemini"))
    google = "generativelanguage.googleapis.com"
    hosts = ("api.openai.com", "api.anthropic.com", google, "a.example")
    path = lay(*(recorded(f"https://{host}") for host in hosts))
    ran = cli("record", "--direct", "chat", "--base-url", server.url)
    assert (ran.code, ran.err) == (0, "")
    of_openai, of_anthropic, of_gemini, of_nobody = (one.headers for one in server.requests)
    assert of_openai["authorization"] == "Bearer sk-key-of-openai"
    assert of_anthropic["x-api-key"] == "sk-key-of-anthropic"
    assert of_gemini["x-goog-api-key"] == "key-of-gemini"
    assert not {"authorization", "x-api-key", "x-goog-api-key"} & of_nobody.keys()
    assert {one.path for one in server.requests} == {"/v1/chat/completions"}
    stored = importers.load(path).interactions
    assert [one.request.url for one in stored] == [
        f"https://{host}/v1/chat/completions" for host in hosts
    ]
    assert all(b"your key is [redacted]" in one.response.body for one in stored)


def test_a_missing_key_is_told_before_anything_is_sent(
    cli: Cli, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    server = serve(says("new"))
    hosts = ("api.openai.com", "api.openai.com", "generativelanguage.googleapis.com")
    lay(recorded(server.url), *(recorded(f"https://{host}") for host in hosts))
    assert cli("record", "--direct", "*").refusal == (
        "There is no key for api.openai.com and generativelanguage.googleapis.com; "
        "nothing was sent.\n"
        "  api.openai.com: OPENAI_API_KEY is not set\n"
        "  generativelanguage.googleapis.com: GEMINI_API_KEY or GOOGLE_API_KEY is not set\n"
        "Fix: set the variable\n"
    )
    assert server.requests == []


def test_a_redacted_key_in_a_url_is_filled_in_for_its_own_host_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "g/")
    google = "https://generativelanguage.googleapis.com/v1beta?a=b&key="
    assert _with_key(f"{google}[redacted]") == f"{google}g/"
    evil = "https://evil.example/v1?key=[redacted]"
    assert (_key_header(evil), _with_key(evil)) == ((), evil)


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("https://a.example/v1/chat?b=c", "http://b.example:80", "http://b.example:80/v1/chat?b=c"),
        ("https://a.example/openai/v1/chat", "http://b/x/openai/v1/", "http://b/x/openai/v1/chat"),
        ("https://a.example/v1/chat", "http://b.example/v2", "http://b.example/v2/v1/chat"),
        ("https://a.example", "http://b.example/v2", "http://b.example/v2"),
    ],
)
def test_a_base_url_takes_the_place_of_the_host(url: str, base: str, expected: str) -> None:
    assert redirect(url, base) == expected


FIX = "Fix: aquila-cassette record chat\n"


BROKEN = Response(
    200, STREAM, (Piece(0, sse("x")[:20]),), ended="failed", error=Failure("ReadError", "reset")
)
IN_ERROR = Response(200, STREAM, (Piece(0, b'data: {"error": {"message": "no"}}\n\n'),))
SECRET = Request("POST", "/v1", JSON, b'{"secret": "[redacted]"}')


FAILED = "its answer failed; that cannot be asked for.\n  recorded: "
NO_SECRET = Interaction(SECRET, Response(200), recorded_by=TESTS)
REFUSED = {
    f"{FAILED}the request was given up before an answer came": recorded(
        "", answer=Response(None, ended="closed")
    ),
    f"{FAILED}HTTP 200, then ReadError: reset": recorded("", answer=BROKEN),
    f"{FAILED}HTTP 200, then the error: no": recorded("", answer=IN_ERROR),
    "it holds a redacted value, which is not known here.": NO_SECRET,
}


@pytest.mark.parametrize("error", REFUSED)
def test_what_cannot_be_asked_again_is_refused_at_once(cli: Cli, serve: Serve, error: str) -> None:
    server = serve(says("new"))
    one = REFUSED[error]
    path = lay(recorded(server.url), replace(one, request=replace(one.request, url=server.url)))
    before = path.read_bytes()
    ran = cli("record", "--direct", "chat")
    assert ran.code == 1
    assert ran.err == (f"Request 2 of cassettes/chat.yaml cannot be sent again: {error}\n{FIX}")
    assert ran.out.startswith("\nNAME  RESULT  CHANGED, OR WHY NOT\nchat  kept    ")
    assert path.read_bytes() == before
    assert server.requests == []


def answers(status: int, text: bytes) -> Script:
    kind = "text/html" if b"<html>" in text else "text/event-stream"

    def script(connection: Connection, _: Asked) -> None:
        connection.head(status, {"content-type": kind}, length=len(text))
        connection.piece(text)
        connection.end()

    return script


NOT_KEPT = {
    "it was answered with another status.\n"
    "  recorded: HTTP 200\n  now:      HTTP 401\n  Incorrect API key.\n": answers(
        401, b'{"error": {"message": "Incorrect API key."}}'
    ),
    "its answer failed.\n  HTTP 200, then the error: Overloaded\n": answers(
        200, b'data: {"error": {"message": "Overloaded"}}\n\n'
    ),
    "its answer failed.\n  HTTP 200, then the stream ended without its data: [DONE]\n": answers(
        200, sse("x").removesuffix(b"data: [DONE]\n\n")
    ),
    "it was answered in another dialect.\n  recorded: openai-chat\n  now:      None\n": answers(
        200, b"<html>Log in</html>"
    ),
}


@pytest.mark.parametrize("error", NOT_KEPT)
def test_an_answer_of_another_kind_is_not_kept(cli: Cli, serve: Serve, error: str) -> None:
    def second(connection: Connection, request: Asked) -> None:
        (NOT_KEPT[error] if b"second" in request.body else says("new"))(connection, request)

    server = serve(second)
    path = lay(recorded(server.url), recorded(server.url, "second"))
    before = path.read_bytes()
    ran = cli("record", "--direct", "chat")
    assert ran.code == 1
    assert ran.err == (
        f"Request 2 of cassettes/chat.yaml was not recorded again: {error}"
        f"  cassettes/chat.yaml was not changed.\n{FIX}"
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("note", ["unused", "unmatched_bodies"])
def test_a_conversation_that_no_test_checks_is_not_followed(
    cli: Cli, serve: Serve, note: str
) -> None:
    path = Path(".pytest_cache/v/aquila", note)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"cassettes/chat.yaml": []}))
    server = serve(says("Another answer that is long."))
    old = Response(200, STREAM, (Piece(3, sse("An answer that is long.")),))
    lay(recorded(server.url, answer=old), recorded(server.url, "An answer that is long. Why?"))
    ran = cli("record", "--direct", "chat")
    assert ran.code == 1
    assert ran.err == (
        "Request 2 of cassettes/chat.yaml cannot be followed: "
        f"it repeats an answer, and no test would notice a wrong guess.\n{FIX}"
    )
    assert len(server.requests) == 1


def test_a_cassette_that_somebody_else_records_meanwhile_is_not_overwritten(
    cli: Cli, serve: Serve
) -> None:
    def script(connection: Connection, request: Asked) -> None:
        theirs = recorded(server.url, "theirs")
        files.save(path, [theirs], drop=lambda _: True)
        says("new")(connection, request)

    server = serve(script)
    path = lay(recorded(server.url))
    ran = cli("record", "--direct", "chat")
    assert ran.code == 1
    assert ran.err == (
        "cassettes/chat.yaml was not written: another process has recorded into it since.\n"
        "Fix: run the command again\n"
    )
    (one,) = importers.load(path).interactions
    assert one.request.body == body("theirs")


def test_the_new_answer_keeps_whose_it_is_and_what_was_sent(cli: Cli, serve: Serve) -> None:
    server = serve(says("new", " answer"))
    path = lay(recorded(server.url, by=None))
    (old,) = importers.load(path).interactions
    asked = f"POST {server.url}/v1/chat/completions"
    assert cli("record", "--direct", "chat").done == (
        f"✓ chat: {asked}\n"
        "\n"
        "chat\n"
        f"interaction 1: answer changed ({asked})\n"
        " answer     200, OpenAI chat completions\n"
        "-said       old\n"
        "+said       new answer\n"
        " ended      complete\n"
        "\n"
        "NAME  RESULT       CHANGED, OR WHY NOT\n"
        "chat  re-recorded  1 of 1 changed\n"
        "\n"
        "1 cassette re-recorded; 1 changed.\n"
    )
    (new,) = importers.load(path).interactions
    assert (new.request, new.recorded_by) == (old.request, None)
    assert new.recorded_at > old.recorded_at
    assert new.response.body == sse("new", " answer")
    assert [request.body for request in server.requests] == [body("Say it")]
