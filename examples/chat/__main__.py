"""Serve the chat on this machine; without --provider, the model's provider wants its key."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket

from aquila_cassette.client import AsyncClient
from aquila_cassette.provider import Provider
from examples.chat.server import Chat, Server


def main() -> None:
    """Serve the page until Ctrl+C."""
    parser = argparse.ArgumentParser(prog="python -m examples.chat", description=__doc__)
    parser.add_argument("--provider", action="store_true", help="ask the embedded provider")
    parser.add_argument("--model", default="gpt-4o-mini", help="the model; %(default)s")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; %(default)s")
    parser.add_argument("--port", type=int, default=8000, help="the port; %(default)s")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        base_url, where = None, given.model
        if given.provider:
            provider = stack.enter_context(Provider(gap=0.06))
            base_url, where = _base_url(provider, given.model), "The embedded provider answers"
        chat = Chat(lambda: AsyncClient(model=given.model, base_url=base_url), where=where)
        listening = stack.enter_context(socket.create_server((given.host, given.port)))
        print(f"http://{given.host}:{given.port} (Ctrl+C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(Server(chat).serve([listening]))


def _base_url(provider: Provider, model: str) -> str:
    speaks_openai = not model.startswith(("claude", "gemini"))
    return f"{provider.url}/v1" if speaks_openai else provider.url


if __name__ == "__main__":
    main()
