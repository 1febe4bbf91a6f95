"""The scripted servers of other tests: what fails in them fails the test."""

import httpx
import pytest

from tests.servers import Connection, RawServer, Request


def test_an_error_in_a_script_is_raised_at_exit() -> None:
    def script(connection: Connection, request: Request) -> None:
        raise ValueError(request.path)

    with pytest.raises(ValueError, match=r"^/here$"), RawServer(script) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{server.url}/here")
