"""Blocking the network, as pytest-recording documents it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]

REFUSED = "pytest.raises(RuntimeError, match=r\"^Network is disabled for host '127.0.0.1'$\")"


def test_a_marked_test_reaches_nothing_but_allowed_hosts(suite: Suite, server: RawServer) -> None:
    suite(
        f"""
import socket
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

@pytest.mark.block_network
def test_unix():
    with socket.socket(socket.AF_UNIX) as one, pytest.raises(RuntimeError, match="'/no/such'"):
        one.connect("/no/such")

@pytest.mark.block_network(allowed_hosts=["127.0.*", "elsewhere"])
def test_allowed():
    assert "/one" in get("/one")

@pytest.mark.block_network(allowed_hosts=["localhost"])
def test_allowed_by_name():
    port = URL.rpartition(":")[2]
    assert "/two" in httpx.get(f"http://localhost:{{port}}/two").text

@pytest.mark.block_network(allowed_hosts=["example.*"])
def test_others():
    with {REFUSED}:
        get("/one")

def test_free():
    assert "/three" in get("/three")
"""
    ).assert_outcomes(passed=7)
    assert [request.path for request in server.requests] == ["/one", "/two", "/three"]


def test_all_tests_can_be_blocked_but_those_that_record(suite: Suite, server: RawServer) -> None:
    source = f"""
@pytest.mark.vcr
def test_marked():
    assert "/one" in get("/one")

def test_unmarked():
    with {REFUSED}:
        get("/two")
"""
    suite(source, "--record-mode=once", "--block-network").assert_outcomes(passed=2)
    suite(source, "--block-network").assert_outcomes(passed=2)
    assert len(server.requests) == 1


def test_what_is_replayed_needs_no_network_and_what_passes_by_has_none(suite: Suite) -> None:
    source = f"""
@pytest.mark.block_network
@pytest.mark.vcr(before_record_request=lambda request: None)
def test_marked():
    with {REFUSED}:
        get("/one")
"""
    suite(source).assert_outcomes(passed=1)
    recording = source.replace("mark.vcr(", 'mark.vcr(record_mode="once", ').replace(
        f"with {REFUSED}:", "if True:"
    )
    suite(recording).assert_outcomes(passed=1)
    suite(source, "--record-mode=none").assert_outcomes(passed=1)


def test_hosts_are_allowed_on_the_command_line_and_in_the_config(suite: Suite) -> None:
    source = "def test_one(): assert '/one' in get('/one')\n"
    allowed = "--allowed-hosts=example.com,127.0.0.*"
    suite(source, "--block-network", allowed).assert_outcomes(passed=1)
    config = "@pytest.fixture\ndef vcr_config(): return {'allowed_hosts': ['127.0.0.*']}\n"
    suite(config + source, "--block-network").assert_outcomes(passed=1)


def test_pycurl_is_refused_too(suite: Suite, pytester: pytest.Pytester) -> None:
    (pytester.path / "pycurl.py").write_text(
        "URL = 10002\n"
        "class Curl:\n"
        "    def setopt(self, option, value): pass\n"
        "    def perform(self): return 'performed'\n"
    )
    suite(
        """
import pycurl

def perform(url):
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    return curl.perform()

@pytest.mark.block_network(allowed_hosts=["allowed.*"])
def test_blocked():
    assert perform(b"https://allowed.example/a") == "performed"
    with pytest.raises(RuntimeError, match="Network is disabled for host 'other.example'"):
        perform("https://other.example/a")

def test_free():
    assert perform("https://other.example/a") == "performed"
"""
    ).assert_outcomes(passed=2)
