"""ChatLive as a web page: updates go out as server-sent events, what users do comes by POST."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path
from string import Template

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from aquila_cassette.client import AsyncClient
from aquila_cassette.live import PushedEvent
from examples.chat.chat_live import ChatLive

__all__ = ["Chat", "Server", "serving"]

_HERE = Path(__file__).parent
_SAFE = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
_SIGN_OF_LIFE = 15.0
"""Seconds without an update after which a page is told that the server still lives."""


class _Page:
    """One page that shows a view: whether the view changed, and what it pushed meanwhile."""

    def __init__(self) -> None:
        self.pushed: list[PushedEvent] = []
        self._changed = asyncio.Event()

    def tell(self, pushed: list[PushedEvent]) -> None:
        """Say that the view changed."""
        self.pushed += pushed
        self._changed.set()

    async def has_news(self, timeout: float) -> bool:
        """Wait until the view has changed since this was asked last; tell whether it has.

        Args:
            timeout: Seconds to wait at most.
        """
        try:
            await asyncio.wait_for(self._changed.wait(), timeout)
        except TimeoutError:
            return False
        self._changed.clear()
        return True


class _Shown:
    """A view, and the pages that show it: one, or none while it is being loaded again."""

    def __init__(self, view: ChatLive) -> None:
        self.view = view
        self._pages: weakref.WeakSet[_Page] = weakref.WeakSet()
        self._over = False
        view.on_render(self._tell)

    @property
    def watched(self) -> bool:
        """Whether a page shows it."""
        return bool(self._pages)

    def end(self) -> None:
        """Have all updates end."""
        self._over = True
        self._tell()

    def updates(self) -> AsyncIterator[str]:
        """Give what changed since the last update, whenever something did.

        A page that is slow misses states between, and never the last.
        """
        page = _Page()
        self._pages.add(page)
        return self._updates(page)

    async def _updates(self, page: _Page) -> AsyncIterator[str]:
        sent: dict[str, str] = {}
        try:
            while not self._over:
                pushed, page.pushed = page.pushed, []
                parts = self.view.fragments()
                fresh = {id_: html for id_, html in parts.items() if sent.get(id_) != html}
                if fresh or pushed or sent.keys() != parts.keys():
                    yield _update(fresh, [*parts], pushed)
                sent = parts
                while not await page.has_news(_SIGN_OF_LIFE):
                    yield ": still here\n\n"
        finally:
            self._pages.discard(page)

    def _tell(self) -> None:
        pushed = [self.view.pushed.popleft() for _ in range(len(self.view.pushed))]
        for page in self._pages:
            page.tell(pushed)


def _update(parts: dict[str, str], ids: list[str], pushed: list[PushedEvent]) -> str:
    events = [(one.name, one.payload) for one in pushed]
    data = json.dumps({"parts": parts, "ids": ids, "pushed": events}, separators=(",", ":"))
    return f"event: update\ndata: {data}\n\n"


class Chat:
    """The web application.

    Args:
        client: Makes the client that asks the model.
        where: Who answers, for the page to show.
        most: How many views are kept; one more, and the one that was longest not looked at goes.
    """

    def __init__(
        self, client: Callable[[], AsyncClient], *, where: str = "", most: int = 100
    ) -> None:
        self._make_client = client
        self._where = where
        self._most = most
        self._shown: dict[str, _Shown] = {}
        self._opening = asyncio.Lock()
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/{name:str}", self._file),
                Route("/live/{view:str}", self._updates, methods=["GET"]),
                Route("/live/{view:str}", self._event, methods=["POST"]),
            ],
            lifespan=self._lifespan,
        )

    def end_updates(self) -> None:
        """End the updates of all pages: a server that shuts down waits for them."""
        for shown in self._shown.values():
            shown.end()

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self._make_client() as self._client:
            try:
                yield
            finally:
                for id_ in [*self._shown]:
                    await self._forget(id_)

    async def _page(self, _request: Request) -> Response:
        page = Template((_HERE / "page.html").read_text("utf-8"))
        html = page.substitute(view=secrets.token_urlsafe(18), where=escape(self._where))
        return HTMLResponse(html, headers=_SAFE)

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in ("page.css", "page.js", "icon.svg"):
            return Response(status_code=404)
        return FileResponse(_HERE / name, headers=_SAFE)

    async def _updates(self, request: Request) -> Response:
        shown = await self._find(request.path_params["view"])
        headers = {**_SAFE, "x-accel-buffering": "no"}
        return StreamingResponse(shown.updates(), headers=headers, media_type="text/event-stream")

    async def _event(self, request: Request) -> Response:
        shown = self._shown.get(request.path_params["view"])
        if shown is None:
            return Response(status_code=404)
        try:
            event = await request.json()
            name, params = event["name"], event["params"]
        except (ValueError, LookupError, TypeError):
            return Response(status_code=400)
        if not (isinstance(name, str) and isinstance(params, dict)):
            return Response(status_code=400)
        await shown.view.event(name, params)
        return Response(status_code=204)

    async def _find(self, id_: str) -> _Shown:
        async with self._opening:
            if id_ not in self._shown:
                self._shown[id_] = _Shown(await ChatLive.open(client=self._client))
            shown = self._shown[id_] = self._shown.pop(id_)
            unseen = [one for one, other in self._shown.items() if not other.watched]
            for one in unseen[: max(0, len(self._shown) - self._most)]:
                if one != id_:
                    await self._forget(one)
            return shown

    async def _forget(self, id_: str) -> None:
        shown = self._shown.pop(id_)
        shown.end()
        await shown.view.aclose()


class Server(uvicorn.Server):
    """A server that ends the updates when it is to shut down, rather than wait for the pages.

    Args:
        chat: The application.
    """

    def __init__(self, chat: Chat) -> None:
        super().__init__(uvicorn.Config(chat.app, log_level="warning"))
        self.ready = asyncio.Event()
        self._chat = chat

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down."""
        self._chat.end_updates()
        await super().shutdown(sockets)


@asynccontextmanager
async def serving(chat: Chat) -> AsyncIterator[str]:
    """Serve on this machine, in this event loop, for the time of a block; give the address.

    Args:
        chat: The application.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(chat)
    running = asyncio.create_task(server.serve([listening]))
    await server.ready.wait()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
