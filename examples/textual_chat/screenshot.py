"""Take the picture of the chat: ``python -m examples.textual_chat.screenshot`` writes ``docs/img``.

What is said in it comes from the cassette that the chat in a web page has for its pictures; it is held
back in the middle of the last answer.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from aquila_cassette import aquila_cassette
from aquila_cassette.client import AsyncClient
from examples.textual_chat.app import ChatApp

_HERE = Path(__file__).parent
_PICTURE = _HERE.parents[1] / "docs" / "img" / "textual-chat.svg"
_BEFORE = (
    "What shall I pack for a week in Lofoten?",
    "A friendly reminder for an unpaid invoice",
    "Which constellation is Altair in?",
)
_QUESTION = "How do I test code that streams from a model?"
_EVENTS = 20  # up to the middle of the list at the end of the answer


async def main() -> None:
    """Take it."""
    async with (
        aquila_cassette(
            "screenshots",
            mode="none",
            cassette_dir=_HERE.parent / "chat",
            hold=True,
            on_unplayed="ignore",
        ) as cassette,
        AsyncClient(model="gpt-4o-mini", base_url="http://127.0.0.1:8102/v1") as client,
        ChatApp(client, where="gpt-4o-mini").run_test(size=(118, 36)) as pilot,
    ):
        for prompt in _BEFORE:
            await pilot.press(*prompt, "enter")
            await cassette.advance(5)
            await pilot.press("ctrl+n")
        await pilot.press(*_QUESTION, "enter")
        await cassette.advance(_EVENTS)
        await pilot.pause()
        _PICTURE.write_text(_offline(pilot.app.export_screenshot(simplify=True)), "utf-8")
        print(_PICTURE)
        cassette.release()


def _offline(svg: str) -> str:
    """Leave out the fonts that the picture would fetch from elsewhere; any monospaced one does."""
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    asyncio.run(main())
