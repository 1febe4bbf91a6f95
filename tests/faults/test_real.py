"""Each fault equals the real thing on a socket: the same bytes, and the same class of exception."""

from collections.abc import Callable

import pytest

from aquila_cassette import aquila_cassette, faults
from aquila_cassette.faults import Fault
from tests.clients import Library, every_library
from tests.http.cassettes import JSON, recorded
from tests.servers import CHAT_FRAMES, Connection, RawServer, Request, Script, sends

# What tornado has read when the connection breaks is a matter of time.
every = every_library(lambda library: str(library) != "tornado")
CHAT = b"".join(CHAT_FRAMES)
SOON = 0.2
"""A time-out of clients, in seconds."""


async def read(library: Library, url: str) -> tuple[int | None, bytes, type[Exception] | None]:
    """Return the status, the bytes that came, and the class of the exception at the end."""
    seen = b""
    try:
        async with library.stream(url, json=JSON, timeout=SOON) as reply:
            async for piece in reply:
                seen += piece
            return reply.status, seen, None
    except Exception as error:
        return None, seen, type(error)


def cut(frames: int, end: Callable[[Connection], object]) -> Script:
    """Send some frames of a chunked stream, and then end it so."""
    return sends(CHAT_FRAMES[:frames], end)


def says_nothing(connection: Connection, request: Request) -> None:
    connection.gone()


def fails(connection: Connection, request: Request) -> None:
    connection.head(500, {"content-type": "text/plain"})
    connection.piece(b"sorry")
    connection.end()


FAULTS = (
    (faults.disconnect(), cut(0, Connection.fin)),
    (faults.disconnect(after=2), cut(2, Connection.fin)),
    (faults.disconnect(pieces=3), cut(3, Connection.fin)),
    (faults.stall(after=1), cut(1, Connection.gone)),
    (faults.truncate(after=3), cut(3, Connection.end)),
    (faults.timeout(), says_nothing),
    (faults.http_error(500, "sorry", headers={"content-type": "text/plain"}), fails),
)


@every
@pytest.mark.parametrize(("fault", "real"), FAULTS, ids=[str(fault) for fault, _ in FAULTS])
async def test_a_fault_is_what_a_server_does(fault: Fault, real: Script, library: Library) -> None:
    with RawServer(real) as server:
        live = await read(library, server.url)
    server, _ = await recorded(
        cut(len(CHAT_FRAMES), Connection.end), lambda url: read(library, url)
    )
    with aquila_cassette("ends", mode="none", faults=[fault]):
        assert await read(library, server.url) == live
        assert await read(library, server.url) == (200, CHAT, None)


@every
async def test_a_refused_connection_is_what_a_closed_port_does(library: Library) -> None:
    server, _ = await recorded(
        cut(len(CHAT_FRAMES), Connection.end), lambda url: read(library, url)
    )
    live = await read(library, server.url)  # it is gone by now
    with aquila_cassette("ends", mode="none", faults=[faults.connect_error()]):
        assert await read(library, server.url) == live
        assert await read(library, server.url) == (200, CHAT, None)
