"""What pytest-recording documents: marks, fixtures, modes, options, its hook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]
Conftest = Callable[[str], Path]
Interactions = Callable[[str], Any]

ONE = """
@pytest.mark.vcr
def test_one():
    assert "/one" in get("/one")
"""


def test_a_marked_test_is_recorded_and_then_replayed(
    suite: Suite, server: RawServer, pytester: pytest.Pytester
) -> None:
    suite(ONE, "--record-mode=once").assert_outcomes(passed=1)
    assert (pytester.path / "cassettes" / "test_it" / "test_one.yaml").is_file()
    suite(None).assert_outcomes(passed=1)
    suite(None, "--record-mode=once").assert_outcomes(passed=1)
    assert len(server.requests) == 1


def test_nothing_is_recorded_unless_it_is_asked_for(suite: Suite, server: RawServer) -> None:
    result = suite(ONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"E*VcrMissError: No interaction matches GET {server.url}/one (request 1 of this block).",
            "E*cassette: cassettes/test_it/test_one.yaml (mode none; there is no such file yet)",
            "E*Fix: pytest test_it.py::test_one --record-mode=rewrite",
        ]
    )
    assert not server.requests


def test_modes_mean_what_vcrpy_says(
    suite: Suite, server: RawServer, interactions_of: Interactions
) -> None:
    two = ONE + "    more = os.environ.get('MORE')\n    if more: get(more)\n"
    suite(two, "--record-mode=once").assert_outcomes(passed=1)
    adding = two.replace("os.environ.get('MORE')", "'/two'")
    suite(adding, "--record-mode=once").assert_outcomes(failed=1)
    suite(adding, "--record-mode=none").assert_outcomes(failed=1)
    assert len(server.requests) == 1
    suite(adding, "--record-mode=new_episodes").assert_outcomes(passed=1)
    assert [request.path for request in server.requests] == ["/one", "/two"]
    suite(adding, "--record-mode=any").assert_outcomes(passed=1)
    assert len(server.requests) == 2
    suite(two, "--record-mode=all").assert_outcomes(passed=1)
    assert [one["request"]["uri"] for one in interactions_of("test_one.yaml")] == [
        f"{server.url}/two",
        f"{server.url}/one",
    ]
    assert '"n": 3' in interactions_of("test_one.yaml")[1]["response"]["body"]["string"]


def test_rewrite_begins_a_cassette_again_and_leaves_the_others(
    suite: Suite, server: RawServer, interactions_of: Interactions
) -> None:
    suite("@pytest.mark.vcr\ndef test_extra(): get('/extra')", "--record-mode=once")
    source = """
@pytest.mark.vcr("test_extra.yaml")
def test_one(vcr):
    get("/one")
    assert vcr.record_mode == "new_episodes"
"""
    more = source.replace('    get("/one")', '    get("/one"); get("/two")')
    suite(more, "--record-mode=rewrite").assert_outcomes(passed=1)
    assert len(interactions_of("test_one.yaml")) == 2
    suite(source, "--record-mode=rewrite").assert_outcomes(passed=1)
    assert [one["request"]["uri"] for one in interactions_of("test_one.yaml")] == [
        f"{server.url}/one"
    ]
    assert len(interactions_of("test_extra.yaml")) == 1
    in_config = '@pytest.fixture\ndef vcr_config(): return {"record_mode": "rewrite"}\n'
    asked = len(server.requests)
    suite(in_config + source).assert_outcomes(passed=1)
    assert len(server.requests) == asked + 1


def test_what_is_recorded_again_replaces_the_old_cassette_only_if_the_test_passed(
    suite: Suite, interactions_of: Interactions
) -> None:
    suite(ONE, "--record-mode=once").assert_outcomes(passed=1)
    before = interactions_of("test_one.yaml")
    for mode in ("rewrite", "all"):
        result = suite(ONE + "    assert False", f"--record-mode={mode}")
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [
                (
                    "aquila: cassettes/test_it/test_one.yaml was not changed, "
                    "since test_it.py::test_one failed"
                )
            ]
        )
        assert interactions_of("test_one.yaml") == before
        passed = suite(ONE, f"--record-mode={mode}")
        passed.assert_outcomes(passed=1)
        passed.stdout.no_fnmatch_line("*was not changed*")
        before = interactions_of("test_one.yaml")


def test_other_cassettes_are_read_and_only_the_default_one_is_written(
    suite: Suite, server: RawServer, pytester: pytest.Pytester, interactions_of: Interactions
) -> None:
    suite(
        "@pytest.mark.vcr\ndef test_a(): get('/a')\n@pytest.mark.vcr\ndef test_b(): get('/b')",
        "--record-mode=once",
    ).assert_outcomes(passed=2)
    absolute = pytester.path / "cassettes" / "test_it" / "test_b.yaml"
    source = f"""
@pytest.mark.vcr("test_a.yaml", {str(absolute)!r})
def test_all(vcr):
    get("/a"), get("/b"), get("/own")
    assert vcr.play_count == PLAYED
"""
    first = source.replace("PLAYED", "2")
    suite(first, "--record-mode=new_episodes").assert_outcomes(passed=1)
    assert [request.path for request in server.requests] == ["/a", "/b", "/own"]
    assert [one["request"]["uri"] for one in interactions_of("test_all.yaml")] == [
        f"{server.url}/own"
    ]
    suite(source.replace("PLAYED", "3")).assert_outcomes(passed=1)
    assert len(server.requests) == 3


def test_the_default_cassette_can_be_named(suite: Suite, pytester: pytest.Pytester) -> None:
    suite(
        """
@pytest.mark.default_cassette("example.yaml")
@pytest.mark.vcr
def test_a(): get("/a")

class TestIt:
    @pytest.mark.vcr
    @pytest.mark.parametrize("what", ["a/b", "c?"])
    def test_b(self, what): get("/b")

@pytest.fixture
def default_cassette_name(request):
    if request.node.name == "test_c": return "renamed"
    return request.getfixturevalue("plain_name")

@pytest.fixture
def plain_name(request):
    from aquila_cassette.vcr_compat import pytest_recording
    return pytest_recording.default_cassette_name.__wrapped__(request)

@pytest.mark.vcr
def test_c(): get("/c")

@pytest.mark.vcr
@pytest.mark.parametrize("x", [1], ids=["y" * 300])
def test_long(x): get("/long")
""",
        "--record-mode=once",
    ).assert_outcomes(passed=5)
    names = sorted(path.name for path in (pytester.path / "cassettes" / "test_it").iterdir())
    assert names[:4] == [
        "TestIt.test_b[a-b].yaml",
        "TestIt.test_b[c-].yaml",
        "example.yaml",
        "renamed.yaml",
    ]
    assert len(names[4]) == 255


def test_the_fixture_vcr_tells_of_the_cassette(suite: Suite, pytester: pytest.Pytester) -> None:
    source = """
def test_unmarked(vcr):
    assert vcr is None

@pytest.mark.vcr
def test_call_count(vcr):
    import vcr.cassette as stock
    assert isinstance(vcr, stock.Cassette) if False else True
    get("/get"), get("/ip")
    if os.environ["RECORDS"] == "1":
        assert (len(vcr), vcr.play_count, vcr.dirty) == (2, 0, True)
        return
    assert vcr.play_count == 2
    assert vcr.all_played
    assert dict(vcr.play_counts) == {0: 1, 1: 1}
    assert [request.uri for request in vcr.requests] == [URL + "/get", URL + "/ip"]
    assert [response["status"]["code"] for response in vcr.responses] == [200, 200]
    assert vcr.requests[0].method == "GET"
    assert b"/ip" in vcr.responses[1]["body"]["string"]
    assert b"/ip" in vcr.responses_of(vcr.requests[1])[0]["body"]["string"]
    assert vcr.record_mode == "none"
    assert vcr.write_protected
    assert vcr.path.endswith("test_call_count.yaml")
    assert str(vcr) == "<Cassette containing 2 recorded response(s)>"
    vcr.rewind()
    assert vcr.play_count == 0
    assert "/get" in get("/get")
    assert not vcr.all_played
"""
    source = source.replace(
        "    import vcr.cassette as stock\n    assert isinstance(vcr, stock.Cassette) "
        "if False else True\n",
        '    assert "vcr.cassette.Cassette" in map(full_name, type(vcr).__mro__)\n',
    )
    head = 'def full_name(cls): return f"{cls.__module__}.{cls.__qualname__}"\n'
    record = pytest.MonkeyPatch()
    record.setenv("RECORDS", "1")
    suite(head + source, "--record-mode=once").assert_outcomes(passed=2)
    record.setenv("RECORDS", "0")
    suite(None).assert_outcomes(passed=2)
    record.undo()


def test_marks_of_module_class_and_test_add_up_over_the_suites_config(suite: Suite) -> None:
    suite(
        """
pytestmark = [pytest.mark.vcr(ignore_localhost=True, record_mode="once")]

@pytest.fixture(scope="module")
def vcr_config():
    return {"filter_headers": ["authorization"], "match_on": ["uri"]}

def test_passes_by(vcr):
    assert "/one" in get("/one")
    assert len(vcr) == 0

@pytest.mark.vcr(ignore_localhost=False)
class TestIt:
    def test_class(self, vcr):
        get("/one", headers={"authorization": "secret", "x-a": "b"})
        assert "authorization" not in vcr.requests[0].headers
        assert vcr.requests[0].headers["X-A"] == "b"

    @pytest.mark.vcr(filter_headers=[], before_record_request=lambda request: None)
    def test_test(self, vcr):
        get("/one")
        assert len(vcr) == 0
"""
    ).assert_outcomes(passed=3)


@pytest.mark.parametrize("scope", ["session", "function"])
def test_the_suites_config_may_have_any_scope(
    suite: Suite, conftest: Conftest, scope: str, interactions_of: Interactions
) -> None:
    conftest(
        f"@pytest.fixture(scope={scope!r})\n"
        'def vcr_config(): return {"record_mode": "once", "filter_query_parameters": ["key"]}\n'
    )
    suite(ONE.replace('get("/one")', 'get("/one?key=1&a=2")')).assert_outcomes(passed=1)
    assert interactions_of("test_one.yaml")[0]["request"]["uri"].endswith("/one?a=2")


def test_filters_take_names_replacements_and_functions(
    suite: Suite, interactions_of: Interactions
) -> None:
    source = """
@pytest.fixture
def vcr_config():
    return {
        "filter_headers": ["x-gone", ("authorization", "DUMMY"), ("x-made", made)],
        "filter_query_parameters": ["gone", ("api_key", "DUMMY")],
        "filter_post_data_parameters": ["gone", ("password", "DUMMY"), ("id", made)],
        "record_mode": "once",
    }

def made(key, value, request):
    return None if value == "no" else f"{key} of {request.method}"

@pytest.mark.vcr
def test_it():
    headers = {"x-gone": "1", "authorization": "Bearer abcdefghijkl", "x-made": "1"}
    body = {"gone": 1, "password": "p", "id": 1}
    post("/it?gone=1&api_key=sk-12345&a=1", json=body, headers=headers)
    post("/it?a=1", data={"gone": "1", "password": "p", "a": "b"}, headers={"x-made": "no"})
"""
    suite(source).assert_outcomes(passed=1)
    first, second = (one["request"] for one in interactions_of("test_it.yaml"))
    assert "x-gone" not in first["headers"]
    assert "x-made" not in second["headers"]
    assert first["headers"]["authorization"] == ["DUMMY"]
    assert first["headers"]["x-made"] == ["x-made of POST"]
    assert first["uri"].partition("?")[2] == "a=1&api_key=DUMMY"
    assert first["body"] == '{"password": "DUMMY", "id": "id of POST"}'
    assert second["body"] == "password=DUMMY&a=b"
    suite(None, "--record-mode=none").assert_outcomes(passed=1)


def test_hooks_see_and_change_requests_and_responses(
    suite: Suite, server: RawServer, interactions_of: Interactions
) -> None:
    source = """
def request_hook(request):
    if request.path == "/never": return None
    request.uri = request.uri.replace("/secret", "/hidden")
    return request

def response_hook(response):
    assert response["status"] == {"code": 200, "message": "OK"}
    assert response["headers"]["Content-Type"] == ["application/json"]
    response["headers"].pop("Set-Cookie", None)
    if b"drop" in response["body"]["string"]: return None
    response["body"]["string"] = response["body"]["string"].replace(b"/secret", b"/hidden")
    return response

@pytest.mark.vcr(before_record_request=request_hook, before_record_response=[response_hook])
def test_it(vcr):
    assert "/never" in get("/never")
    assert WANTED in get("/secret")
    if WANTED == "/secret": get("/drop")
"""
    suite(source.replace("WANTED", '"/secret"'), "--record-mode=once").assert_outcomes(passed=1)
    (only,) = interactions_of("test_it.yaml")
    assert only["request"]["uri"] == f"{server.url}/hidden"
    assert "set-cookie" not in only["response"]["headers"]
    suite(source.replace("WANTED", '"/hidden"')).assert_outcomes(passed=1)
    assert [request.path for request in server.requests].count("/secret") == 1


def test_the_hook_registers_a_matcher(suite: Suite, conftest: Conftest) -> None:
    conftest(
        """
def jurassic_matcher(r1, r2):
    assert r1.uri == r2.uri and b"JURASSIC PARK" in r1.body, "no JURASSIC PARK in it"

def anything(r1, r2):
    return r1.method == r2.method

def pytest_recording_configure(config, vcr):
    vcr.register_matcher("jurassic", jurassic_matcher)
    vcr.register_matcher("anything", anything)
"""
    )
    source = """
@pytest.mark.vcr(match_on=["jurassic"])
def test_one():
    post("/one", content="SAID")

@pytest.mark.vcr(match_on=["anything"])
def test_two():
    assert "/PATH" in get("/PATH")
"""
    first = source.replace("SAID", "JURASSIC PARK").replace("PATH", "two")
    suite(first, "--record-mode=once").assert_outcomes(passed=2)
    suite(first).assert_outcomes(passed=2)
    result = suite(source.replace("SAID", "STAR WARS").replace('get("/PATH")', '"/PATH"'))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["E*closest:*recording 1, differs in the jurassic matcher", "E*no JURASSIC PARK in it*"]
    )
    elsewhere = source.replace("SAID", "JURASSIC PARK").replace(
        'assert "/PATH" in get("/PATH")', 'assert "/two" in get("/elsewhere")'
    )
    suite(elsewhere).assert_outcomes(passed=2)


def test_the_hook_registers_a_serializer(
    suite: Suite, conftest: Conftest, pytester: pytest.Pytester, server: RawServer
) -> None:
    conftest(
        """
import json

class Lines:
    @staticmethod
    def serialize(cassette):
        assert cassette["version"] == 1
        return "\\n".join(json.dumps(one) for one in cassette["interactions"])

    @staticmethod
    def deserialize(text):
        return {"interactions": [json.loads(line) for line in text.splitlines()]}

def pytest_recording_configure(config, vcr):
    vcr.register_serializer("lines", Lines)
"""
    )
    source = ONE.replace("mark.vcr", 'mark.vcr(serializer="lines")')
    suite(source, "--record-mode=once").assert_outcomes(passed=1)
    path = pytester.path / "cassettes" / "test_it" / "test_one.lines"
    assert path.read_text().startswith('{"request": {"method": "GET"')
    suite(None).assert_outcomes(passed=1)
    assert len(server.requests) == 1


def test_the_hook_registers_a_persister(
    suite: Suite, conftest: Conftest, pytester: pytest.Pytester, server: RawServer
) -> None:
    conftest(
        """
import pickle, pathlib
from vcr.persisters.filesystem import CassetteNotFoundError

STORE = pathlib.Path(__file__).parent / "store"

class Store:
    @classmethod
    def load_cassette(cls, cassette_path, serializer):
        if not STORE.exists(): raise CassetteNotFoundError
        kept = pickle.loads(STORE.read_bytes())
        return kept["requests"], kept["responses"]

    @staticmethod
    def save_cassette(cassette_path, cassette_dict, serializer):
        assert serializer.__name__ == "vcr.serializers.yamlserializer"
        STORE.write_bytes(pickle.dumps(cassette_dict))

def pytest_recording_configure(config, vcr):
    vcr.register_persister(Store)
"""
    )
    suite(ONE, "--record-mode=once").assert_outcomes(passed=1)
    assert (pytester.path / "store").is_file()
    assert not (pytester.path / "cassettes").exists()
    suite(None).assert_outcomes(passed=1)
    assert len(server.requests) == 1
    suite(None, "--record-mode=rewrite").assert_outcomes(passed=1)
    assert len(server.requests) == 2


def test_a_cassette_can_be_played_again_and_again(suite: Suite, server: RawServer) -> None:
    source = "@pytest.mark.vcr{}\ndef test_a():\n    get('/a')\n{}"
    suite(source.format("", ""), "--record-mode=once").assert_outcomes(passed=1)
    result = suite(source.format("", "    get('/a')"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "E*closest:*recording 1, the same request, already played "
                "(allow_playback_repeats=True plays it again)"
            )
        ]
    )
    suite(source.format("(allow_playback_repeats=True)", "    get('/a')")).assert_outcomes(passed=1)
    assert len(server.requests) == 1


def test_a_miss_is_the_error_that_vcrpy_raises(suite: Suite) -> None:
    suite(ONE, "--record-mode=once").assert_outcomes(passed=1)
    suite(
        """
@pytest.mark.vcr
def test_one(vcr):
    with pytest.raises(CannotOverwrite, match="No interaction matches GET") as caught:
        get("/two")
    assert caught.value.cassette is vcr
    assert caught.value.failed_request.path == "/two"
    assert caught.value.similar_requests[0][2] == [("path", "/two != /one")]
    assert caught.value.reason == "no_match"
    from aquila_cassette import MissError
    assert isinstance(caught.value, MissError)
"""
    ).assert_outcomes(passed=1)
