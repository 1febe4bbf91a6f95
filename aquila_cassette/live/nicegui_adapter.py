"""The adapter for NiceGUI."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from nicegui import ElementFilter, binding, ui
from nicegui.testing import User

from aquila_cassette.live.adapter import Adapter

_PROPS = ("label", "error-message")
_ATTRIBUTES = ("text", "content", "message")
"""Where elements keep what they show, in public."""


class NiceguiAdapter(Adapter):
    """A `nicegui.testing.User`; what it renders are the texts of the page, one a line.

    NiceGUI's own tasks are not pending: it keeps endless loops and handlers in one list.
    """

    def __init__(self, user: User) -> None:
        self._user = user

    async def settle(self) -> None:
        # A value bound to a plain attribute follows it ten times a second. Nothing public makes it
        # follow now.
        binding._refresh_step()

    async def render(self) -> str:
        assert self._user.client, 'open a page first: await user.open("/")'
        with self._user.client:
            elements = ElementFilter(only_visible=True, local_scope=False)
            texts = [text for element in elements for text in _texts(element)]
        return "\n".join([*texts, *self._user.notify.messages])


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
