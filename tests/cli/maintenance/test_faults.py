"""Each kind of fault, planted in a cassette that is as it should be."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aquila_cassette.cli.maintenance.finding import KINDS
from aquila_cassette.cli.maintenance.inspection import Known
from aquila_cassette.model import Failure, Headers, Interaction, Piece, Response
from aquila_cassette.redaction import Redaction
from tests.cli.maintenance.tapes import EVENTS, JSON, NOW, PIECES, chat, check, lay, text

KEY = "sk-ant-api03-abcdefghijklmnop"
GOOD = text()
NOT_KEPT = "is not kept when recording"
LINES: Headers = (("content-type", "application/x-ndjson"),)
PNG: Headers = (("content-type", "image/png"),)
FINISHED = (
    PIECES[0],
    Piece(
        320,
        b'data: {"object":"chat.completion.chunk","choices":[{"delta":{},"finish_reason":"stop"}]}'
        b"\n\n",
    ),
    PIECES[1],
)
MESSAGE = (
    Piece(300, b'event: message_start\ndata: {"type":"message_start","message":{}}\n\n'),
    Piece(310, b'event: message_stop\ndata: {"type":"message_stop"}\n\n'),
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(content: str | bytes, *, known: Known | None = None) -> list[tuple[int, str, str]]:
    """Check one file; give its findings by line, kind and words."""
    folder = Path("cassettes")
    lay(folder / "chat.yaml", content)
    return [(one.line, one.kind, one.what) for one in check(folder, known)]


def test_a_tape_as_it_is_recorded_has_no_fault() -> None:
    assert found(GOOD) == []


def in_the_request(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


FAULTS: dict[str, tuple[str | bytes, list[tuple[int, str, str]]]] = {
    "empty": (b"", [(1, "empty", "the file is empty")]),
    "only a comment": (b"# nothing\n", [(1, "empty", "the file is empty")]),
    "no interactions": (
        "version: 1\ninteractions: []\n",
        [(2, "empty", "it has no interactions, so every request misses")],
    ),
    "binary": (
        b"version: 1\n\xff\x00",
        [(2, "binary", "the byte 0xff is no UTF-8")],
    ),
    "zeros": (
        b"version: 1\n" + bytes(9),
        [(2, "binary", "the character U+0000 stands here as it is, which a cassette may not have")],
    ),
    "UTF-16": (
        "version: 1\n".encode("utf-16"),
        [(1, "binary", "the file is UTF-16, and a cassette is UTF-8")],
    ),
    "truncated": (
        GOOD[: GOOD.index("    ended:")],
        [(24, "truncated", "the file ends in the middle of an interaction")],
    ),
    "newer": (
        in_the_request("version: 1", "version: 2"),
        [(1, "newer", "the cassette has version 2, and this aquila-cassette reads 1")],
    ),
    "a key twice": (
        in_the_request("    method: POST", "    method: POST\n    method: POST"),
        [(8, "duplicate-key", "the key 'method' is here a second time; it is on line 7")],
    ),
    "an anchor": (
        in_the_request("method: POST", "method: &m POST"),
        [(7, "anchor", "&m is an anchor or alias, which a cassette may not use")],
    ),
    "a merge key": (
        in_the_request("method: POST", "method: POST\n    <<: {url: x}"),
        [(8, "anchor", "a merge key stands here, and a cassette may use none")],
    ),
    "a tag": (
        in_the_request("method: POST", "method: !!str POST"),
        [(7, "tag", "the tag tag:yaml.org,2002:str stands here, and a cassette may use none")],
    ),
    "a misspelt field": (
        in_the_request("method: POST", "methd: POST"),
        [(7, "format", "a request has no field 'methd'")],
    ),
    "a key in the query": (
        in_the_request("completions\n", "completions?key=abc\n"),
        [(8, "secret", "query field 'key' in the request's URL")],
    ),
    "a user in the URL": (
        in_the_request("https://", "https://me:pass@"),
        [(8, "secret", "a user, password or fragment in the request's URL")],
    ),
    "a key in a header": (
        in_the_request("{content-type: application/json}", "{x-api-key: abc}"),
        [(9, "secret", "the header 'x-api-key' in the request's headers")],
    ),
    "a key in the value of a header": (
        in_the_request("{content-type: application/json}", f"{{accept: {KEY}}}"),
        [(9, "secret", "a key (sk-...) in the request's headers")],
    ),
    "a field of JSON": (
        in_the_request("stream: true", "api_key: abc"),
        [(12, "secret", "the field 'api_key' in the request's body")],
    ),
    "a field of JSON deep within": (
        text(chat(sent=b'{"tools":[{"n":1},{"auth":{"list":[{"password":1234},["x"]]}}]}')),
        [(15, "secret", "the field 'password' in the request's body")],
    ),
    "a value in JSON": (
        in_the_request("content: Hi", f"content: {KEY}"),
        [(14, "secret", "a key (sk-...) in the request's body")],
    ),
    "a form": (
        text(
            replace(
                chat(),
                request=replace(
                    chat().request,
                    headers=(("content-type", "application/x-www-form-urlencoded"),),
                    body=b"grant=x&password=abc",
                ),
            )
        ),
        [(10, "secret", "form field 'password' in the request's body")],
    ),
    "a key in the third event": (
        text(
            chat(
                pieces=(
                    PIECES[0],
                    Piece(310, f'data: {{"say":"{KEY}"}}\n\n'.encode()),
                    PIECES[1],
                )
            )
        ),
        [(21, "secret", "a key (sk-...) in the response's body")],
    ),
    "a key in the error": (
        text(
            replace(
                chat(),
                response=Response(None, ended="failed", error=Failure("X", f"no: {KEY}")),
            )
        ),
        [(17, "secret", "a key (sk-...) in the response's error")],
    ),
    "a key in a comment": (
        in_the_request("version: 1\n", f"version: 1\n# it was {KEY}\n"),
        [(2, "secret", "a key (sk-...) in a comment")],
    ),
    "a key in a test's name": (
        text(chat(recorded_by=f"tests/test_chat.py::test_reply[{KEY}]")),
        [(5, "secret", "a key (sk-...) in recorded_by")],
    ),
    "a damaged file with a key": (
        in_the_request("method: POST", f"methd: {KEY}"),
        [
            (7, "format", "a request has no field 'methd'"),
            (7, "secret", "a key (sk-...), in a damaged file"),
        ],
    ),
    "a header that is not kept": (
        in_the_request(
            "{content-type: text/event-stream}", "{content-type: text/event-stream, date: today}"
        ),
        [(17, "header", "the header 'date' of the response is not kept when recording")],
    ),
    "a copy": (
        text(chat(), chat()),
        [(26, "duplicate", "interaction 2 is interaction 1 once more, to the millisecond")],
    ),
    "twice the same, by two tests": (
        text(
            chat(),
            chat(recorded_at="2026-11-21T10:30:00Z", recorded_by="tests/test_chat.py::test_b"),
        ),
        [(26, "duplicate", "interaction 2 is interaction 1 once more, by another test")],
    ),
    "a longer body": (
        in_the_request('"Hi"}}]}\n', '"Hi there"}}]}\n'),
        [(24, "pieces", "pieces add up to 95 bytes, and the body has 101")],
    ),
    "a longer number of pieces": (
        in_the_request("pieces: 300+81", "pieces: 300+1 310+81"),
        [(24, "pieces", "pieces add up to 96 bytes, and the body has 95")],
    ),
    "time that runs backwards": (
        in_the_request("330+14", "299+14"),
        [(24, "pieces", "pieces run backwards in time")],
    ),
    "a body before the headers": (
        in_the_request("headers_after: 290", "headers_after: 301"),
        [(24, "pieces", "the first piece came after 300 ms, and the headers after 301 ms")],
    ),
    "complete, but cut off": (
        text(chat(pieces=PIECES[:1])),
        [(23, "ended", "it is complete, and the stream has no data: [DONE]")],
    ),
    "complete, with another word at its end": (
        text(chat(pieces=FINISHED)).replace("[DONE]", "[DUNE]"),
        [(27, "ended", "it is complete, and the stream ends in data that is no JSON, not [DONE]")],
    ),
    "complete, a message that did not stop": (
        text(chat(pieces=MESSAGE[:1])),
        [(24, "ended", "it is complete, and the stream has no event: message_stop")],
    ),
    "closed, but whole": (
        in_the_request("ended: complete", "ended: closed"),
        [(25, "ended", "it is closed, and the stream came to its end")],
    ),
    "failed, but whole": (
        in_the_request("ended: complete", 'ended: failed\n    error: {type: X, message: "no"}'),
        [(25, "ended", "it is failed, and the stream came to its end")],
    ),
    "complete, with an error": (
        in_the_request("ended: complete", 'ended: complete\n    error: {type: X, message: "no"}'),
        [(25, "ended", "it is complete, and an error stands beside it")],
    ),
    "complete, without a status": (
        in_the_request("    status: 200\n", ""),
        [(24, "ended", "it is complete, and has no status: no response began")],
    ),
    "no status, but a body": (
        in_the_request("    status: 200\n", "").replace("ended: complete", "ended: closed"),
        [(24, "ended", "it has no status, and yet headers or a body")],
    ),
    "a wrong content-length": (
        in_the_request(
            "{content-type: text/event-stream}",
            '{content-type: text/event-stream, content-length: "12"}',
        ),
        [
            (
                17,
                "header",
                "the header 'content-length' of the response is not kept when recording",
            ),
            (17, "length", "content-length of the response is '12', and the body has 95 bytes"),
        ],
    ),
    "a body where none can be": (
        in_the_request("status: 200", "status: 204"),
        [(18, "length", "the answer has a body of 95 bytes, and one with status 204 has none")],
    ),
    "a body of an answer that only tells of one": (
        in_the_request("method: POST", "method: HEAD"),
        [(18, "length", "the answer has a body of 95 bytes, and one to HEAD has none")],
    ),
    "a body before the answer": (
        in_the_request("status: 200", "status: 103"),
        [(18, "length", "the answer has a body of 95 bytes, and one with status 103 has none")],
    ),
    "a header of one connection": (
        in_the_request("event-stream}", "event-stream, transfer-encoding: chunked}"),
        [(17, "header", f"the header 'transfer-encoding' of the response {NOT_KEPT}")],
    ),
    "a length, of a stream that was not read to its end": (
        text(chat(pieces=PIECES[:1]))
        .replace("event-stream}", 'event-stream, content-length: "95"}')
        .replace("ended: complete", "ended: closed"),
        [(17, "header", f"the header 'content-length' of the response {NOT_KEPT}")],
    ),
    "no JSON": (
        text(chat(sent=b'{"model":')),
        [(9, "type", "the request says that it is JSON, and its body is not")],
    ),
    "an answer that is no JSON": (
        text(replace(chat(), response=Response(200, JSON, (Piece(1, b'{"a": 1'),)))),
        [(17, "type", "the response says that it is JSON, and its body is not")],
    ),
    "an answer that is no event stream": (
        text(replace(chat(), response=Response(200, EVENTS, (Piece(1, b"<p>Hi</p>\n"),)))),
        [(17, "type", "the response says that it is an event stream, and its body is not")],
    ),
    "an event stream whose type is JSON": (
        in_the_request("{content-type: text/event-stream}", "{content-type: application/json}"),
        [(17, "type", "the body of the response is kept as sse, and its content-type is another")],
    ),
    "an event stream of no type": (
        in_the_request("    headers: {content-type: text/event-stream}\n", ""),
        [(17, "type", "the body of the response is kept as sse, and it has no content-type")],
    ),
    "an event stream that was sent": (
        text(chat(sent=b"data: 1\n\n")).replace("    text: |+", "    sse: |+"),
        [
            (9, "type", "the request says that it is JSON, and its body is not"),
            (9, "type", "the body of the request is kept as sse, and its content-type is another"),
        ],
    ),
    "comments of a stream that should be JSON": (
        text(replace(chat(), response=Response(200, JSON, (Piece(1, b": Hi\n\n"),)))),
        [(17, "type", "the response says that it is JSON, and its body is not")],
    ),
    "bytes that should be JSON": (
        text(replace(chat(), response=Response(200, JSON, (Piece(1, b"\x89PNG\xff"),)))),
        [(17, "type", "the response says that it is JSON, and its body is not")],
    ),
    "lines that should be JSON": (
        text(replace(chat(), response=Response(200, LINES, (Piece(1, b'{"a":1}\n{"b"\n'),)))),
        [(17, "type", "the response says that it is lines of JSON, and its body is not")],
    ),
    "lines of which one is no JSON": (
        text(replace(chat(), response=Response(200, JSON, (Piece(1, b'{"a":1}\n{"b"\n'),)))),
        [(17, "type", "the response says that it is JSON, and its body is not")],
    ),
    "a method in lower case": (
        in_the_request("method: POST", "method: post"),
        [(7, "request", "the method 'post' is not in upper case, so it never matches")],
    ),
    "a method that is no word": (
        in_the_request("method: POST", "method: P OST"),
        [(7, "request", "the method 'P OST' is no token of HTTP, so it never matches")],
    ),
    "a scheme that is none": (
        in_the_request("https://api", "htp://api"),
        [(8, "request", "the URL's scheme is 'htp', not http or https, so it never matches")],
    ),
    "JSON said to be a picture": (
        text(replace(chat(), response=Response(200, PNG, (Piece(1, b'{"a": 1}'),)))),
        [(17, "type", "the response says that it is image/png, and its body is JSON")],
    ),
    "a URL without a host": (
        in_the_request("https://api.example.com", ""),
        [(8, "request", "the URL is not absolute, so it never matches")],
    ),
    "no time": (
        in_the_request('"2026-11-20T10:30:00Z"', "yesterday"),
        [(4, "date", "recorded_at is no time")],
    ),
    "a time to come": (
        in_the_request("2026-11-20T10:30:00Z", "2999-01-01T00:00:00Z"),
        [(4, "date", "recorded_at lies in the future: 2999-01-01")],
    ),
    "a time two days ahead": (
        in_the_request("2026-11-20T10:30:00Z", "2026-11-23T00:00:01Z"),
        [(4, "date", "recorded_at lies in the future: 2026-11-23")],
    ),
    "a time before all times": (
        in_the_request("2026-11-20T10:30:00Z", "0001-01-01T00:00:00+14:00"),
        [(4, "date", "recorded_at is no time")],
    ),
    "another layout": (
        in_the_request("    method: POST\n", '    method: "POST"\n'),
        [(4, "layout", "it is laid out otherwise than it would be written today")],
    ),
    "another style of a body": (
        in_the_request("    sse: |+\n", "    text: |+\n"),
        [(4, "layout", "it is laid out otherwise than it would be written today")],
    ),
    "fields in another order": (
        in_the_request("    status: 200\n", "").replace(
            "ended: complete", "ended: complete\n    status: 200"
        ),
        [(4, "layout", "it is laid out otherwise than it would be written today")],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(fault: str) -> None:
    content, expected = FAULTS[fault]
    assert found(content) == expected


def test_a_value_of_the_environment_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "correct-horse")
    assert found(in_the_request("content: Hi", "content: correct-horse")) == [
        (14, "secret", "the value of ACME_TOKEN in the request's body")
    ]


def test_what_the_user_names_is_found_and_what_he_allows_is_not() -> None:
    known = Known(Path("cassettes"), NOW, Redaction(names=["model"], keep_headers=["date"]))
    content = in_the_request(
        "{content-type: text/event-stream}", "{content-type: text/event-stream, date: today}"
    )
    assert found(content, known=known) == [
        (11, "secret", "the field 'model' in the request's body")
    ]


def test_age_counts_from_the_oldest_interaction() -> None:
    content = text(chat(), chat(sent=b"{}", recorded_at="2026-10-01T00:00:00Z"))
    known = Known(Path("cassettes"), NOW, longest=timedelta(days=52))
    assert found(content, known=known) == []
    known = Known(Path("cassettes"), NOW, longest=timedelta(days=51))
    expected = [(26, "old", "interaction 2 was recorded on 2026-10-01, 52 days ago")]
    assert found(content, known=known) == expected


def test_a_tape_that_does_not_say_when_it_was_recorded_is_not_old() -> None:
    known = Known(Path("cassettes"), NOW, longest=timedelta(0))
    assert found(text(chat(recorded_at="")), known=known) == []


def test_files_that_lie_wrong_are_found() -> None:
    folder = Path("cassettes")
    for name in ("con.yaml", "a:b.yaml", "Chat.yaml", "chat.yaml", "twin.yaml", "twin.yml"):
        lay(folder / name, GOOD)
    lay(folder / "sub" / ".aquila-0123-ff.tmp", "half")
    (folder / "lost.yaml").symlink_to("nowhere.yaml")
    (folder / "folder.yaml").mkdir()
    assert [(one.path.name, one.kind, one.what) for one in check(folder)] == [
        ("a:b.yaml", "name", "it has the character ':'"),
        ("chat.yaml", "case", "its name is that of cassettes/Chat.yaml where case does not count"),
        ("con.yaml", "name", "its part 'con.yaml' is a device on Windows"),
        ("lost.yaml", "unreadable", "it is a link that leads nowhere"),
        (".aquila-0123-ff.tmp", "leftover", "a temporary file of a save that was killed"),
        ("twin.yml", "name", "the name without its suffix means cassettes/twin.yaml"),
    ]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_found() -> None:
    lay("cassettes/chat.yaml", GOOD).chmod(0)
    (one,) = check(Path("cassettes"))
    assert (one.kind, one.what) == ("unreadable", "cannot be read: permission denied")


def test_a_fifo_is_not_waited_for() -> None:
    Path("cassettes").mkdir()
    os.mkfifo("cassettes/chat.yaml")
    assert check(Path("cassettes")) == []


QUIET: dict[str, Callable[[], Interaction]] = {
    "a HEAD": lambda: replace(
        chat(),
        request=replace(chat().request, method="HEAD", body=b"", headers=()),
        response=Response(200, JSON),
    ),
    "an error page instead of JSON": lambda: replace(
        chat(), response=Response(502, JSON, (Piece(1, b"<h1>Bad gateway</h1>"),))
    ),
    "an error of JSON instead of a stream": lambda: replace(
        chat(), response=Response(200, EVENTS, (Piece(1, b'{"error":{"code":429}}'),))
    ),
    "a stream without its last blank line": lambda: chat(
        pieces=(PIECES[0], Piece(330, b"data: [DONE]"))
    ),
    "a call that was cancelled": lambda: replace(chat(), response=Response(None, ended="closed")),
    "a refused connection": lambda: replace(
        chat(), response=Response(None, ended="failed", error=Failure("ConnectError", "refused"))
    ),
    "a reader that stopped": lambda: replace(
        chat(), response=Response(200, EVENTS, PIECES[:1], ended="closed")
    ),
    "a body sent compressed": lambda: chat(sent=b"\x1f\x8b\x08\x00\xff"),
    "a server that streams and says that it is JSON": lambda: replace(
        chat(), response=Response(200, JSON, PIECES)
    ),
    "lines of JSON said to be JSON": lambda: replace(
        chat(), response=Response(200, JSON, (Piece(1, b'{"a":1}\n{"b":2}\n'),))
    ),
    "JSON in another encoding": lambda: replace(
        chat(), response=Response(200, JSON, (Piece(1, '{"a":"é"}'.encode("latin-1")),))
    ),
    "JSON instead of lines of it": lambda: replace(
        chat(), response=Response(200, LINES, (Piece(1, b'{\n "a": 1\n}'),))
    ),
    "a server that never says that it is done": lambda: chat(pieces=FINISHED[:2]),
    "a message that stopped": lambda: chat(pieces=MESSAGE),
    "a clock that is a little ahead": lambda: chat(recorded_at="2026-11-22T23:59:59Z"),
    "an answer without a body": lambda: replace(chat(), response=Response(204, ())),
    "JSON cut short": lambda: replace(
        chat(), response=Response(200, JSON, (Piece(1, b'{"a'),), ended="closed")
    ),
}


@pytest.mark.parametrize(
    "kind",
    [
        "", "text/plain", "text/html; charset=utf-8", "text/json", "text/javascript",
        "application/problem+json", "application/x-ndjson", "application/x-amz-json-1.1",
        "application/octet-stream", "application/vnd.own", "application/javascript",
    ],
)  # fmt: skip
def test_json_may_come_under_any_type_that_servers_give_it(kind: str) -> None:
    headers: Headers = (("content-type", kind),) if kind else ()
    answer = Response(200, headers, (Piece(1, b'{"a": 1}'),))
    assert found(text(replace(chat(), response=answer))) == []


@pytest.mark.parametrize("what", QUIET)
def test_what_can_be_recorded_is_no_fault(what: str) -> None:
    assert found(text(QUIET[what]())) == []


def test_a_test_that_asks_twice_needs_both_answers_and_so_does_one_that_tries_again() -> None:
    later = replace(chat(), recorded_at="2026-11-20T10:30:01Z")
    slower = chat(pieces=(PIECES[0], Piece(331, PIECES[1].data)))
    assert found(text(chat(), later, slower)) == []
    refused = replace(chat(), response=Response(429, JSON, (Piece(2, b"{}"),)))
    cut = Response(None, ended="failed", error=Failure("ConnectError", "refused"))
    assert found(text(refused, refused, *[replace(chat(), response=cut)] * 2)) == []


def test_two_questions_and_two_answers_are_no_duplicate() -> None:
    other: Headers = (*JSON, ("retry-after", "1"))
    asked_again = replace(chat(), response=Response(429, other, (Piece(1, b"{}"),)))
    assert found(text(asked_again, chat(), chat(sent=b'{"model":"n"}'))) == []


def test_git_on_windows_changes_line_ends_and_nothing_is_said_of_it() -> None:
    assert found(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()) == []


def test_notes_of_a_person_are_no_fault() -> None:
    noted = GOOD.replace("interactions:\n", "interactions:  # two\n\n# about the first\n")
    noted = noted.replace("    url:", "    # where\n    url:").replace("|+\n", "|+  # the body\n")
    assert noted.count("#") == 4
    assert found(noted) == []


def test_every_kind_of_fault_is_planted_here_or_among_the_owners() -> None:
    planted = {kind for _, expected in FAULTS.values() for _, kind, _ in expected}
    elsewhere = {"unreadable", "old", "name", "case", "leftover", "orphan", "gone"}
    assert planted | elsewhere == set(KINDS)
