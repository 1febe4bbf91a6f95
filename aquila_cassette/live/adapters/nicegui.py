"""NiceGUI's simulated user: sees what the elements of the page hold, with no browser between."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from nicegui import ElementFilter, binding, ui
from nicegui.testing import User

from aquila_cassette.errors import UsageError
from aquila_cassette.live.adapters.adapter import Adapter

__all__ = ["NiceguiUser"]

_PROPS = ("label", "error-message")
_ATTRIBUTES = ("text", "content", "message")
"""Where elements keep what they show, in public."""


class NiceguiUser(Adapter):
    """A `nicegui.testing.User`; what it renders are the texts of the page, one a line.

    Its tasks are not waited for as such: endless loops and handlers stand in one list there.
    """

    def __init__(self, user: User) -> None:
        self._user = user

    async def settle(self) -> None:
        """Bring bound values up to date; the elements themselves change as they are told."""
        # A value bound to a plain attribute follows it ten times a second. Nothing public makes it
        # follow now.
        binding._refresh_step()

    async def render(self) -> str:
        """Give the visible texts in the order of the page, then the notifications.

        Raises:
            UsageError: The user has opened no page.
        """
        if self._user.client is None:
            raise UsageError(
                "This NiceGUI user has opened no page.",
                fix='Open one first: await user.open("/")',
            )
        with self._user.client:
            texts = [text for element in _visible() for text in _texts(element)]
        return "\n".join([*texts, *self._user.notify.messages])

    def settle_sync(self) -> None:
        """Refuse.

        Raises:
            UsageError: Always.
        """
        self.render_sync()

    def render_sync(self) -> Any:
        """Refuse.

        Raises:
            UsageError: Always: NiceGUI lives in an event loop.
        """
        raise UsageError(
            "A NiceGUI user lives in an event loop, and render_sync runs none.",
            fix="Make the test async: await render_async(user)",
        )


def _visible() -> Iterator[ui.element]:
    return iter(ElementFilter(only_visible=True, local_scope=False))


def _texts(element: ui.element) -> Iterator[str]:
    value = getattr(element, "value", None)
    said = [element.props.get("name")] if isinstance(element, ui.chat_message) else []
    said += [element.props.get(name) for name in _PROPS]
    said += [getattr(element, name, None) for name in _ATTRIBUTES]
    said.append(element.props.get("placeholder") if value in (None, "") else value)
    for text in dict.fromkeys(map(_text, said)):
        if text:
            yield _read(text) if isinstance(element, ui.html) else text


def _text(said: object) -> str:
    if isinstance(said, bool):
        return ""  # What is ticked, is no text.
    return str(said) if isinstance(said, str | int | float) else ""


def _read(markup: str) -> str:
    """Give the text of an HTML element; chat messages are made of such."""
    lines = re.sub(r"<br\b[^>]*>", "\n", markup)
    return html.unescape(re.sub(r"<[^>]*>", "", lines))
