"""A connection that leads nowhere: what aiohttp sends on it is dropped, and nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

__all__ = ["Stage", "StagedConnection"]


class Stage(ResponseHandler):
    """aiohttp's protocol without a parser: what it hears is put in by `tell`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.connection_made(_Void())
        self._limit = 2**16

    def tell(self, make: Callable[[int], tuple[RawResponseMessage, StreamReader]]) -> None:
        """Put in a message and its body.

        Args:
            make: Makes them, for the size of a read buffer that the session asks for.
        """
        heard: Any = make
        self.feed_data(heard, 0)

    def set_response_params(self, *, read_bufsize: int = 2**16, **_params: Any) -> None:
        """Make no parser; but how long a line may be hangs on the buffer's size."""
        self._limit = read_bufsize

    async def read(self) -> Any:
        """Give what was put in, once the task that writes the request is done, as on the wire.

        It takes a turn of the loop for that task, and one for the callback that tells of its end.
        """
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        make: Any = await super().read()
        return make(self._limit)

    def start_timeout(self) -> None:
        """Do not wait for a server."""

    def pause_reading(self) -> None:
        """Do nothing: no more is read than is asked for."""

    def resume_reading(self, *_args: Any, **_options: Any) -> None:
        """Do nothing: no more is read than is asked for."""


class StagedConnection(Connection):
    """A connection that belongs to no pool.

    Args:
        connector: Whose settings hold for it.
        request: Who asked for it.
        stage: Its protocol.
    """

    def __init__(self, connector: Any, request: Any, stage: Stage) -> None:
        super().__init__(connector, request.connection_key, stage, request.loop)

    def close(self) -> None:
        """Leave it; there is no socket to close."""
        self.release()

    def release(self) -> None:
        """Leave it; there is no pool to go back to."""
        self._notify_release()
        self._protocol = None

    def __del__(self, _warnings: Any = None) -> None:
        """Let it go without a warning: a replay that nobody closes holds nothing."""


class _Void(asyncio.Transport):
    """A transport that drops what is written."""

    def __init__(self) -> None:
        super().__init__()
        self._closing = False

    def write(self, data: Any) -> None:
        pass

    def writelines(self, list_of_data: Any) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True
