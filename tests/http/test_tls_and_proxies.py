"""TLS and proxies: recorded once, by the request's own URL, and replayed without either."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3

from aquila_cassette import aquila_cassette
from tests.servers import CHAT_FRAMES, Proxy, RawServer, chat, client_context, server_context

OTHERS = requests.certs.where()  # certificates that did not sign that of our server
Ask = Callable[..., Awaitable[list[bytes]]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the certificate of the loopback servers to a file."""
    file = tmp_path_factory.mktemp("tls") / "loopback.pem"
    (found,) = client_context().get_ca_certs(binary_form=True)
    file.write_text(ssl.DER_cert_to_PEM_cert(found))
    return str(file)


async def by_requests(url: str, trusted: str, proxy: str | None) -> list[bytes]:
    with requests.Session() as session:
        options: dict[str, Any] = {"verify": trusted, "proxies": {"http": proxy, "https": proxy}}
        with session.get(url, stream=True, **options) as response:
            return list(response.iter_content(None))


async def by_urllib3(url: str, trusted: str, proxy: str | None) -> list[bytes]:
    options: dict[str, Any] = {"ca_certs": trusted, "retries": False}
    opened = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    with opened as pool:
        return list(pool.request("GET", url, preload_content=False).stream())


async def by_aiohttp(url: str, trusted: str, proxy: str | None) -> list[bytes]:
    context = ssl.create_default_context(cafile=trusted)
    async with aiohttp.ClientSession() as session:
        async with session.get(url, ssl=context, proxy=proxy) as response:
            return [piece async for piece in response.content.iter_any()]


def by_httpx_or(lib: Any) -> Ask:
    async def ask(url: str, trusted: str, proxy: str | None) -> list[bytes]:
        context = ssl.create_default_context(cafile=trusted)
        with lib.Client(verify=context, proxy=proxy) as client:
            with client.stream("GET", url) as response:
                return list(response.iter_raw())

    return ask


ASKS = [by_requests, by_urllib3, by_aiohttp, by_httpx_or(httpx), by_httpx_or(httpx2)]
IDS = ["requests", "urllib3", "aiohttp", "httpx", "httpx2"]
every_library = pytest.mark.parametrize("ask", ASKS, ids=IDS)


@every_library
@pytest.mark.parametrize("is_secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("through", ["a proxy", "no proxy"])
async def test_a_stream_is_kept_by_its_own_url_and_replays_without_a_connection(
    ask: Ask, certificate: str, is_secure: bool, through: str
) -> None:
    with RawServer(chat, tls=server_context() if is_secure else None) as server, Proxy() as proxy:
        address = proxy.url if through == "a proxy" else None
        with aquila_cassette("tls") as cassette:
            assert await ask(server.url, certificate, address) == list(CHAT_FRAMES)
        asked = [one.method for one in proxy.requests]
        assert asked == (["CONNECT" if is_secure else "GET"] if address else [])
    (one,) = cassette.recorded
    assert (one.request.method, one.request.url.rstrip("/")) == ("GET", server.url)
    with aquila_cassette("tls", mode="none"):
        assert await ask(server.url, certificate, address) == list(CHAT_FRAMES)


@every_library
async def test_a_certificate_that_is_not_trusted_fails_alike_on_replay(ask: Ask) -> None:
    with RawServer(chat, tls=server_context()) as server:
        with aquila_cassette("untrusted"), pytest.raises(Exception, match="CERTIFICATE") as live:
            await ask(server.url, OTHERS, None)
    with aquila_cassette("untrusted", mode="none"):
        with pytest.raises(type(live.value), match="CERTIFICATE") as again:
            await ask(server.url, OTHERS, None)
    if isinstance(again.value, aiohttp.ClientConnectorCertificateError):
        assert isinstance(again.value.certificate_error, ssl.SSLCertVerificationError)
