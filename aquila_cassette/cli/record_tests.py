"""``record``: through the tests that recorded the cassettes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aquila_cassette import importers
from aquila_cassette.cli.folder import cassettes_in, name_of
from aquila_cassette.cli.outcome import Outcome, show_outcomes
from aquila_cassette.cli.output import Progress, Screen, align_columns, print_error
from aquila_cassette.cli.rerecord.picking import Picked, module_of, tests_of, whose
from aquila_cassette.cli.testing import TestProcess
from aquila_cassette.errors import CassetteError
from aquila_cassette.model import CassetteData
from aquila_cassette.transcript.humanize import count, escape_control_chars, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aquila_cassette.model import Interaction

__all__ = ["plan", "run"]

_BROKE_OFF = 130  # what a shell gives a program that Ctrl-C ended
_INTERNAL_ERROR = 3  # pytest's exit code; pytest itself is not loaded here
_WELL = ("passed", "xfailed")
_MODULE = re.compile(r"^(\w+\.)+(?=\w+: )")


def plan(screen: Screen, picks: Sequence[Picked]) -> None:
    """Show which tests would run.

    Args:
        screen: Where.
        picks: The cassettes.
    """
    tests = _tests(picks)
    screen.line(f"Would run {count(len(tests), 'test')} for {count(len(picks), 'cassette')}:")
    names = {
        test: ", ".join(one.name for one in picks if test in one.tests) for test in tests
    }  # fmt: skip
    if tests:
        rows = [
            (escape_control_chars(test), escape_control_chars(name)) for test, name in names.items()
        ]
        for test, name in align_columns(rows):
            screen.line("  ", test, "  ", (name, "dim"))
    for one in picks:
        if one.unsigned:
            screen.line(f"{escape_control_chars(one.name)}: {_unsigned(one)}.")


def run(
    screen: Screen, picks: Sequence[Picked], root: Path, folder: Path, arguments: Sequence[str]
) -> int:
    """Run the tests of some cassettes in mode ``all``, and show what changed.

    Args:
        screen: Where to show it.
        picks: The cassettes.
        root: The folder that the tests' node ids begin at.
        folder: The cassette folder.
        arguments: What pytest is given besides.

    Returns:
        The exit code: 0 where all were recorded again, 1 where not, 2 where pytest did not start
        or broke off, 130 where Ctrl-C stopped it.
    """
    tests = _tests(picks)
    all_of_them = [*picks, *_beside(picks, tests, folder)]
    started = datetime.now(UTC).replace(microsecond=0)
    heard = _Heard(root)
    there = [test for test in tests if (root / module_of(test)).is_file()]
    if there:
        with TestProcess(there, arguments, root) as process:
            with Progress(screen, len(there)) as progress:
                for event in process.events():
                    heard.hear(event, progress)
            heard.interrupted = bool(process.interrupted)
            if heard.broke_off:
                how = "broke off" if heard.found else "did not run"
                print_error(f"pytest {how}:\n{escape_control_chars(process.log).rstrip()}")
                if not heard.found:
                    return 2
    outcomes = [
        outcome
        for place, one in enumerate(all_of_them)
        if (outcome := _outcome(one, heard, started)).result != "kept" or place < len(picks)
    ]
    if there:
        screen.line()
    _show_failures(screen, heard)
    show_outcomes(screen, outcomes)
    if heard.interrupted:
        print_error("Stopped. Each cassette is whole: the old one or the new one.")
        return _BROKE_OFF
    if there and heard.broke_off:
        return 2
    return int(any(one.result != "re-recorded" for one in outcomes))


@dataclass
class _Heard:
    """What pytest told.

    Args:
        root: The folder that node ids begin at.
        found: The tests that it found and was not told to leave out.
        broken: The files that it could not collect, and why.
        ends: How the tests ended, and why they did not pass.
        given_up: Why tests that ended well gave up what they recorded.
        status: How pytest ended; None as long as it did not.
        interrupted: Whether Ctrl-C stopped it.
    """

    root: Path
    found: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)
    given_up: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    interrupted: bool = False

    @property
    def broke_off(self) -> bool:
        """Whether pytest ended by an accident of its own: killed, crashed, an internal error."""
        return self.status in (None, _INTERNAL_ERROR) and not self.interrupted

    def hear(self, event: dict[str, object], progress: Progress) -> None:
        """Take one event."""
        match event:
            case {"found": list(tests)}:
                self.found.update(tests)
                progress.expect(len(self.found))
            case {"broken": str(module), "why": str(why)}:
                self.broken[module] = why
            case {"test": str(test), "outcome": str(outcome), "why": str(why), **more}:
                again = test in self.ends  # it was run again after a failure
                self.ends[test] = outcome, why
                self.given_up[test] = str(more.get("given_up", ""))
                if not again:
                    progress.done(test, well=outcome in _WELL)
            case {"ended": int(status)}:
                self.status = status

    def why_not(self, test: str) -> str:
        """Say why a test recorded nothing; an empty text where it ended as it should."""
        outcome, why = self.ends.get(test, ("", ""))
        if outcome in _WELL:
            return ""
        if outcome:
            return f"{test} {outcome}: {_first_line(why)}".rstrip(": ")
        module = module_of(test)
        if module in self.broken:
            return f"{module} cannot be collected: {_last_line(self.broken[module])}"
        if not (self.root / module).is_file():
            return f"{test} is gone: there is no {module}"
        if test in self.found or self.interrupted:
            return f"{test} did not run"
        return f"{test} is gone, or pytest's options leave it out"

    def why_not_here(self, test: str) -> str:
        """Say of a test that ended as it should why it recorded nothing in a cassette."""
        outcome, _ = self.ends[test]
        if why := self.given_up[test]:
            return f"{test} {outcome} and kept nothing: {why}"
        return f"{test} {outcome} and recorded nothing here"


def _tests(picks: Sequence[Picked]) -> list[str]:
    return list(dict.fromkeys(test for one in picks for test in one.tests))


def _beside(picks: Sequence[Picked], tests: Sequence[str], folder: Path) -> list[Picked]:
    """List the cassettes that nobody picked, and that the tests record as well."""
    picked = {one.path.absolute() for one in picks}
    chosen = set(tests)
    beside = []
    for path in cassettes_in(folder):
        if path.absolute() in picked:
            continue
        try:
            tape = importers.load(path)
        except CassetteError:
            continue  # it is not what was asked for; `list` and `check` tell of it
        if too := chosen.intersection(tests_of(tape.interactions)):
            beside.append(Picked(name_of(path, folder), path, tape, tuple(sorted(too))))
    return beside


def _outcome(one: Picked, heard: _Heard, started: datetime) -> Outcome:
    try:
        new = importers.load(one.path) if one.path.exists() else CassetteData()
    except CassetteError as error:
        print_error(escape_control_chars(str(error)))
        return Outcome(one.name, "kept", one.tape, one.tape, f"it cannot be read: {error.what}")
    reasons = []
    for test in one.tests:
        if why := heard.why_not(test):
            reasons.append(why)
        elif _left(one.tape, new, test, started):
            reasons.append(heard.why_not_here(test))
    # A test that fails at its very end may have replaced one of its cassettes.
    all_failed = len(reasons) == len(one.tests) and new.interactions == one.tape.interactions
    if one.unsigned:
        reasons.append(_unsigned(one))
    why = f"{reasons[0]} (and {len(reasons) - 1} more)" if len(reasons) > 1 else "".join(reasons)
    if all_failed:
        return Outcome(one.name, "kept", one.tape, new, why)
    return Outcome(one.name, "in part" if why else "re-recorded", one.tape, new, why)


def _left(old: CassetteData, new: CassetteData, test: str, started: datetime) -> bool:
    """Tell whether what a test recorded before still stands, though it has passed."""

    def mine(tape: CassetteData) -> Counter[Interaction]:
        return Counter(one for one in tape.interactions if whose(one) == test)

    was, now = mine(old), mine(new)
    if not was:
        return not now
    return any((parse_time(one.recorded_at) or started) < started for one in was & now)


def _unsigned(one: Picked) -> str:
    number = count(one.unsigned, "interaction")
    return f"{number} recorded by no test (--direct asks again)"


def _show_failures(screen: Screen, heard: _Heard) -> None:
    bad = {test: why for test, (outcome, why) in heard.ends.items() if outcome == "failed"}
    for name, why in [*bad.items(), *heard.broken.items()]:
        screen.line((escape_control_chars(name), "bold red"))
        for line in escape_control_chars(why).rstrip().split("\n"):
            screen.line("  ", line)
        screen.line()


def _first_line(text: str) -> str:
    """Give the first line, an exception without the module that it comes from."""
    return _MODULE.sub("", text.strip().partition("\n")[0])


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].removeprefix("E").strip()
