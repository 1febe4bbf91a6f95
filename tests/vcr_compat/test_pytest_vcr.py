"""What pytest-vcr documents: its mark, its fixtures, its options."""

import pytest

from tests.servers import RawServer
from tests.vcr_compat.conftest import Suite

ONE = """
@pytest.mark.vcr()
def test_iana():
    assert "/one" in get("/one")
"""


@pytest.mark.parametrize("said_by", ["-p no:vcr", "vcr_suite = pytest-vcr", "--vcr-record=once"])
def test_a_marked_test_is_recorded_and_then_replayed(
    suite: Suite, server: RawServer, said_by: str
) -> None:
    is_ini = said_by.startswith("vcr_suite")
    ini, arguments = (said_by, []) if is_ini else ("", said_by.split())
    suite(ONE, *arguments, ini=ini)
    assert (suite.folder.parent / "test_iana.yaml").is_file()
    suite(ONE, *arguments, ini=ini)
    assert len(server.requests) == 1


def test_the_command_line_chooses_the_mode(suite: Suite, server: RawServer) -> None:
    always = ONE.replace("vcr()", 'vcr(record_mode="all")')
    result = suite(always, "--vcr-record=none", failed=1)
    result.stdout.fnmatch_lines(
        ["E*Fix: pytest -p aquila_cassette.vcr_compat test_it.py::test_iana --vcr-record=all"]
    )
    assert not server.requests
    suite(always, "-p", "no:vcr")
    suite(ONE, "--vcr-record=all")
    assert len(server.requests) == 2
    suite(ONE, "--vcr-record-mode=none")
    assert len(server.requests) == 2
    counts = ONE.replace("test_iana()", "test_iana(vcr_cassette)")
    suite(counts + "    assert vcr_cassette.play_count == 0\n", "--disable-vcr")
    assert len(server.requests) == 3


EVERYTHING = """
import asyncio

def my_matcher(r1, r2):
    return r1.path.lower() == r2.path.lower()

@pytest.fixture(scope="module")
def vcr_config():
    return {"filter_headers": [("authorization", "DUMMY")]}

@pytest.fixture(scope="module")
def vcr_cassette_dir(request):
    return os.path.join(os.path.dirname(__file__), "vhs", request.module.__name__)

@pytest.fixture
def vcr_cassette_name(vcr_cassette_name):
    return vcr_cassette_name.replace("TestIt", "Named")

@pytest.fixture(scope="module")
def vcr(vcr):
    vcr.register_matcher("my_matcher", my_matcher)
    vcr.match_on = ["my_matcher"]
    return vcr

class TestIt:
    @pytest.mark.vcr
    def test_fixtures(self, vcr_cassette):
        get("/a", headers={"authorization": "Bearer abcdefghijk"})
        assert vcr_cassette.requests[0].headers["Authorization"] == "DUMMY"

@pytest.mark.vcr
def test_matcher(vcr, vcr_cassette, pytestconfig):
    assert "vcr.config.VCR" in [f"{one.__module__}.{one.__name__}" for one in type(vcr).__mro__]
    replays = pytestconfig.getoption("--vcr-record") == "none"
    assert "/a" in get("/A" if replays else "/a")
    assert vcr_cassette.play_count == replays

@pytest.mark.vcr("custom/path/iana.yaml")
def test_named():
    get("/b")

def test_block(vcr):
    with vcr.use_cassette("block") as cassette:
        get("/block")
        assert cassette.play_count + len(cassette) in (1, 2)

def test_decorators(vcr):
    @vcr.use_cassette
    def named_after_it():
        return get("/plain")

    @vcr.use_cassette("of_async", inject_cassette=True)
    async def ask(cassette):
        async with httpx.AsyncClient() as client:
            return (await client.get(URL + "/async")).text, len(cassette)

    assert "/plain" in named_after_it()
    text, count = asyncio.run(ask())
    assert "/async" in text and count == 1
"""


def test_fixtures_marks_blocks_and_decorators_open_cassettes(
    suite: Suite, server: RawServer, pytester: pytest.Pytester
) -> None:
    suite(EVERYTHING, "--vcr-record=once")
    folder = pytester.path / "vhs" / "test_it"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml")) == [
        *("Named.test_fixtures.yaml", "block.yaml", "custom/path/iana.yaml"),
        *("named_after_it.yaml", "of_async.yaml", "test_matcher.yaml"),
    ]
    result = suite(None, "--vcr-record=none")
    result.stdout.fnmatch_lines(["aquila: 6 replayed, 0 recorded, 0 missed, 0 unplayed"])
    assert len(server.requests) == 6
