"""What a suite of vcrpy's gets by running on our engine, and what it must not lose."""

import gzip
import json
import subprocess
import sys

import pytest

from tests.servers import CHAT_FRAMES, Connection, RawServer, Request
from tests.vcr_compat.conftest import Suite

STREAM = f"""
@pytest.mark.vcr
def test_stream():
    with httpx.stream("GET", URL + "/stream") as response:
        assert list(response.iter_raw()) == {list(CHAT_FRAMES)!r}

@pytest.mark.vcr
def test_stops():
    with httpx.stream("GET", URL + "/stream") as response:
        first = next(response.iter_raw())
    assert first.startswith(b"data:")
"""


def test_streams_come_in_pieces_and_stock_vcrpy_replays_them(
    suite: Suite, server: RawServer
) -> None:
    suite(STREAM, "--record-mode=once")
    suite(STREAM)
    (whole,), (stopped,) = map(suite.interactions, ("test_stream.yaml", "test_stops.yaml"))
    assert whole["response"]["body"]["string"].encode() == b"".join(CHAT_FRAMES)
    sizes = [
        int(piece.partition("+")[2]) for piece in whole["response"]["aquila"]["pieces"].split()
    ]
    assert sizes == [len(frame) for frame in CHAT_FRAMES]
    assert stopped["response"]["aquila"] == {"ended": "closed"}
    program = f"""
import httpx, vcr
with vcr.use_cassette({str(suite.folder / "test_stream.yaml")!r}, record_mode="none") as cassette:
    response = httpx.get({server.url + "/stream"!r})
    assert response.content == {b"".join(CHAT_FRAMES)!r}
    assert response.headers["content-type"] == "text/event-stream"
    assert cassette.all_played
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    assert len(server.requests) == 2


def test_old_cassettes_are_replayed_and_added_to(suite: Suite, server: RawServer) -> None:
    first = suite.old("/one?api_key=sk-abcdefgh", "the password is swordfish")
    packed = {"headers": {"Content-Encoding": ["gzip"]}, "body": {"string": gzip.compress(b"two")}}
    httpx = {"status_code": 201, "headers": {"a": ["b"]}, "content": "old httpx"}
    request = {"method": "GET", "uri": f"{suite.url}/one", "body": "", "headers": {}}
    old = [first, suite.old("/one", "", **packed), {"request": request, "response": httpx}]
    suite.lay("test_old.yaml", *old)
    source = """
@pytest.mark.vcr(match_on=["method", "uri", "body"])
def test_old(vcr, record_mode):
    assert get("/one?api_key=sk-abcdefgh") == "the password is swordfish"
    assert get("/one") == "two"
    last = httpx.get(URL + "/one")
    assert (last.status_code, last.headers["a"], last.text) == (201, "b", "old httpx")
    if record_mode != "none":
        assert get("/new") == get("/new")
"""
    suite(source)
    suite(source, "--record-mode=new_episodes")
    assert suite.interactions("test_old.yaml")[0] == first
    assert suite.paths("test_old.yaml")[2:] == ["/one", "/new"]
    assert len(server.requests) == 1


def test_secrets_do_not_reach_a_cassette(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-value-that-nobody-may-see")
    source = """
@pytest.fixture(scope="session")
def aquila_config():
    return {"redact": ["tenant"], "match_on": ["path"]}

@pytest.mark.vcr(match_on=["method", "uri", "headers", "body"])
def test_keys(vcr, record_mode):
    headers = {"authorization": "Bearer SECRET1234567", "x-api-key": "SECRET7654321", "x-a": "b"}
    said = {"api_key": "SECRET5555555", "text": os.environ["OPENAI_API_KEY"]}
    answer = post("/keys?key=SECRET6666666&tenant=SECRET", json=said, headers=headers)
    assert ("nobody-may-see" in answer) == (record_mode == "once")
    assert vcr.requests[0].headers["x-a"] == "b"
"""
    suite(source, "--record-mode=once")
    text = (suite.folder / "test_keys.yaml").read_text()
    assert "SECRET" not in text
    assert "nobody-may-see" not in text
    assert "set-cookie" in text
    assert suite.paths("test_keys.yaml") == ["/keys?key=[redacted]&tenant=[redacted]"]
    suite(source)


CHANGED = """
@pytest.mark.vcr
def test_prompt():
    for prompt in PROMPTS:
        assert prompt in post("/ask", json={"messages": [{"content": prompt}]}) or True
"""


def test_the_same_body_answers_and_another_is_noted_or_a_miss(
    suite: Suite, server: RawServer
) -> None:
    recorded = CHANGED.replace("PROMPTS", '["Say hello", "two", "three"]')
    suite(recorded, "--record-mode=once")
    in_order = recorded.replace('["Say hello", "two", "three"]', '["three", "Say hello", "two"]')
    result = suite(in_order.replace(" or True", ""), "--vcr-strict")
    result.stdout.no_fnmatch_line("*another body*")
    other = recorded.replace("Say hello", "Say hi")
    suite(other).stdout.fnmatch_lines(
        [
            f"aquila: *::test_prompt got the answer to another body: POST {server.url}/ask",
            "aquila: 3 replayed, 0 recorded, 0 missed, 0 unplayed",
        ]
    )
    suite(other, "--vcr-strict", failed=1).stdout.fnmatch_lines(
        [
            "E*closest:*recording 1, differs in the body",
            "E*@@ messages.0.content @@",
            "E*-Say hello",
            "E*+Say hi",
            "E*Fix: pytest -p aquila_cassette.vcr_compat test_it.py::test_prompt --record-mode=rewrite",
        ]
    )


def test_a_miss_that_was_swallowed_is_noted_or_fails(suite: Suite, server: RawServer) -> None:
    url = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
    source = f"""
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

@pytest.mark.vcr
def test_ambient(vcr):
    httpx.get({url!r})
    assert vcr.play_count == len(vcr) == 0
"""
    result = suite(source)
    result.stdout.fnmatch_lines(
        [f"aquila: test_it.py::test_app swallowed a miss: GET {server.url}/one"]
    )
    result.stdout.no_fnmatch_line("*swallowed*/two")
    strict = suite(source, "--vcr-strict", failed=1, passed=1)
    strict.stdout.fnmatch_lines([f"E*No interaction matches GET {server.url}/one (request 1 of*"])


def test_an_sdk_wraps_a_miss_as_it_wraps_that_of_vcrpy(suite: Suite) -> None:
    suite("""
@pytest.mark.vcr
def test_models():
    import anthropic
    with pytest.raises(anthropic.APIConnectionError) as caught:
        anthropic.Anthropic(base_url=URL, api_key="sk-1", max_retries=0).models.list()
    assert isinstance(caught.value.__cause__, CannotOverwrite)
""")


def test_a_damaged_cassette_is_an_error_and_stays(suite: Suite) -> None:
    path = suite.lay("test_one.yaml")
    path.write_text("interactions:\n- request: {method: GET\n")
    source = "@pytest.mark.vcr\ndef test_one(): get('/one')"
    suite(source, "--record-mode=new_episodes", errors=1).stdout.fnmatch_lines(
        [
            "E*test_one.yaml is no cassette that the suite's serializer reads.",
            "E*Fix: take it back from version control, or remove it and record again",
        ]
    )
    assert path.read_text() == "interactions:\n- request: {method: GET\n"


def test_what_another_process_saved_meanwhile_is_kept(suite: Suite) -> None:
    zero, other = suite.old("/zero", "zero"), suite.old("/other", "of another process")
    path = suite.lay("shared.yaml", zero)
    both = json.dumps({"version": 1, "interactions": [zero, other]})
    source = f"""
@pytest.mark.default_cassette("shared.yaml")
@pytest.mark.vcr
def test_mine():
    import pathlib
    get("/mine")
    pathlib.Path({str(path)!r}).write_text({both!r})
"""
    suite(source, "--record-mode=new_episodes")
    assert suite.paths("shared.yaml") == ["/zero", "/other", "/mine"]


def test_an_answer_that_failed_is_kept_if_the_test_passed(suite: Suite) -> None:
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
        result = suite(source + "    assert False\n", "--record-mode=once", failed=1)
        result.stdout.fnmatch_lines(
            ["aquila: not kept in *test_cut.yaml, since the test or block failed:"]
        )
        suite(source, "--record-mode=once")
    assert suite.interactions("test_cut.yaml")[0]["response"]["aquila"]["ended"] == "failed"
    suite(source)


def test_the_order_is_that_of_vcrpy_unless_requests_may_overlap(suite: Suite) -> None:
    old, new = (
        {**one, "request": {**one["request"], "method": "POST", "body": said}}
        for said, one in (("old", suite.old("/", "first")), ("new", suite.old("/", "second")))
    )
    suite.lay("grown.yaml", old, new)
    suite("""
import asyncio, threading
pytestmark = [pytest.mark.vcr, pytest.mark.default_cassette("grown.yaml")]

async def send(*bodies):
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(*(client.post(URL + "/", content=one) for one in bodies))
    return [answer.text for answer in answers]

async def in_turn(*bodies):
    async with httpx.AsyncClient() as client:
        return [(await client.post(URL + "/", content=one)).text for one in bodies]

def test_grown():
    assert post("/", content="new") == "first"

def test_one_task():
    assert asyncio.run(in_turn("new", "old")) == ["first", "second"]

def test_tasks():
    assert asyncio.run(send("new", "old")) == ["second", "first"]

def test_thread():
    got = []
    thread = threading.Thread(target=lambda: got.append(post("/", content="new")))
    thread.start()
    thread.join()
    assert got == ["second"]

def test_streams():
    with httpx.stream("POST", URL + "/", content="old") as one, httpx.stream("POST", URL + "/", content="new") as two:
        assert (two.read(), one.read()) == (b"second", b"first")
""")


def test_headers_match_as_vcrpy_sees_them(suite: Suite) -> None:
    """Whichever library sends them: below vcrpy, libraries add some of their own."""
    sent = {
        "X-A": ["b"],
        "Authorization": [b"Bearer 1"],
        "User-Agent": ["x"],
        "Accept-Encoding": ["a"],
    }
    one = suite.old("/", "hi")
    suite.lay("seen.yaml", {**one, "request": {**one["request"], "headers": sent}})
    suite(
        """
import asyncio, http.client, urllib.request, aiohttp, requests, urllib3
from urllib.parse import urlsplit
HEADERS = {"X-A": "b", "Authorization": "Bearer 1", "User-Agent": "x"}
pytestmark = [
    pytest.mark.default_cassette("seen.yaml"),
    pytest.mark.vcr(match_on=["method", "uri", "body", "headers"]),
]

async def aio():
    async with aiohttp.ClientSession() as session, session.get(URL + "/", headers=HEADERS) as got:
        return await got.text()

def raw():
    connection = http.client.HTTPConnection(urlsplit(URL).netloc)
    connection.request("GET", "/", headers=HEADERS)
    return connection.getresponse().read().decode()

@pytest.mark.parametrize("ask", [
    raw,
    lambda: asyncio.run(aio()),
    lambda: requests.get(URL + "/", headers=HEADERS).text,
    lambda: urllib3.request("GET", URL + "/", headers=HEADERS).data.decode(),
    lambda: urllib.request.urlopen(urllib.request.Request(URL + "/", headers=HEADERS)).read().decode(),
    lambda: get("/", headers=HEADERS),
])
def test_seen(ask):
    assert ask() == "hi"

@pytest.mark.parametrize("headers", [{**HEADERS, "X-A": "c"}, {**HEADERS, "X-B": "b"}, {"X-A": "b"}])
def test_other(headers):
    with pytest.raises(CannotOverwrite, match="closest:  recording 1, differs in headers"):
        requests.get(URL + "/", headers=headers)
""",
        passed=9,
    )
