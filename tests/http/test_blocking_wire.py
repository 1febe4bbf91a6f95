"""TLS and proxies under requests, urllib3 and urllib, and what certificates are said to be."""

from __future__ import annotations

import ssl
import urllib.request
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import urllib3

from aquila_cassette import aquila_cassette
from tests.servers import (
    CHAT_FRAMES,
    Proxy,
    RawServer,
    chat,
    client_context,
    server_context,
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the certificate of the loopback servers to a file, for requests."""
    file = tmp_path_factory.mktemp("tls") / "loopback.pem"
    (found,) = client_context().get_ca_certs(binary_form=True)
    file.write_text(ssl.DER_cert_to_PEM_cert(found))
    return str(file)


def by_requests(url: str, certificate: str, proxy: str = "") -> list[bytes]:
    with requests.Session() as session:
        proxies = {"http": proxy, "https": proxy} if proxy else None
        with session.get(url, stream=True, verify=certificate, proxies=proxies) as response:
            return list(response.iter_content(None))


def by_urllib3(url: str, certificate: str, proxy: str = "") -> list[bytes]:
    with (
        urllib3.ProxyManager(proxy, ca_certs=certificate)
        if proxy
        else urllib3.PoolManager(ca_certs=certificate) as pool
    ):
        return list(pool.request("GET", url, preload_content=False).stream())


def by_urllib(url: str, certificate: str, proxy: str = "") -> list[bytes]:
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=certificate)),
        urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}),
    ]
    with urllib.request.build_opener(*handlers).open(url) as response:
        return list(iter(response.read1, b""))


Ask = Callable[..., list[bytes]]
every_library = pytest.mark.parametrize("ask", [by_requests, by_urllib3, by_urllib])


@every_library
def test_a_stream_over_tls_replays_piece_by_piece_without_a_connection(
    ask: Ask, certificate: str
) -> None:
    with RawServer(chat, tls=server_context()) as server:
        url = server.url
        with aquila_cassette("tls") as cassette:
            live = ask(url, certificate)
        assert cassette.recorded[0].request.url.rstrip("/") == url
        assert url.startswith("https://")
    assert live == list(CHAT_FRAMES)
    with aquila_cassette("tls", mode="none"):
        assert ask(url, certificate) == live


@every_library
@pytest.mark.parametrize("secure", [False, True], ids=["forwarded", "tunnelled"])
def test_a_request_through_a_proxy_is_kept_by_its_own_url(
    ask: Ask, certificate: str, *, secure: bool
) -> None:
    with RawServer(chat, tls=server_context() if secure else None) as server, Proxy() as proxy:
        url = server.url
        with aquila_cassette("proxied") as cassette:
            live = ask(url, certificate, proxy.url)
        assert proxy.connections == 1
        assert cassette.recorded[0].request.url.rstrip("/") == url
        address = proxy.url
    assert live == list(CHAT_FRAMES)
    with aquila_cassette("proxied", mode="none"):
        assert ask(url, certificate, address) == live
        assert cassette.recorded[0].response.ended == "complete"


@every_library
def test_a_certificate_that_is_not_trusted_fails_alike_on_replay(ask: Ask) -> None:
    other = str(Path(requests.certs.where()))
    with RawServer(chat, tls=server_context()) as server:
        url = server.url
        with aquila_cassette("untrusted"), pytest.raises(Exception, match="CERTIFICATE") as live:
            ask(url, other)
        server.errors.clear()
    with aquila_cassette("untrusted", mode="none"):
        with pytest.raises(type(live.value), match="CERTIFICATE"):
            ask(url, other)


def test_urllib3_warns_of_a_certificate_nobody_verified_on_replay_as_it_did() -> None:
    def warned() -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            requests.get(url, verify=False)
        return [one.category.__name__ for one in caught]

    with RawServer(chat, tls=server_context()) as server:
        url = server.url
        with aquila_cassette("unverified"):
            assert warned() == ["InsecureRequestWarning"]
    with aquila_cassette("unverified", mode="none"):
        assert warned() == ["InsecureRequestWarning"]
