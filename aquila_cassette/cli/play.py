"""`play`: print the streams of a cassette at their recorded pace."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette import importers
from aquila_cassette.cli.folder import find, name_of
from aquila_cassette.cli.output import Screen
from aquila_cassette.cli.shared_options import Folder, app
from aquila_cassette.cli.show import ENDING_STYLES, LABEL_STYLES
from aquila_cassette.dialects.framing import framing
from aquila_cassette.dialects.reading import timeline_text
from aquila_cassette.errors import UsageError
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import escape_control_chars
from aquila_cassette.transcript.interaction_text import InteractionView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila_cassette.model import Interaction

_INDENT = 13
_LONGEST_QUESTION = 120
_LABELS = {"words": "said", "thought": "thought", "refusal": "refused", "call": "called"}
_STYLES = {"thought": "dim italic", "called": "magenta", "error": "red", "refused": "yellow"}


@app.command("play")
def run(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Cassettes, or paths.")],
    folder: Folder = FOLDER,
    speed: Annotated[
        float, typer.Option(min=0.0, metavar="FACTOR", help="4 is four times as fast, 0 at once.")
    ] = 1.0,
    only: Annotated[
        list[int] | None,
        typer.Option("--only", "-n", min=1, metavar="N", help="The interaction with that number."),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Play the bytes as they came.")] = False,
) -> int:
    """Play a cassette's streams at their recorded pace. Ctrl-C stops.

    --raw plays the bytes of the answers; in a pipe nothing else is written.

    \b
    Example:
      aquila-cassette play chat_live.responds --only 2 --raw | my-parser
    """
    loaded = [(path, importers.load(path)) for path in [find(name, folder) for name in names]]
    for path, cassette in loaded:
        if max(only or [0]) > len(cassette.interactions):
            what = f"{display_path(path)} has {len(cassette.interactions)} interactions."
            raise UsageError(what, fix=f"Fix: aquila-cassette show {display_path(path)}")
    screen = Screen()
    text: _TextPlayer | None = None
    try:
        for path, cassette in loaded:
            name = f"{name_of(path, folder)} " if len(loaded) > 1 else ""
            for number, one in enumerate(cassette.interactions, 1):
                if only and number not in only:
                    continue
                paced = _paced(one, speed)
                if not raw:
                    if text:
                        screen.line()
                    text = _TextPlayer(screen, one)
                    text.play(f"{name}{number}/{len(cassette.interactions)}", paced)
                for data in paced if raw else ():
                    if screen.is_terminal:
                        screen.part(escape_control_chars(data.decode("utf-8", "backslashreplace")))
                    else:
                        sys.stdout.buffer.write(data)
                        sys.stdout.buffer.flush()
    except KeyboardInterrupt:
        if text or screen.is_terminal:
            screen.line()
        return 130  # what a shell gives a program that Ctrl-C ended
    return 0


def _paced(one: Interaction, speed: float) -> Iterator[bytes]:
    """Yield the pieces at their times, `speed` times as fast as recorded (0: at once)."""
    # An interrupt amid a write would write some of it twice: it is only noted.
    pressed: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    started = time.monotonic()
    try:
        for at, data in one.response.pieces:
            due = started + at / 1000 / speed if speed else started
            while not pressed and (left := due - time.monotonic()) > 0:
                time.sleep(min(left, 0.2))
            if pressed:
                raise KeyboardInterrupt
            yield data
    finally:
        signal.signal(signal.SIGINT, before)


class _TextPlayer:
    """Prints what was asked, and what the answer says as it comes."""

    def __init__(self, screen: Screen, one: Interaction) -> None:
        self._screen, self._view = screen, InteractionView(one)
        self._part, self._label, self._line_ends = -1, "", ""

    def play(self, head: str, paced: Iterable[bytes]) -> None:
        request, response = self._view.request, self._view.response
        kind, pieces = self._view.content_type, [data for _, data in response.pieces]
        is_too_large = not self._view.is_read and framing(kind, response.body) == "json"
        added = deque(
            (new.piece, new.part, _LABELS.get(new.kind, new.kind), new.name, new.text)
            for new in ([] if is_too_large else timeline_text(kind, pieces))
        )
        is_by_a_model = bool(added)
        method, url = map(escape_control_chars, (request.method, request.url))
        self._screen.line((escape_control_chars(head), "bold"), " ", (method, "bold"), f" {url}")
        if turns := [turn for turn in self._view.asked.turns if turn.kind in ("words", "result")]:
            question = " ".join(turns[-1].text.split())
            if len(question) > _LONGEST_QUESTION:
                question = f"{question[:_LONGEST_QUESTION]}..."
            self._row(turns[-1].role, "cyan")
            self._write(question)
        if (response.status or 0) >= 400:
            self._row("answer", "dim")
            self._write(self._view.answer_head())
        for place, data in enumerate(paced):
            if not is_by_a_model:
                added.append((place, 0, "body", "", data.decode("utf-8", "replace")))
            while added and added[0][0] == place:
                _, part, label, name, text = added.popleft()
                if part != self._part:
                    self._row(label, LABEL_STYLES.get(label, "dim"))
                    text = f"→ {name} {text}" if label == "called" else text
                self._part = part
                self._write(text, _STYLES.get(label, ""))
        self._row("ended", "dim")
        self._write(self._view.ending(), ENDING_STYLES[response.ended])
        self._screen.line()

    def _row(self, label: str, style: str) -> None:
        if self._label:
            self._screen.line()
        lead = "" if label == self._label else escape_control_chars(label)
        self._label, self._line_ends = label, ""
        self._screen.part((f"  {lead:{_INDENT - 3}} ", style))

    def _write(self, text: str, style: str = "") -> None:
        # A line end waits for what follows it, so that rows end in none.
        text = self._line_ends + escape_control_chars(text)
        written = text.rstrip("\n")
        self._line_ends = text[len(written) :]
        self._screen.part((re.sub(r"\n(?!\n)", "\n" + " " * _INDENT, written), style))
