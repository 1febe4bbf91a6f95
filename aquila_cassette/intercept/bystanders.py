"""Requests that are none of ours: WebSocket upgrades, and routes that respx answers."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["belongs_to_others"]


def belongs_to_others(request: Any) -> bool:
    """Tell whether `request` must go its way untouched.

    An upgrade to another protocol has no body that ends. A route of respx that matches is answered
    by respx: it stands below the transport, so it would otherwise never be asked.

    Args:
        request: A request of httpx or httpx2.
    """
    if "upgrade" in request.headers:
        return True
    respx = sys.modules.get("respx.mocks")
    if respx is None:
        return False
    return any(_answers(router, request) for router in respx.HTTPCoreMocker.routers)


def _answers(router: Any, request: Any) -> bool:
    for route in router.routes:
        pattern = route.pattern
        if pattern is None or pattern.match(request):
            return not route.is_pass_through
    return False
