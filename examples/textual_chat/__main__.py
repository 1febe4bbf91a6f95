"""Chat in this terminal; without --provider, the model's provider wants its key."""

from __future__ import annotations

import argparse
import asyncio
import contextlib

from aquila_cassette.client import AsyncClient
from aquila_cassette.provider import Provider
from examples.textual_chat.app import ChatApp


async def main() -> None:
    """Run the app until Ctrl+Q."""
    parser = argparse.ArgumentParser(prog="python -m examples.textual_chat", description=__doc__)
    parser.add_argument("--provider", action="store_true", help="ask the embedded provider")
    parser.add_argument("--model", default="gpt-4o-mini", help="the model; %(default)s")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        base_url = None
        if given.provider:
            url = stack.enter_context(Provider(gap=0.06)).url
            base_url = url if given.model.startswith(("claude", "gemini")) else f"{url}/v1"
        key = "none" if given.provider else None
        async with AsyncClient(model=given.model, base_url=base_url, api_key=key) as client:
            await ChatApp(client, where=given.model).run_async()


if __name__ == "__main__":
    asyncio.run(main())
