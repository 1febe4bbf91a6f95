"""The adapter for NiceGUI."""

from __future__ import annotations

import html
import inspect
import re
from collections.abc import Iterator

import anyio
from nicegui import ElementFilter, binding, ui
from nicegui.testing import User

from aquila_cassette.live.adapter import LONGEST_INTERVAL, Adapter
from aquila_cassette.waiting.notifier import notifier

_PROPS = ("label", "error-message")
_ATTRIBUTES = ("text", "content", "message")
"""Where elements keep what they show, in public."""


class NiceguiAdapter(Adapter):
    """A `nicegui.testing.User`; what it renders are the texts of the page, one a line.

    NiceGUI's own tasks are not pending: it keeps endless loops and handlers in one list.
    """

    def __init__(self, user: User) -> None:
        self._user = user
        self._drawn = -1

    async def settle(self) -> None:
        """Let each timer tick that may draw what has changed, and bound values follow."""
        if notifier.count != self._drawn and self._user.client:
            with self._user.client:
                timers = [*ElementFilter(kind=ui.timer, local_scope=False)]
            for ticked in [_next_tick(timer) for timer in timers if _ticks(timer)]:
                await ticked.wait()
            self._drawn = notifier.count
        # A value bound to a plain attribute follows it ten times a second. Nothing public makes it
        # follow now.
        binding._refresh_step()

    async def render(self) -> str:
        assert self._user.client, 'open a page first: await user.open("/")'
        with self._user.client:
            elements = ElementFilter(only_visible=True, local_scope=False)
            texts = [text for element in elements for text in _texts(element)]
        return "\n".join([*texts, *self._user.notify.messages])


def _ticks(timer: ui.timer) -> bool:
    return timer.active and timer.interval <= LONGEST_INTERVAL and timer.callback is not None


def _next_tick(timer: ui.timer) -> anyio.Event:
    ticked, callback = anyio.Event(), timer.callback
    assert callback is not None

    async def tick() -> None:
        timer.callback = callback
        try:
            result = callback()
            if inspect.isawaitable(result):
                await result
        finally:
            ticked.set()

    timer.callback = tick
    return ticked


def _texts(element: ui.element) -> Iterator[str]:
    value = getattr(element, "value", None)
    shown = [element.props.get("name")] if isinstance(element, ui.chat_message) else []
    shown += [element.props.get(name) for name in _PROPS]
    shown += [getattr(element, name, None) for name in _ATTRIBUTES]
    shown.append(element.props.get("placeholder") if value in (None, "") else value)
    for text in dict.fromkeys(shown):
        if isinstance(text, str | int | float) and not isinstance(text, bool) and text != "":
            yield _text_of_html(text) if isinstance(element, ui.html) else str(text)


def _text_of_html(markup: object) -> str:
    lines = re.sub(r"<br\b[^>]*>", "\n", str(markup))
    return html.unescape(re.sub(r"<[^>]*>", "", lines))
