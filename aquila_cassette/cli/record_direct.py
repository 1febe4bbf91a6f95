"""``record --direct``: the recorded requests asked again, live, with no test."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import httpx

from aquila_cassette.cli.outcome import Outcome, show_outcomes
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.play import Player
from aquila_cassette.cli.rerecord.keys import require_keys, target
from aquila_cassette.cli.rerecord.live import TIMEOUT, ask_again, refuse_at_once
from aquila_cassette.dialects.providers import provider_for_key
from aquila_cassette.errors import AquilaError, CassetteError
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars
from aquila_cassette.transcript.interaction import InteractionView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.cli.rerecord.line import Line
    from aquila_cassette.cli.rerecord.picking import Picked
    from aquila_cassette.model import Interaction

__all__ = ["plan", "run"]

_BROKE_OFF = 130  # what a shell gives a program that Ctrl-C ended


def plan(screen: Screen, picks: Sequence[Picked], line: Line) -> None:
    """Show what would be sent.

    Args:
        screen: Where.
        picks: The cassettes.
        line: The line to the providers.
    """
    refused = _refused(picks, line)
    asked = [one for one in picks if one.path not in refused]
    number = sum(len(one.tape.interactions) for one in asked)
    screen.line(f"Would send {count(number, 'request')} of {count(len(asked), 'cassette')}, live:")
    for one in asked:
        for interaction in one.tape.interactions:
            request = interaction.request
            url = target(request.url, line.base_url)
            provider = provider_for_key(request.url)
            key = f"  {provider.key_variables[0]}" if provider else ""
            screen.line(
                "  ",
                escape_control_chars(request.method),
                f" {escape_control_chars(url)}",
                (key, "dim"),
            )
    for error in refused.values():
        screen.line(escape_control_chars(str(error)))


def run(screen: Screen, picks: Sequence[Picked], line: Line) -> int:
    """Ask the requests of some cassettes again, and show what changed.

    Args:
        screen: Where to show it.
        picks: The cassettes.
        line: The line to the providers.

    Returns:
        The exit code: 0 where all were recorded again, 1 where not, 130 where Ctrl-C stopped it.

    Raises:
        UsageError: A key is missing; nothing was sent.
    """
    refused = _refused(picks, line)
    urls = {
        display_path(one.path): [interaction.request.url for interaction in one.tape.interactions]
        for one in picks
        if one.path not in refused
    }
    require_keys(urls, line.environ, line.headers)
    outcomes: list[Outcome] = []
    stopped = False
    with httpx.Client(timeout=TIMEOUT) as client:
        for one in picks:
            audience = _Audience(screen, one)
            try:
                if error := refused.get(one.path):
                    raise error
                if stopped:
                    outcomes.append(Outcome(one.name, "kept", one.tape, one.tape, "not asked"))
                    continue
                new = ask_again(one.tape, one.path, _fix(one), line, audience, client)
            except CassetteError as error:
                audience.stop()
                print_error(escape_control_chars(str(error)))
                why = error.what.partition(": ")[2] or error.what
                outcomes.append(Outcome(one.name, "kept", one.tape, one.tape, why))
            except KeyboardInterrupt:
                audience.stop()
                stopped = True
                outcomes.append(Outcome(one.name, "kept", one.tape, one.tape, "stopped"))
            else:
                outcomes.append(Outcome(one.name, "re-recorded", one.tape, new))
            screen.line()
    show_outcomes(screen, outcomes)
    if stopped:
        print_error("Stopped. Each cassette is whole: the old one or the new one.")
        return _BROKE_OFF
    return int(any(one.result != "re-recorded" for one in outcomes))


class _Audience:
    """Shows the answers of one cassette as they come."""

    def __init__(self, screen: Screen, one: Picked) -> None:
        self._player = Player(screen)
        self._name = one.name
        self._total = len(one.tape.interactions)

    def begin(self, number: int, interaction: Interaction) -> None:
        self._player.begin(self._name, f"{number}/{self._total}", interaction)

    def piece(self, data: bytes) -> None:
        self._player.piece(data)

    def end(self, interaction: Interaction) -> None:
        self._player.end(InteractionView(interaction))

    def stop(self) -> None:
        self._player.stop()


def _refused(picks: Sequence[Picked], line: Line) -> dict[object, AquilaError]:
    refused: dict[object, AquilaError] = {}
    for one in picks:
        try:
            refuse_at_once(one.tape, one.path, _fix(one), line)
        except AquilaError as error:
            refused[one.path] = error
    return refused


def _fix(one: Picked) -> str:
    if one.tests:
        return f"Record it through its tests: aquila-cassette record {shlex.quote(one.name)}"
    return "Record it by what recorded it: no test has signed it"
