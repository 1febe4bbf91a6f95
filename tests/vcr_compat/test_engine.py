"""What a suite of vcrpy's gets by running on our engine, and what it must not lose."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers import CHAT_FRAMES, GateServer, RawServer

Suite = Callable[..., pytest.RunResult]
Interactions = Callable[[str], Any]

STREAM = """
@pytest.mark.vcr
def test_stream():
    with httpx.stream("GET", URL + "/stream") as response:
        pieces = list(response.iter_raw())
    assert pieces == FRAMES
"""


def _old(url: str, said: str, **response: Any) -> dict[str, Any]:
    """An interaction as stock vcrpy writes it."""
    request = {"method": "GET", "uri": url, "body": None, "headers": {}}
    answer = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["text/plain"]},
        "body": {"string": said},
    }
    return {"request": request, "response": answer | response}


@pytest.fixture
def lay(pytester: pytest.Pytester) -> Callable[..., Path]:
    """Put a cassette where a test of ``test_it.py`` looks for it."""

    def lay(name: str, *interactions: Any) -> Path:
        path = pytester.path / "cassettes" / "test_it" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump({"version": 1, "interactions": list(interactions)}))
        return path

    return lay


def test_streams_are_streams_while_recording_and_on_replay(
    suite: Suite, server: RawServer, interactions_of: Interactions
) -> None:
    source = STREAM.replace("FRAMES", repr(list(CHAT_FRAMES)))
    suite(source, "--record-mode=once").assert_outcomes(passed=1)
    suite(source).assert_outcomes(passed=1)
    assert len(server.requests) == 1
    (only,) = interactions_of("test_stream.yaml")
    assert only["response"]["body"]["string"].encode() == b"".join(CHAT_FRAMES)
    sizes = [int(piece.partition("+")[2]) for piece in only["response"]["aquila"]["pieces"].split()]
    assert sizes == [len(frame) for frame in CHAT_FRAMES]


def test_the_first_event_is_seen_before_the_second_is_sent(suite: Suite) -> None:
    with GateServer(CHAT_FRAMES) as gate:
        source = f"""
@pytest.mark.vcr
def test_gated():
    with httpx.stream("GET", {gate.url!r}) as response:
        for _ in response.iter_raw():
            httpx.post({gate.url + "/seen"!r})
"""
        suite(
            source.replace(
                "mark.vcr",
                "mark.vcr(before_record_request=lambda r: r if r.method == 'GET' else None)",
            ),
            "--record-mode=once",
        ).assert_outcomes(passed=1)
        assert gate.sent == len(CHAT_FRAMES)


def test_a_consumer_that_stops_early_keeps_what_it_read(
    suite: Suite, interactions_of: Interactions
) -> None:
    source = """
@pytest.mark.vcr
def test_stops():
    with httpx.stream("GET", URL + "/stream") as response:
        first = next(response.iter_raw())
    assert first.startswith(b"data:")
"""
    suite(source, "--record-mode=once").assert_outcomes(passed=1)
    assert interactions_of("test_stops.yaml")[0]["response"]["aquila"] == {"ended": "closed"}
    suite(source).assert_outcomes(passed=1)


def test_stock_vcrpy_replays_what_was_recorded(
    suite: Suite, server: RawServer, pytester: pytest.Pytester
) -> None:
    suite(
        """
@pytest.mark.vcr
def test_back():
    get("/one")
    httpx.get(URL + "/stream")
""",
        "--record-mode=once",
    ).assert_outcomes(passed=1)
    path = pytester.path / "cassettes" / "test_it" / "test_back.yaml"
    program = f"""
import httpx, vcr
with vcr.use_cassette({str(path)!r}, record_mode="none") as cassette:
    one = httpx.get({server.url + "/one"!r})
    assert one.json()["path"] == "/one" and one.headers["x-kept"] == "yes"
    assert httpx.get({server.url + "/stream"!r}).content == {b"".join(CHAT_FRAMES)!r}
    assert cassette.all_played
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert len(server.requests) == 2


def test_old_cassettes_are_replayed_unchanged(
    suite: Suite, server: RawServer, lay: Callable[..., Path]
) -> None:
    import gzip

    url = f"{server.url}/one"
    squeezed = {
        "headers": {"Content-Encoding": ["gzip"], "Content-Length": ["99"]},
        "body": {"string": gzip.compress(b"squeezed")},
    }
    lay(
        "test_old",
        _old(url, "first"),
        _old(url, "", **squeezed),
        _old(url, "", headers={"content-encoding": ["gzip"]}, body={"string": "plain by now"}),
        {
            "request": {"method": "GET", "uri": url, "body": "", "headers": {}},
            "response": {"status_code": 201, "headers": {"a": ["b"]}, "content": "old httpx"},
        },
    )
    suite(
        """
@pytest.mark.vcr(match_on=["method", "uri", "body"])
def test_old(vcr):
    assert [get("/one") for _ in range(3)] == ["first", "squeezed", "plain by now"]
    last = httpx.get(URL + "/one")
    assert (last.status_code, last.headers["a"], last.text) == (201, "b", "old httpx")
    assert vcr.all_played
"""
    ).assert_outcomes(passed=1)


def test_an_old_cassette_that_is_added_to_keeps_what_it_held(
    suite: Suite, server: RawServer, lay: Callable[..., Path], interactions_of: Interactions
) -> None:
    old = _old(f"{server.url}/one?api_key=sk-abcdefgh", "the password is swordfish")
    lay("test_add", old)
    source = """
@pytest.mark.vcr
def test_add():
    assert get("/one?api_key=sk-abcdefgh") == "the password is swordfish"
    get("/two")
"""
    suite(source, "--record-mode=new_episodes").assert_outcomes(passed=1)
    first, second = interactions_of("test_add.yaml")
    assert first["request"]["uri"] == old["request"]["uri"]
    assert first["response"]["body"] == old["response"]["body"]
    assert second["request"]["uri"] == f"{server.url}/two"
    suite(source).assert_outcomes(passed=1)


def test_keys_do_not_reach_a_cassette(
    suite: Suite, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-value-that-nobody-may-see")
    source = """
@pytest.mark.vcr(match_on=["method", "uri", "headers", "body"])
def test_keys(vcr):
    headers = {"authorization": "Bearer SECRET1234567", "x-api-key": "SECRET7654321", "x-a": "b"}
    said = {"api_key": "SECRET5555555", "text": os.environ["OPENAI_API_KEY"]}
    assert "nobody-may-see" in post("/keys?key=SECRET6666666", json=said, headers=headers) or played
    assert vcr.requests[0].headers["x-a"] == "b"
"""
    recording = source.replace("or played", "")
    suite(recording, "--record-mode=once").assert_outcomes(passed=1)
    text = (pytester.path / "cassettes" / "test_it" / "test_keys.yaml").read_text()
    assert "SECRET" not in text
    assert "nobody-may-see" not in text
    assert "set-cookie" in text
    assert text.count("[redacted]") >= 5
    replaying = source.replace("or played", "or True")
    suite(replaying).assert_outcomes(passed=1)


def test_rules_of_ours_hold_for_what_is_recorded(
    suite: Suite, interactions_of: Interactions
) -> None:
    source = """
@pytest.fixture(scope="session")
def aquila_config():
    return {"redact": ["tenant"], "match_on": ["path"]}

@pytest.mark.vcr
def test_rules():
    get("/rules?tenant=acme")
"""
    suite(source, "--record-mode=once").assert_outcomes(passed=1)
    assert interactions_of("test_rules.yaml")[0]["request"]["uri"].endswith(
        "/rules?tenant=[redacted]"
    )
    suite(source).assert_outcomes(passed=1)


def test_of_several_that_match_the_one_with_the_same_body_answers(suite: Suite) -> None:
    source = """
@pytest.mark.vcr
def test_two():
    asked = ORDER
    assert [one in post("/ask", json={"ask": one}) for one in asked] == [True, True, True]
"""
    suite(source.replace("ORDER", '["one", "two", "three"]'), "--record-mode=once")
    result = suite(source.replace("ORDER", '["three", "one", "two"]'))
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*another body*")


CHANGED = """
@pytest.mark.vcr
def test_prompt():
    post("/ask", json={"messages": [{"content": PROMPT}]})
"""


def test_another_body_is_answered_as_vcrpy_does_and_told(suite: Suite, server: RawServer) -> None:
    suite(CHANGED.replace("PROMPT", '"Say hello"'), "--record-mode=once")
    result = suite(CHANGED.replace("PROMPT", '"Say hi"'))
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            f"aquila: *::test_prompt got the answer to another body: POST {server.url}/ask",
            "aquila: 1 replayed, 0 recorded, 0 missed, 0 unplayed",
        ]
    )


def test_another_body_is_a_miss_where_that_is_asked_for(suite: Suite) -> None:
    suite(CHANGED.replace("PROMPT", '"Say hello"'), "--record-mode=once")
    suite(None, "--vcr-strict").assert_outcomes(passed=1)
    result = suite(CHANGED.replace("PROMPT", '"Say hi"'), "--vcr-strict")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "aquila: @pytest.mark.vcr is answered as by pytest-recording, strict",
            "E*closest:*recording 1, differs in the body",
            "E*@@ messages.0.content @@",
            "E*-Say hello",
            "E*+Say hi",
            "E*Fix: pytest test_it.py::test_prompt --record-mode=rewrite",
        ]
    )


SWALLOWING = """
def app(path):
    try:
        return get(path)
    except Exception:
        return None

@pytest.mark.vcr
def test_app():
    assert app("/one") is None
    with pytest.raises(CannotOverwrite):
        get("/two")
"""


def test_a_miss_that_was_swallowed_is_told_or_fails(suite: Suite, server: RawServer) -> None:
    result = suite(SWALLOWING)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [f"aquila: test_it.py::test_app swallowed a miss: GET {server.url}/one"]
    )
    result.stdout.no_fnmatch_line("*swallowed*/two")
    strict = suite(SWALLOWING, "--vcr-strict")
    strict.assert_outcomes(failed=1)
    strict.stdout.fnmatch_lines([f"E*No interaction matches GET {server.url}/one (request 1 of*"])


def test_a_damaged_cassette_is_an_error_and_stays(suite: Suite, lay: Callable[..., Path]) -> None:
    path = lay("test_one")
    path.write_text("interactions:\n- request: {method: GET\n")
    source = "@pytest.mark.vcr\ndef test_one(): get('/one')"
    result = suite(source, "--record-mode=new_episodes")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "E*test_one.yaml is no cassette that the suite's serializer reads.",
            "E*Fix: take it back from version control, or remove it and record again",
        ]
    )
    assert path.read_text() == "interactions:\n- request: {method: GET\n"


def test_what_another_process_saved_meanwhile_is_kept(
    suite: Suite, lay: Callable[..., Path], server: RawServer, interactions_of: Interactions
) -> None:
    path = lay("shared", _old(f"{server.url}/zero", "zero"))
    other = json.dumps(
        {
            "version": 1,
            "interactions": [
                _old(f"{server.url}/zero", "zero"),
                _old(f"{server.url}/other", "of another process"),
            ],
        }
    )
    source = f"""
@pytest.mark.default_cassette("shared.yaml")
@pytest.mark.vcr
def test_mine():
    get("/mine")
    open({str(path)!r}, "w").write({other!r})
"""
    suite(
        source.replace("open(", "import pathlib; pathlib.Path(").replace(
            ', "w").write(', ").write_text("
        ),
        "--record-mode=new_episodes",
    ).assert_outcomes(passed=1)
    paths = [one["request"]["uri"].rpartition("/")[2] for one in interactions_of("shared.yaml")]
    assert paths == ["zero", "other", "mine"]


def test_an_answer_that_failed_is_kept_if_the_test_passed(
    suite: Suite, interactions_of: Interactions
) -> None:
    from tests.servers import Connection, Request

    def cut(connection: Connection, request: Request) -> None:
        connection.head(200, {"content-type": "text/event-stream"}, length=None)
        connection.piece(CHAT_FRAMES[0])
        connection.reset()

    with RawServer(cut) as server:
        source = f"""
@pytest.mark.vcr
def test_cut():
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        httpx.get({server.url!r})
"""
        failing = source + "    assert False\n"
        result = suite(failing, "--record-mode=once")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["aquila: not kept in *test_cut.yaml, since the test failed:"])
        suite(source, "--record-mode=once").assert_outcomes(passed=1)
    assert interactions_of("test_cut.yaml")[0]["response"]["aquila"]["ended"] == "failed"
    suite(source).assert_outcomes(passed=1)


def test_what_is_recorded_in_new_episodes_answers_the_next_time_at_once(
    suite: Suite, lay: Callable[..., Path], server: RawServer
) -> None:
    lay("test_next", _old(f"{server.url}/zero", "zero"))
    suite(
        """
@pytest.mark.vcr
def test_next(vcr):
    assert get("/one") == get("/one")
    assert (len(vcr), vcr.play_count) == (2, 1)
""",
        "--record-mode=new_episodes",
    ).assert_outcomes(passed=1)
    assert len(server.requests) == 1


def test_side_traffic_of_sdks_is_no_miss(suite: Suite) -> None:
    suite(
        """
@pytest.mark.vcr
def test_models(vcr):
    url = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
    httpx.get(url)
    assert vcr.play_count == len(vcr) == 0
""",
        "--vcr-strict",
    ).assert_outcomes(passed=1)
