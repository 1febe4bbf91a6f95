"""The head for aiohttp: ``BaseConnector.connect``, which each request on the wire passes once.

``ClientSession._request`` stands above redirects, retries, authentication and middlewares, and what
it does would have to be repeated for a replay. Below all of them, each hop asks its connector for a
connection: a recording lets it have one and listens in, a replay gives it one that is a cassette. What
is above stays aiohttp's own, and whoever patches that wins over us there (aioresponses, vcrpy).
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from aquila_cassette.http.patching import put_in
from aquila_cassette.model import Request
from aquila_cassette.session import current as scope
from aquila_cassette.session.player import Player

__all__ = ["install"]

Connect = Callable[..., Awaitable[Any]]


def install(aiohttp: ModuleType) -> None:
    """Put the dispatcher into aiohttp's connectors, unless it is there already.

    Args:
        aiohttp: The module ``aiohttp``.
    """
    if not hasattr(aiohttp, "BaseConnector"):
        return  # another thread is importing it; the next block that opens comes by again
    put_in(aiohttp.BaseConnector, "connect", _dispatcher)


def _dispatcher(original: Connect) -> Connect:
    # These subclass aiohttp's classes, so they cannot be imported before it is.
    bodies = _beside("aiohttp_bodies")
    played = _beside("aiohttp_player")
    recorded = _beside("aiohttp_recorder")

    async def connect(connector: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        cassette = scope.current_session()
        # An upgrade to another protocol has no body that ends.
        if cassette is None or "upgrade" in request.headers:
            return await original(connector, request, *args, **kwargs)
        body = await bodies.read(request)
        answer = cassette.handle(_model(request, body))
        if answer is None:
            return await original(connector, request, *args, **kwargs)
        if isinstance(answer, Player):
            return await played.connection(answer, connector, request)
        listener = recorded.Listener(answer, request)
        with listener.connecting():
            connection = await original(connector, request, *args, **kwargs)
        listener.listen(connection)
        return connection

    return connect


def _beside(name: str) -> Any:
    return importlib.import_module(f"aquila_cassette.http.{name}")


def _model(request: Any, body: bytes) -> Request:
    return Request(
        method=request.method,
        url=str(request.url),
        headers=tuple([(name.lower(), value) for name, value in request.headers.items()]),
        body=body,
    )
