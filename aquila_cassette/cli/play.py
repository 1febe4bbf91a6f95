"""``play``: the streams of a cassette as they came, at their pace."""

from __future__ import annotations

import re
import sys
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from aquila_cassette import importers
from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen
from aquila_cassette.cli.pace import Pace
from aquila_cassette.cli.show import end_of, head_of
from aquila_cassette.cli.speech import Listener
from aquila_cassette.errors import UsageError
from aquila_cassette.matching.difference import cut
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import escape_control_chars
from aquila_cassette.transcript.interaction import InteractionView

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from aquila_cassette.cli.speech import Utterance
    from aquila_cassette.model import CassetteData, Interaction

__all__ = ["Player", "run"]

_INDENT = 13
_STOPPED = 130  # what a shell gives a program that Ctrl-C ended
_LABELS = {"said": "green", "called": "green", "error": "red", "refused": "yellow"}
_STYLES = {
    "thought": "dim italic",
    "called": "magenta",
    "error": "red",
    "refused": "yellow",
    "event": "dim",
    "body": "dim",
}
_WORDS = re.compile(r"(?<=\s)(?=\S)")


def run(
    names: Sequence[str], folder: Path, *, speed: float, only: Collection[int], raw: bool
) -> int:
    """Play the cassettes that `names` mean, one after the other.

    Args:
        names: Names of cassettes, or paths.
        folder: The cassette folder.
        speed: How many times as fast as they came; 0 for at once.
        only: The numbers of the interactions to play; empty for all.
        raw: Whether to play the bytes, not what they say.

    Returns:
        The exit code: 130 where Ctrl-C stopped it, else 0.

    Raises:
        AquilaError: A cassette cannot be read, or has no such interaction.
    """
    paths = [find(name, folder) for name in names]
    tapes = [(path, importers.load(path)) for path in paths]
    for path, tape in tapes:
        _check(path, tape, only)
    screen = Screen()
    player = _Raw(screen) if raw else Player(screen)
    with Pace(speed) as pace:
        try:
            for path, tape in tapes:
                name = name_of(path, folder) if len(tapes) > 1 else ""
                for number, one in enumerate(tape.interactions, 1):
                    if not only or number in only:
                        player.begin(name, f"{number}/{len(tape.interactions)}", one)
                        pace.start()
                        for at, data in one.response.pieces:
                            pace.wait(at)
                            player.piece(data)
                        player.end()
        except KeyboardInterrupt:
            player.stop()
            return _STOPPED
    return 0


def _check(path: Path, tape: CassetteData, only: Collection[int]) -> None:
    total = len(tape.interactions)
    for number in only:
        if number > total:
            raise UsageError(
                f"{display_path(path)} has no interaction {number}.",
                facts=[f"it has: {total}"],
                fix=f"Show what there is: aquila-cassette show {display_path(path)}",
            )


class Player:
    """Shows what answers say, as it comes.

    Args:
        screen: Where.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._row = ""
        self._breaks = 0
        self._first = True

    def begin(self, name: str, where: str, one: Interaction) -> None:
        """Show what was asked.

        Args:
            name: The cassette's name, where there are several.
            where: Which interaction it is.
            one: The interaction.
        """
        self._told = InteractionView(one)
        self._listener = Listener(self._told.content_type)
        if not self._first:
            self._screen.line()
        self._first = False
        request = one.request
        head = f"{name} {where}" if name else where
        self._screen.line(
            (escape_control_chars(head), "bold"),
            " ",
            (escape_control_chars(request.method), "bold"),
            f" {escape_control_chars(request.url)}",
        )
        if turns := [turn for turn in self._told.asked.turns if turn.kind in ("words", "result")]:
            self._label(turns[-1].role, "cyan")
            self._type(cut(" ".join(turns[-1].text.split())), "")
        if (one.response.status or 0) >= 400:
            self._label("answer", "dim")
            self._type(head_of(self._told), "")

    def piece(self, data: bytes) -> None:
        """Show what a piece adds."""
        self._say(self._listener.push(data))

    def end(self, told: InteractionView | None = None) -> None:
        """Show how it ended.

        Args:
            told: The interaction as it is in the end, where only its head was there when it began.
        """
        self._say(self._listener.finish())
        how, style = end_of(told or self._told)
        self._label("ended", "dim")
        self._type(how, style)
        self._finish_row()

    def stop(self) -> None:
        """Leave a whole line behind, whatever was shown."""
        self._finish_row()

    def _say(self, said: Sequence[Utterance]) -> None:
        for kind, text, begins in said:
            if kind != self._row or begins:
                self._label(kind, _LABELS.get(kind, "dim"), again=kind == self._row)
                if kind == "called":
                    text = f"{self._screen.glyphs.arrow} {text}"
            self._type(text, _STYLES.get(kind, ""))

    def _label(self, label: str, style: str, *, again: bool = False) -> None:
        self._finish_row()
        self._row = label
        lead = "" if again else escape_control_chars(label)
        self._screen.part((f"  {lead:{_INDENT - 3}} ", style))
        self._write = self._screen.typist(_INDENT)

    def _type(self, text: str, style: str) -> None:
        for place, line in enumerate(escape_control_chars(text).split("\n")):
            # A line end waits for what follows it, so that rows end in none.
            self._breaks += place > 0
            for word in filter(None, _WORDS.split(line)):
                if self._breaks:
                    self._screen.part("\n" * self._breaks + " " * _INDENT)
                    self._write = self._screen.typist(_INDENT)
                    self._breaks = 0
                self._write(word, style)

    def _finish_row(self) -> None:
        if self._row:
            self._screen.line()
        self._row = ""
        self._breaks = 0


class _Raw:
    """Shows the bytes of answers as they come: as they are in a pipe, with escapes elsewhere.

    Args:
        screen: Where.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._ended = True

    def begin(self, _name: str, where: str, one: Interaction) -> None:
        """Show whose bytes they are, to a person."""
        self._decode = getincrementaldecoder("utf-8")("backslashreplace").decode
        if self._screen.is_terminal:
            url = escape_control_chars(one.request.url)
            self._screen.line((f"{where} {escape_control_chars(one.request.method)} {url}", "bold"))

    def piece(self, data: bytes) -> None:
        """Show a piece."""
        if self._screen.is_terminal:
            text = escape_control_chars(self._decode(data))
            self._screen.part(text)
            self._ended = text.endswith("\n") if text else self._ended
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def end(self) -> None:
        """End the line, to a person."""
        self.stop()

    def stop(self) -> None:
        """Leave a whole line behind."""
        if self._screen.is_terminal and not self._ended:
            self._screen.line()
