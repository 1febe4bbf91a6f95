"""Blocking the network, as pytest-recording documents it."""

from tests.servers import RawServer
from tests.vcr_compat.conftest import Suite

REFUSED = "pytest.raises(RuntimeError, match=r\"^Network is disabled for host '127.0.0.1'$\")"


def test_a_marked_test_reaches_nothing_but_allowed_hosts(suite: Suite, server: RawServer) -> None:
    suite(
        f"""
import asyncio

@pytest.mark.block_network
def test_blocked():
    with {REFUSED}:
        get("/one")

@pytest.mark.block_network
def test_async():
    port = int(URL.rpartition(":")[2])
    with {REFUSED}:
        asyncio.run(asyncio.open_connection("127.0.0.1", port))

@pytest.mark.block_network(allowed_hosts=["127.0.*", "elsewhere"])
def test_allowed():
    assert "/one" in get("/one")

@pytest.mark.block_network(allowed_hosts=["localhost"])
def test_allowed_by_name():
    assert "/two" in httpx.get(URL.replace("127.0.0.1", "localhost") + "/two").text

def test_free():
    assert "/three" in get("/three")
"""
    )
    assert [request.path for request in server.requests] == ["/one", "/two", "/three"]


def test_all_tests_can_be_blocked_but_those_that_record(suite: Suite, server: RawServer) -> None:
    source = f"""
@pytest.mark.vcr
def test_marked():
    assert "/one" in get("/one")

@pytest.mark.vcr(before_record_request=lambda request: None, record_mode="none")
def test_passes_by():
    with {REFUSED}:
        get("/one")

def test_unmarked():
    with {REFUSED}:
        get("/two")
"""
    suite(source, "--record-mode=once", "--block-network", "-k", "_marked", passed=1, deselected=2)
    suite(source, "--block-network")
    assert len(server.requests) == 1
    free = "def test_one(): assert '/one' in get('/one')\n"
    suite(free, "--block-network", "--allowed-hosts=example.com,127.0.0.*")
    config = "@pytest.fixture\ndef vcr_config(): return {'allowed_hosts': ['127.0.0.*']}\n"
    suite(config + free, "--block-network")
