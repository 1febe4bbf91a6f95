"""Where a conversation stands, for whoever drives it: the step to do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.client.conversation import Conversation, Emit, Step, Stopped
from aquila_cassette.client.events import Done, Error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Progress"]


class Progress:
    """Holds the step to do now, and goes on to the next.

    Args:
        conversation: What is driven.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._steps = conversation.steps()
        self._stop: Stopped | None = None
        self.step: Step | None = next(self._steps)
        """The step to do now; None when there is none left."""

    @property
    def terminal(self) -> bool:
        """Whether the step to do now is to emit the last event."""
        return isinstance(self.step, Emit) and isinstance(self.step.event, Done | Error)

    @property
    def stopping(self) -> bool:
        """Whether it was told to end, and goes on all the same."""
        return self._stop is not None

    def stop(self, stopped: Stopped) -> None:
        """Have the conversation end as soon as the step under way is done; the first reason stands.

        May be called from any thread.
        """
        self._stop = self._stop or stopped

    def did(self, value: object = None) -> None:
        """Go on with what came of the step."""
        if self._stop is not None and not self.terminal:
            self._go(lambda: self._steps.throw(self._stopped()))
        else:
            self._go(lambda: self._steps.send(value))

    def failed(self, error: Exception) -> None:
        """Go on with what the step raised."""
        if self._stop is not None:
            error = self._stopped()
        self._go(lambda: self._steps.throw(error))

    def _stopped(self) -> Stopped:
        stopped = self._stop
        assert stopped is not None
        self._stop = None
        return stopped

    def _go(self, next_step: Callable[[], Step]) -> None:
        try:
            self.step = next_step()
        except StopIteration:
            self.step = None
