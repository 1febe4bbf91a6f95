"""What recording anew does to a file: which of its interactions give way, and whether they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila_cassette.session.overwrite_guard import loss, overwrite_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquila_cassette.model import Interaction
    from aquila_cassette.session.session import Session

__all__ = ["Change"]


class Change:
    """What mode ``all`` would do to the file: what is asked of each interaction on it, and of all.

    Args:
        cassette: Any block of the owner on that file.
        gives_way: As for `Cassette.save_instead`.
    """

    def __init__(self, cassette: Session, gives_way: Callable[[Interaction, bool], bool]) -> None:
        self.gone: list[tuple[int, Interaction]] = []
        self._cassette = cassette
        self._gives_way = gives_way
        self._seen = 0
        anew = cassette.owner.recorded_anew(cassette.path)
        self._again = {cassette.recorded_key(one.request) for one in anew}

    def drops(self, old: Interaction) -> bool:
        """Tell whether the next interaction on file gives way."""
        self._seen += 1
        drops = self._gives_way(old, self._cassette.recorded_key(old.request) in self._again)
        if drops:
            self.gone.append((self._seen, old))
        return drops

    def refuse_loss(self) -> None:
        """Raise where failures would take the place of good answers."""
        cassette = self._cassette
        answers = cassette.owner.answers_anew(cassette.path)
        if found := loss(self.gone, answers, cassette.recorded_key):
            raise overwrite_error(
                found,
                path=cassette.path,
                shown=cassette.shown_path,
                rerecord=cassette.owner.rerecord,
                whole=len(self.gone) == self._seen,
            )
