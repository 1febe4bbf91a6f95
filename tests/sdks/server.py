"""A server that plays any of the dialects, in the way that a behaviour needs it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tests.sdks.driver import Driver
from tests.sdks.wires import ARGUMENTS, TEXT, TOOL, Frame, compact
from tests.servers import Connection, RawServer, Request

__all__ = ["ModelServer"]

_RESULTS = (b'"role":"tool"', b'"role": "tool"', b'"function_call_output"', b'"tool_result"')


class ModelServer(RawServer):
    """Answer each request with the driver's text, or with a call of the tool that it offers.

    Args:
        driver: Whose dialect.
        gated: Whether what follows the first part of the text waits for `seen`.
        ends: How a stream ends: ``whole``, with the provider's ``error`` after the first part, or
            ``cut`` off there.
    """

    def __init__(self, driver: Driver, *, gated: bool = False, ends: str = "whole") -> None:
        super().__init__(self._answer)
        self.sent = b""
        """The body of the last answer, as far as it was sent."""
        self.is_whole = False
        """Whether that was all of it."""
        self._driver = driver
        self._gate = threading.Event() if gated else None
        self._ends = ends

    def seen(self) -> None:
        """Say that the first part of the text was seen."""
        assert self._gate is not None
        self._gate.set()

    def _answer(self, connection: Connection, request: Request) -> None:
        wire = self._driver.wire
        self.sent, self.is_whole = b"", False
        connection.head(200, {"content-type": wire.content_type})
        for frame in self._frames(request):
            connection.piece(frame.data)
            self.sent += frame.data
            if frame.shows and self._ends != "whole":
                if self._ends == "cut":
                    connection.fin()
                    return
                assert wire.error is not None
                connection.piece(wire.error)
                self.sent += wire.error
                break
            if frame.shows and self._gate is not None:
                connection.wait(self._gate)
        connection.end()
        self.is_whole = True

    def _frames(self, request: Request) -> Sequence[Frame]:
        wire, text_tool = self._driver.wire, self._driver.text_tool
        offers = TOOL.encode() in request.body
        if offers and not any(result in request.body for result in _RESULTS):
            return wire.tool(TOOL, ARGUMENTS)
        if text_tool is not None:
            inside = [compact(part)[1:-1] for part in TEXT]
            return wire.tool(text_tool, ['{"text": "' + inside[0], *inside[1:], '"}'])
        return wire.text(TEXT)
