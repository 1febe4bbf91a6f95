"""`play`: print the streams of a cassette at their recorded pace."""

from __future__ import annotations

import re
import signal
import sys
import time
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from aquila_cassette import importers
from aquila_cassette.cli.answer_stream import AnswerReader
from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen
from aquila_cassette.cli.show import ENDING_STYLES
from aquila_cassette.errors import UsageError
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import escape_control_chars
from aquila_cassette.transcript.interaction_text import InteractionView

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from aquila_cassette.cli.answer_stream import AddedText
    from aquila_cassette.model import Interaction

_INDENT = 13
_INTERRUPTED = 130  # what a shell gives a program that Ctrl-C ended
_LONGEST_QUESTION = 120
_LONGEST_SLEEP = 0.2  # seconds until Ctrl-C is seen
_LABEL_STYLES = {"said": "green", "called": "green", "error": "red", "refused": "yellow"}
_STYLES = {
    "thought": "dim italic",
    "called": "magenta",
    "error": "red",
    "refused": "yellow",
    "event": "dim",
    "body": "dim",
}
_WORD_START = re.compile(r"(?<=\s)(?=\S)")


def run(
    names: Sequence[str], folder: Path, *, speed: float, only: Collection[int], raw: bool
) -> int:
    """Play cassettes, one after the other, `speed` times as fast as recorded (0: at once).

    `only` has the numbers of the interactions to play, empty for all. Returns 130 after Ctrl-C.
    """
    loaded = [(path, importers.load(path)) for path in [find(name, folder) for name in names]]
    for path, cassette in loaded:
        total = len(cassette.interactions)
        if (number := max(only, default=0)) > total:
            raise UsageError(
                f"{display_path(path)} has no interaction {number}.",
                facts=[f"it has: {total}"],
                fix=f"Fix: aquila-cassette show {display_path(path)}",
            )
    screen = Screen()
    player = _RawPlayer(screen) if raw else TextPlayer(screen)
    # An interrupt amid a write would write some of it twice: it is only noted.
    pressed: list[int] = []
    handler_before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        for path, cassette in loaded:
            name = name_of(path, folder) if len(loaded) > 1 else ""
            for number, one in enumerate(cassette.interactions, 1):
                if not only or number in only:
                    player.begin(name, f"{number}/{len(cassette.interactions)}", one)
                    started = time.monotonic()
                    for at, data in one.response.pieces:
                        due = started + at / 1000 / speed if speed else started
                        while not pressed and (left := due - time.monotonic()) > 0:
                            time.sleep(min(left, _LONGEST_SLEEP))
                        if pressed:
                            player.stop()
                            return _INTERRUPTED
                        player.piece(data)
                    player.end()
    finally:
        signal.signal(signal.SIGINT, handler_before)
    return 0


class TextPlayer:
    """Prints what answers say, as it comes."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._row = ""
        self._line_ends = 0
        self._first = True

    def begin(self, name: str, number: str, one: Interaction) -> None:
        """Print what was asked; `name` is the cassette's where there are several."""
        self._view = InteractionView(one)
        self._reader = AnswerReader(self._view.content_type)
        if not self._first:
            self._screen.line()
        self._first = False
        head, method, url = map(
            escape_control_chars, (f"{name} {number}".strip(), one.request.method, one.request.url)
        )
        self._screen.line((head, "bold"), " ", (method, "bold"), f" {url}")
        if turns := [turn for turn in self._view.asked.turns if turn.kind in ("words", "result")]:
            question = " ".join(turns[-1].text.split())
            if len(question) > _LONGEST_QUESTION:
                question = f"{question[:_LONGEST_QUESTION]}..."
            self._label(turns[-1].role, "cyan")
            self._type(question, "")
        if (one.response.status or 0) >= 400:
            self._label("answer", "dim")
            self._type(self._view.answer_head(), "")

    def piece(self, data: bytes) -> None:
        self._print(self._reader.push(data))

    def end(self, view: InteractionView | None = None) -> None:
        """Print how it ended; `view` has the end where `begin` was given only the beginning."""
        self._print(self._reader.finish())
        view = view or self._view
        self._label("ended", "dim")
        self._type(view.ending(), ENDING_STYLES[view.response.ended])
        self._finish_row()

    def stop(self) -> None:
        """Leave a whole line behind, whatever was printed."""
        self._finish_row()

    def _print(self, added: Sequence[AddedText]) -> None:
        for kind, text, begins in added:
            if kind != self._row or begins:
                self._label(kind, _LABEL_STYLES.get(kind, "dim"), again=kind == self._row)
                if kind == "called":
                    text = f"→ {text}"
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
            self._line_ends += place > 0
            for word in filter(None, _WORD_START.split(line)):
                if self._line_ends:
                    self._screen.part("\n" * self._line_ends + " " * _INDENT)
                    self._write = self._screen.typist(_INDENT)
                    self._line_ends = 0
                self._write(word, style)

    def _finish_row(self) -> None:
        if self._row:
            self._screen.line()
        self._row = ""
        self._line_ends = 0


class _RawPlayer:
    """Writes the bytes of answers as they come: as they are in a pipe, with escapes elsewhere."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def begin(self, _name: str, _number: str, _one: Interaction) -> None:
        self._decode = getincrementaldecoder("utf-8")("backslashreplace").decode

    def piece(self, data: bytes) -> None:
        if self._screen.is_terminal:
            self._screen.part(escape_control_chars(self._decode(data)))
        else:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def end(self) -> None:
        self.stop()

    def stop(self) -> None:
        if self._screen.is_terminal:
            self._screen.line()
