"""The adapter for lm15, an HTTP client on raw sockets that dspy uses.

A request is intercepted where a transport is asked for a stream: lm15 follows no redirects, and
what it tries again it asks for again.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from aquila_cassette.http.dispatcher import (
    HttpAdapter,
    RecordedBody,
    ReplayedBody,
    Send,
    make_error,
)
from aquila_cassette.http.patching import patch
from aquila_cassette.model import Failure, Request
from aquila_cassette.session.player import MakeError, Player
from aquila_cassette.session.recorder import Recorder


def install(lib: ModuleType) -> None:
    """Patch the transports of one copy of lm15, the module ``lm15.transports``."""
    patch(lib.StdlibTransport, "stream", Lm15Adapter(lib, sync=True).handle)
    # Its `stream` returns what is awaited or entered, and both come here.
    patch(lib.StdlibAsyncTransport, "_do_stream", Lm15Adapter(lib, sync=False).handle)


class Lm15Adapter(HttpAdapter[Any]):
    """The sync or the async transport of one copy."""

    async def to_request(self, call: Any) -> Request:
        headers = tuple((name, value) for name, value in call.headers)
        return Request(call.method.upper(), call.url, headers, call.body or b"")

    async def to_response(self, call: Any, player: Player, make_error: MakeError) -> Any:
        response = player.interaction.response
        player.decode()
        body = ReplayedBody(player, make_error)
        headers, reason = list(player.headers), response.reason_phrase
        return self._response(body, response.status, headers, response.http_version, reason)

    async def record(self, call: Any, recorder: Recorder, send: Send[Any]) -> Any:
        with recorder:
            live = await send(call)
        # lm15 has decoded the body; the encoding it came in is not that of what is recorded.
        kept = tuple((k, v) for k, v in live.headers if k.lower() != "content-encoding")
        recorder.start_response(live.status, kept, live.http_version, live.reason)
        body = RecordedBody(live, recorder)
        return self._response(body, live.status, live.headers, live.http_version, live.reason)

    def _response(
        self, body: Any, status: Any, headers: Any, http_version: str, reason: str
    ) -> Any:
        make = self._lib.TransportResponse if self.is_sync else self._lib.AsyncTransportResponse
        return make(
            status=status,
            reason=reason,
            headers=headers,
            http_version=http_version,
            chunks=iter(body) if self.is_sync else aiter(body),
            release=lambda _whole: body.close() if self.is_sync else body.aclose(),
        )

    def make_error(self, call: Any, has_begun: bool, failure: Failure) -> Exception | None:
        return make_error(failure, self._lib)
