"""Components: parts of a view with a state of their own, in the view's event loop and inbox."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from aquila_cassette.live.part import Part

if TYPE_CHECKING:
    from aquila_cassette.live.view import View

__all__ = ["Component"]


class Component(Part):
    """A part of a view; make it with `component` in a handler of the view.

    Its events, its jobs and its updates come through the view's inbox: one handler of the view and
    all its components runs at a time. Messages that are `send`t go to the view, which passes on
    what concerns a component with `send_update`.
    """

    def __init__(self, view: View, id_: Hashable) -> None:
        self.view = view
        self.id = id_
        self._set_up()

    def handle_update(self, assigns: dict[str, Any]) -> Any:
        """Handle new assigns; by default they are assigned. A plain function, as `mount` is."""
        self.assign(**assigns)

    @property
    def _title(self) -> str:
        return f"{type(self).__name__} {self.id!r} of {self.view._title}"
