"""The adapter for Streamlit's `AppTest`."""

from __future__ import annotations

from typing import Any

from aquila_cassette.live.adapter import Adapter


class StreamlitAdapter(Adapter):
    """An `AppTest` that has run; it renders the texts of its last run, one a line.

    What a thread of the app changes later is shown by the next run, as in a browser.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def render(self) -> str:
        return self.render_sync()

    def render_sync(self) -> str:
        shown = []
        for element in [*self._app.main, *self._app.sidebar]:
            label, value = getattr(element, "label", None), getattr(element, "value", None)
            shown += [text for text in (label, value) if text not in (None, "", True, False)]
        return "\n".join(map(str, shown))
