"""What was said, as widgets."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Label, Markdown, Static

__all__ = ["Answer", "Question"]


class Question(Static):
    """What the user asked.

    Args:
        text: The text, as it was written.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text, markup=False)


class Answer(Vertical):
    """What the model answers, while it grows and after."""

    def compose(self) -> ComposeResult:
        """Begin with no text."""
        yield Markdown()
        yield Label("…", classes="ended", markup=False)

    async def grow(self, text: str) -> None:
        """Add a chunk, and draw it."""
        await self.query_one(Markdown).append(text)

    def end(self, note: str, how: str = "done") -> None:
        """Say below the text how it ended.

        Args:
            note: The words.
            how: ``done``, ``stopped`` or ``failed``.
        """
        self.add_class(how)
        self.query_one(".ended", Label).update(note)
