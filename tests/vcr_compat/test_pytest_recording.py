"""What pytest-recording documents: marks, fixtures, modes, options, its hook; and vcrpy's options."""

from tests.servers import RawServer
from tests.vcr_compat.conftest import Suite

ONE = """
@pytest.mark.vcr
def test_one():
    assert "/one" in get("/one")
"""

EVERYTHING = """
import aquila_cassette

pytestmark = [pytest.mark.vcr]

@pytest.fixture(scope="module")
def vcr_config():
    return {
        "filter_headers": ["x-gone", ("authorization", "DUMMY")],
        "filter_query_parameters": ["gone", ("api_key", "DUMMY")],
        "filter_post_data_parameters": ["gone", ("password", "DUMMY")],
    }

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.fixture
def recording(record_mode):
    return record_mode == "once"

def test_filters():
    headers = {"x-gone": "1", "authorization": "Bearer abcdefghijkl"}
    body = {"gone": 1, "password": "p", "id": 1}
    post("/it?gone=1&api_key=sk-12345&a=1", json=body, headers=headers)

def request_hook(request):
    if request.path == "/never": return None
    request.uri = request.uri.replace("/secret", "/hidden")
    return request

def response_hook(response):
    assert response["status"] == {"code": 200, "message": "Scripted"}
    assert response["headers"]["Content-Type"] == ["application/json"]
    response["headers"].pop("Set-Cookie", None)
    if b"drop" in response["body"]["string"]: return None
    response["body"]["string"] = response["body"]["string"].replace(b"/secret", b"/hidden")
    return response

@pytest.mark.vcr(before_record_request=request_hook, before_record_response=[response_hook])
def test_hooks(recording):
    assert ("/secret" if recording else "/hidden") in get("/secret")
    if recording: get("/drop"), get("/never")

@pytest.mark.vcr(ignore_localhost=True)
class TestMarks:
    def test_class(self, vcr):
        get("/ignored")
        assert len(vcr) == 0

    @pytest.mark.vcr(ignore_localhost=False, filter_headers=[])
    @pytest.mark.parametrize("what", ["a/b?"])
    def test_nearest(self, vcr, what):
        get("/a", headers={"x-gone": "kept"})
        assert vcr.requests[0].headers["X-Gone"] == "kept"

@pytest.mark.vcr(filter_sensitive_data={"<WHO>": "somebody"})
def test_sensitive():
    assert "somebody" in get("/somebody")

@pytest.mark.vcr(serializer="json")
def test_json():
    assert "/json" in get("/json")

@pytest.mark.anyio
async def test_async(vcr, recording):
    async with httpx.AsyncClient() as client:
        assert "/async" in (await client.get(URL + "/async")).text
    assert (len(vcr), vcr.play_count) == (1, 0 if recording else 1)

@pytest.mark.default_cassette("example.yaml")
def test_named():
    get("/a")

@pytest.mark.parametrize("x", [1], ids=["y" * 300])
def test_long(x):
    get("/long")

def test_fixture(vcr, recording):
    assert "vcr.cassette.Cassette" in [f"{c.__module__}.{c.__name__}" for c in type(vcr).__mro__]
    get("/get"), get("/ip")
    if recording:
        assert (len(vcr), vcr.play_count, vcr.dirty) == (2, 0, True)
        return
    assert vcr.play_count == 2 and vcr.all_played
    assert dict(vcr.play_counts) == {0: 1, 1: 1}
    assert [request.uri for request in vcr.requests] == [URL + "/get", URL + "/ip"]
    assert b"/ip" in vcr.responses_of(vcr.requests[1])[0]["body"]["string"]
    vcr.rewind()
    assert "/get" in get("/get")
    assert not vcr.all_played
    with pytest.raises(CannotOverwrite, match="No interaction matches GET") as caught:
        get("/two")
    assert isinstance(caught.value, aquila_cassette.MissError)
    assert caught.value.cassette is vcr
    assert caught.value.similar_requests[0][2] == [("path", "/two != /get")]
"""


def test_a_suite_is_recorded_and_replayed_with_every_option(
    suite: Suite, server: RawServer
) -> None:
    suite(EVERYTHING, "--record-mode=once")
    (first,) = (one["request"] for one in suite.interactions("test_filters.yaml"))
    assert "x-gone" not in first["headers"]
    assert first["headers"]["authorization"] == ["DUMMY"]
    assert first["uri"].partition("?")[2] == "a=1&api_key=DUMMY"
    assert '"password": "DUMMY"' in first["body"]
    (hooked,) = suite.interactions("test_hooks.yaml")
    assert suite.paths("test_hooks.yaml") == ["/hidden"]
    assert "set-cookie" not in hooked["response"]["headers"]
    assert suite.paths("test_sensitive.yaml") == ["/<WHO>"]
    assert "somebody" not in str(suite.interactions("test_sensitive.yaml"))
    assert (suite.folder / "test_json.json").read_text().startswith('{\n    "version": 1')
    names = sorted(path.name for path in suite.folder.iterdir())
    assert len(names.pop(-2)) == 255
    assert names == [
        *("TestMarks.test_nearest[a-b-].yaml", "example.yaml", "test_async.yaml"),
        *("test_filters.yaml", "test_fixture.yaml", "test_hooks.yaml", "test_json.json"),
        *("test_sensitive.yaml",),
    ]
    asked = len(server.requests)
    suite(None)
    assert {request.path for request in server.requests[asked:]} == {"/ignored"}


def test_nothing_is_recorded_unless_it_is_asked_for(suite: Suite, server: RawServer) -> None:
    result = suite(ONE + "\ndef test_unmarked(vcr): assert vcr is None\n", failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            f"E*VcrMissError: No interaction matches GET {server.url}/one (request 1 of this block).",
            "E*cassette: cassettes/test_it/test_one.yaml (mode none; there is no such file yet)",
            "E*Fix: pytest -p aquila_cassette.vcr_compat test_it.py::test_one --record-mode=rewrite",
        ]
    )
    assert not server.requests
    suite(ONE + "@pytest.mark.vcr\ndef test_two(vcr): assert vcr is None\n", "--disable-recording")
    assert len(server.requests) == 1
    assert not suite.folder.exists()


def test_modes_mean_what_vcrpy_says(suite: Suite, server: RawServer) -> None:
    def asked(source: str, mode: str, **outcomes: int) -> list[str]:
        before = len(server.requests)
        suite(source, f"--record-mode={mode}", **outcomes)
        return [request.path for request in server.requests[before:]]

    two = f"{ONE}    get('/two')\n"
    assert asked(ONE, "once") == ["/one"]
    assert asked(two, "once", failed=1) == []
    assert asked(two, "none", failed=1) == []
    assert asked(two, "new_episodes") == ["/two"]
    assert asked(two, "any") == []
    assert asked(ONE, "all") == ["/one"]
    assert suite.paths("test_one.yaml") == ["/two", "/one"]
    assert '"n": 3' in suite.interactions("test_one.yaml")[1]["response"]["body"]["string"]


def test_rewrite_begins_a_cassette_again_and_leaves_the_others(
    suite: Suite, server: RawServer
) -> None:
    suite("@pytest.mark.vcr\ndef test_extra(): get('/extra')", "--record-mode=once")
    source = """
@pytest.mark.vcr("test_extra.yaml")
def test_one(vcr):
    get("/one")
    assert vcr.record_mode == "new_episodes"
"""
    suite(source + "    get('/two')\n", "--record-mode=rewrite")
    assert suite.paths("test_one.yaml") == ["/one", "/two"]
    suite.conftest("@pytest.fixture\ndef vcr_config(): return {'record_mode': 'rewrite'}\n")
    suite(source)
    assert suite.paths("test_one.yaml") == ["/one"]
    assert suite.paths("test_extra.yaml") == ["/extra"]
    assert len(server.requests) == 4


def test_what_is_recorded_again_replaces_the_old_cassette_only_if_the_test_passed(
    suite: Suite,
) -> None:
    suite(ONE, "--record-mode=once")
    before = suite.interactions("test_one.yaml")
    for mode in ("rewrite", "all"):
        result = suite(ONE + "    assert False", f"--record-mode={mode}", failed=1)
        note = "cassettes/test_it/test_one.yaml was not changed, since test_it.py::test_one failed"
        result.stdout.fnmatch_lines([f"aquila: {note}"])
        assert suite.interactions("test_one.yaml") == before
        suite(ONE, f"--record-mode={mode}").stdout.no_fnmatch_line("*was not changed*")
        after = suite.interactions("test_one.yaml")
        assert after != before
        before = after


def test_options_decide_what_a_cassette_keeps(suite: Suite) -> None:
    failing = ONE + "    get('/two')\n    assert False"
    once = "--record-mode=once"
    suite(failing.replace(".vcr", ".vcr(record_on_exception=False)"), once, failed=1)
    assert not suite.folder.exists()
    suite(failing, once, failed=1)
    assert suite.paths("test_one.yaml") == ["/one", "/two"]
    suite(ONE.replace(".vcr", ".vcr(drop_unused_requests=True)"), once)
    assert suite.paths("test_one.yaml") == ["/one"]
    again = ONE + "    get('/one')\n"
    again_text = "already played (allow_playback_repeats=True plays it again)"
    suite(again, failed=1).stdout.fnmatch_lines(
        [f"E*closest:*recording 1, the same request, {again_text}"]
    )
    suite(again.replace(".vcr", ".vcr(allow_playback_repeats=True)"))


def test_other_cassettes_are_read_and_only_the_default_one_is_written(
    suite: Suite, server: RawServer
) -> None:
    a, b = suite.lay("a.yaml", suite.old("/a", "A")), suite.lay("b.yaml", suite.old("/b", "B"))
    source = f"""
@pytest.mark.vcr("a.yaml", {str(b)!r})
def test_all(vcr):
    assert get("/a") + get("/b") == "AB" and "/own" in get("/own")
    assert vcr.play_count == (2 if vcr.record_mode == "new_episodes" else 3)
"""
    before = a.read_text(), b.read_text()
    suite(source, "--record-mode=new_episodes")
    assert suite.paths("test_all.yaml") == ["/own"]
    suite(source)
    assert len(server.requests) == 1
    assert (a.read_text(), b.read_text()) == before


CONFIGURE = """
import json, pathlib, pickle
from vcr.persisters.filesystem import CassetteNotFoundError

STORE = pathlib.Path(__file__).parent / "store"

def jurassic(r1, r2):
    assert b"JURASSIC PARK" in r1.body, "no JURASSIC PARK in it"

class Lines:
    @staticmethod
    def serialize(cassette):
        return "\\n".join(json.dumps(one) for one in cassette["interactions"])

    @staticmethod
    def deserialize(text):
        return {"interactions": [json.loads(line) for line in text.splitlines()]}

class Store:
    @staticmethod
    def load_cassette(cassette_path, serializer):
        if not STORE.exists(): raise CassetteNotFoundError
        kept = pickle.loads(STORE.read_bytes())
        return kept["requests"], kept["responses"]

    @staticmethod
    def save_cassette(cassette_path, cassette_dict, serializer):
        STORE.write_bytes(pickle.dumps(cassette_dict))

def pytest_recording_configure(config, vcr):
    vcr.register_matcher("jurassic", jurassic)
    vcr.register_serializer("lines", Lines)
    if config.getoption("-k") == "one": vcr.register_persister(Store)
"""


def test_the_hook_registers_a_matcher_a_serializer_and_a_persister(
    suite: Suite, server: RawServer
) -> None:
    suite.conftest(CONFIGURE)
    source = """
@pytest.mark.vcr(match_on=["method", "jurassic"], serializer="lines")
def test_park():
    post("/park", content="JURASSIC PARK")
"""
    suite(source, "--record-mode=once")
    assert (suite.folder / "test_park.lines").read_text().startswith('{"request": {"method": "POST')
    suite(source.replace("JURASSIC PARK", "STAR WARS"), failed=1).stdout.fnmatch_lines(
        ["E*closest:*recording 1, differs in jurassic", "E*no JURASSIC PARK in it*"]
    )
    assert len(server.requests) == 1
    for mode, asked in (("once", 2), ("none", 2), ("rewrite", 3)):
        suite(ONE, "-k", "one", f"--record-mode={mode}")
        assert len(server.requests) == asked
    assert not (suite.folder / "test_one.yaml").exists()
