"""One request and its answer: whole or as a stream, right or with a fault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import models, openai_shared
from .asking import RefusedError
from .chance import Seed
from .faults import asked_for
from .frame import encode
from .routes import dialect_for
from .words import respond

if TYPE_CHECKING:
    from .asking import Ask, Reply
    from .faults import Fault
    from .http import Peer, Request
    from .routes import Dialect


class Exchange:
    """The answering of one request.

    Args:
        peer: Where it came from.
        request: What came.
        gap: Seconds between two tokens.
        check_key: Whether a key that is missing, or ``invalid``, is refused.
    """

    def __init__(self, peer: Peer, request: Request, gap: float, check_key: bool) -> None:
        self._peer = peer
        self._request = request
        self._gap = gap
        self._check_key = check_key

    async def run(self) -> bool:
        """Answer; give whether the connection can take the next request."""
        dialect = dialect_for(self._request)
        if dialect is None:
            await self._answer_plainly()
            return True
        body = self._request.json()
        try:
            if self._check_key and _key(self._request) in ("", "invalid"):
                raise RefusedError("Incorrect API key provided.", 401)
            if not isinstance(body, dict):
                raise RefusedError("We could not parse the JSON body of your request.")
            ask = dialect.ask(self._request.path, body)
            if not ask.model:
                raise RefusedError("You must provide a model parameter.")
            fault = asked_for(ask, self._request.headers)
            if fault is not None and fault.refuses(stream=ask.stream):
                raise RefusedError(fault.message, fault.status)
        except RefusedError as refused:
            seed = Seed([self._request.path, body])
            headers = dialect.headers(seed, stream=False)
            if refused.status == 429:
                headers["retry-after"] = "20"
            text = dialect.refusal(seed, refused.status, str(refused))
            await self._send_json(refused.status, headers, text)
            return True
        reply = respond(ask)
        if ask.stream:
            return await self._stream(dialect, ask, reply, fault)
        return await self._whole(dialect, ask, reply, fault)

    async def _answer_plainly(self) -> None:
        """Answer what is no dialect's: the list of models, or that there is nothing here."""
        headers = {"content-type": "application/json"}
        asked = f"{self._request.method} {self._request.path}"
        if asked != "GET /v1/models":
            text = openai_shared.refusal(Seed(asked), 404, f"Invalid URL ({asked})")
            await self._send_json(404, headers, text)
        elif "anthropic-version" in self._request.headers:
            await self._send_json(200, headers, models.anthropic_list())
        else:
            await self._send_json(200, headers, models.openai_list())

    async def _send_json(self, status: int, headers: dict[str, str], text: str) -> None:
        body = encode(text)
        await self._peer.head(status, {**headers, "content-length": str(len(body))})
        await self._peer.send(body)

    async def _whole(self, dialect: Dialect, ask: Ask, reply: Reply, fault: Fault | None) -> bool:
        headers = dialect.headers(ask.seed, stream=False)
        text = dialect.whole(ask, reply)
        if self._gap:
            await asyncio.sleep(self._gap * reply.output_tokens)
        if fault is None:
            await self._send_json(200, headers, text)
            return True
        body = encode(text)
        await self._peer.head(200, {**headers, "content-length": str(len(body))})
        await self._peer.send(body[: len(body) // 2])
        return await self._break_off(fault)

    async def _stream(self, dialect: Dialect, ask: Ask, reply: Reply, fault: Fault | None) -> bool:
        headers = dialect.headers(ask.seed, stream=True)
        # Framed by the connection's end, a cut looks like an end: only the event is missing.
        framed = fault is None or fault.name != "cut"
        headers |= {"transfer-encoding": "chunked"} if framed else {"connection": "close"}
        await self._peer.head(200, headers)
        send = self._peer.chunk if framed else self._peer.send
        tokens = 0
        for sent, frame in enumerate(dialect.frames(ask, reply)):
            if fault is not None and (frame.terminal or tokens == fault.after):
                if fault.name != "error-midstream":
                    return await self._break_off(fault)
                for data in dialect.breakdown(ask, sent):
                    await send(data)
                break
            if frame.token:
                tokens += 1
                await self._pause(ask.seed, tokens)
            await send(frame.data)
        await self._peer.chunk(b"")
        return True

    async def _pause(self, seed: Seed, token: int) -> None:
        if self._gap:
            await asyncio.sleep(self._gap * (0.5 + seed.unit(f"gap {token}")))

    async def _break_off(self, fault: Fault) -> bool:
        if fault.name == "drop-after-5":
            self._peer.reset()
        elif fault.name == "hang":
            await self._peer.gone()
        return False


def _key(request: Request) -> str:
    headers = request.headers
    return (
        headers.get("authorization", "").removeprefix("Bearer").strip()
        or headers.get("x-api-key", "")
        or headers.get("x-goog-api-key", "")
        or request.query.get("key", [""])[0]
    )
