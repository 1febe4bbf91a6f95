"""The chat: several conversations beside each other, of which one is open."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import ContentSwitcher, Footer, Label, OptionList
from textual.widgets.option_list import Option

from aquila_cassette.client import AsyncClient
from examples.textual_chat.conversation import Conversation

__all__ = ["ChatApp"]


class ChatApp(App[None]):
    """A chat with a model.

    Args:
        client: Whom to ask; it stays its owner's to close.
        where: What stands above the conversations: who answers.
    """

    TITLE = "Chat"
    CSS_PATH = "chat.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", priority=True),
        Binding("ctrl+r", "retry", "Try again", priority=True),
        Binding("ctrl+n", "new", "New chat", priority=True),
        Binding("ctrl+up", "turn(-1)", "Previous", priority=True),
        Binding("ctrl+down", "turn(1)", "Next", priority=True),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012, no ClassVar there

    def __init__(self, client: AsyncClient, *, where: str) -> None:
        super().__init__()
        self.client = client
        self.where = where
        self.theme = "tokyo-night"

    def compose(self) -> ComposeResult:
        """Begin with one empty conversation."""
        with Horizontal():
            with Vertical(id="sidebar"):
                yield Label(self.where, id="where", markup=False)
                yield OptionList(Option("New chat", id="c1"), id="list", markup=False)
            with ContentSwitcher(initial="c1"):
                yield Conversation(self.client, id="c1")
        yield Footer()

    def on_mount(self) -> None:
        """Let the user write at once."""
        self.query_one(OptionList).highlighted = 0
        self.current.focus_prompt()

    @property
    def current(self) -> Conversation:
        """The conversation that is open."""
        switcher = self.query_one(ContentSwitcher)
        return switcher.query_one(f"#{switcher.current}", Conversation)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer to stop only what goes on, and to try again only what broke off."""
        match action:
            case "stop":
                return self.current.answering
            case "retry":
                return self.current.broke_off
            case _:
                return True

    def action_stop(self) -> None:
        """End the answer that grows; what came of it stays."""
        self.current.stop()

    def action_retry(self) -> None:
        """Ask again what the last answer broke off at."""
        self.current.retry()

    async def action_new(self) -> None:
        """Begin a new conversation, unless this one is still empty."""
        if self.current.is_empty:
            self.current.focus_prompt()
            return
        conversations = self.query_one(OptionList)
        id_ = f"c{conversations.option_count + 1}"
        await self.query_one(ContentSwitcher).mount(Conversation(self.client, id=id_))
        conversations.add_option(Option("New chat", id=id_))
        conversations.highlighted = conversations.option_count - 1

    def action_turn(self, by: int) -> None:
        """Open the conversation before or after this one."""
        conversations = self.query_one(OptionList)
        at = (conversations.highlighted or 0) + by
        conversations.highlighted = at % conversations.option_count

    @on(OptionList.OptionHighlighted)
    def _open(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one(ContentSwitcher).current = event.option_id
        self.refresh_bindings()
        self.current.focus_prompt()

    @on(Conversation.Changed)
    def _show_in_list(self, event: Conversation.Changed) -> None:
        conversation = event.conversation
        mark = "● " if conversation.answering else ""
        assert conversation.id is not None
        conversations = self.query_one(OptionList)
        conversations.replace_option_prompt(conversation.id, f"{mark}{conversation.title}")
        self.refresh_bindings()
