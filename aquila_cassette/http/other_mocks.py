"""Requests that are none of ours: WebSocket upgrades, and routes that respx answers.

respx stands below the transport. A route of it that matches must win, so its requests are left
alone; what no route answers is the cassette's, and while it records, respx must let it through.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

__all__ = ["belongs_to_others", "past_others"]

_sending: ContextVar[bool] = ContextVar("aquila_sending", default=False)


def belongs_to_others(request: Any) -> bool:
    """Tell whether `request` must go its way untouched.

    An upgrade to another protocol has no body that ends. A route of respx that matches is answered
    by respx: it stands below the transport, so it would otherwise never be asked. A route that
    passes through is called even where the cassette answers.

    Args:
        request: A request of httpx or httpx2.
    """
    if "upgrade" in request.headers:
        return True
    respx = sys.modules.get("respx.mocks")
    # respx mocks httpx and only that: one of httpx2 would go out.
    if respx is None or type(request).__module__.partition(".")[0] != "httpx":
        return False
    return any(_answers(router, request) for router in respx.HTTPCoreMocker.routers)


def _answers(router: Any, request: Any) -> bool:
    for route in router.routes:
        pattern = route.pattern
        if pattern is None or pattern.match(request):
            if route.is_pass_through:
                router.record(request, route=route)
            return not route.is_pass_through
    return False


@contextmanager
def past_others() -> Iterator[None]:
    """Let respx pass through what is sent here: no route wants it, and a cassette does."""
    respx = sys.modules.get("respx.mocks")
    if respx is None or not respx.HTTPCoreMocker.routers:
        yield
        return
    mocker, first = respx.HTTPCoreMocker, _Past(respx)
    mocker.routers.insert(0, first)
    before = _sending.set(True)
    try:
        yield
    finally:
        _sending.reset(before)
        mocker.unregister(first)
        mocker.stop()  # the last router may have ended meanwhile, and left that to us


class _Past:
    """A router of respx's with no route, that passes through what is sent for a cassette."""

    routes = ()

    def __init__(self, respx: Any) -> None:
        self._respx = respx

    def handler(self, request: Any) -> NoReturn:
        """Let `request` through, or leave it to the other routers."""
        if _sending.get():
            raise self._respx.PassThrough("sent for a cassette", request=request, origin=None)
        raise self._respx.AllMockedAssertionError(f"RESPX: {request!r} not mocked!")

    async def async_handler(self, request: Any) -> NoReturn:
        """Do the same for an async client."""
        self.handler(request)
