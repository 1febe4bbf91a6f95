"""`record`: re-record cassettes by running their tests, or without tests (`record_direct`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aquila_cassette import importers
from aquila_cassette.cli.folder import name_of
from aquila_cassette.cli.output import Progress, Screen, print_error
from aquila_cassette.cli.record_outcome import Outcome, show_outcomes
from aquila_cassette.cli.record_selection import Target, module_of, owner_of, owners_of, select
from aquila_cassette.cli.shared_options import Folder, app
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.model import CassetteData
from aquila_cassette.redaction import Redaction
from aquila_cassette.session.current_session import is_within
from aquila_cassette.storage.names import cassettes_in
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

_INTERNAL_ERROR = 3  # pytest's exit code; pytest itself is not loaded here
_GOOD = ("passed", "xfailed")
_IS_POSIX = os.name == "posix"
# pytest writes to its standard error, a file; its standard output is a pipe for its events alone.
# It must be the first to import the plugin, so that it can rewrite assertions.
_RUN_PYTEST = (
    "import os, pytest; os.environ['AQUILA_CASSETTE_EVENTS'] = str(os.dup(1)); os.dup2(2, 1); "
    "raise SystemExit(pytest.main())"
)


@app.command("record")
def run(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Cassettes, paths, or patterns of names: 'chat/*'."),
    ] = None,
    folder: Folder = FOLDER,
    stale: Annotated[
        str | None, typer.Option(metavar="AGE", help="What is older than AGE: 30d (also h, w, y).")
    ] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="What tests missed when they ran last.")
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Without tests: send the recorded requests again.")
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="With --direct: ask there, not the recorded host."),
    ] = None,
) -> int:
    """Record cassettes again, and show what changed.

    Exactly the tests that recorded them are run, in one pytest. What follows -- is passed to it.
    Only a test that passed replaces what it had recorded, and a good answer is never replaced by a
    failure. NAMEs and --stale narrow each other down; --failed adds to them.

    With --direct the recorded requests are sent again without tests, with the key from the
    provider's usual variable. The cassette stays as it was where it is not known what the test
    would send.

    Exit codes: 0, all were recorded again; 1, some stay as they were; 2, a file or an argument is
    wrong; 130, Ctrl-C.

    \b
    Example:
      aquila-cassette record 'chat/*' --stale 30d -- -n 4
    """
    if not (names or stale or failed):
        raise UsageError(
            "record needs to know which cassettes to record again.",
            facts=["expected: names, patterns, --stale or --failed"],
            fix="Fix: aquila-cassette record '*' records all",
        )
    if (failed or context.obj) if direct else base_url:
        raise UsageError(
            "--direct and --base-url send what is on a cassette, without tests.",
            fix="Fix: use --base-url with --direct; --failed and `--` without it",
        )
    targets, root, is_damaged = select(names or (), folder, stale, failed=failed)
    screen = Screen()
    code = 0
    if not targets:
        why = ["no test missed when it ran last"] if failed else []
        why += [f"nothing is older than {stale}"] if stale else []
        what = ", and ".join(why) or "there are no cassettes"
        print_error(f"Nothing to record again: {what}.")
    elif direct:
        from aquila_cassette.cli.record_direct import resend

        code = resend(screen, targets, base_url)
    else:
        code = _run_tests(screen, targets, root, folder, context.obj or ())
    return code or (2 if is_damaged else 0)


def _run_tests(
    screen: Screen, targets: Sequence[Target], root: Path, folder: Path, arguments: Sequence[str]
) -> int:
    """Run the tests of some cassettes in mode ``all``, show what changed, return the exit code."""
    tests = list(dict.fromkeys(test for one in targets for test in one.tests))
    others = list(_also_recorded(targets, tests, folder))
    started = datetime.now(UTC).replace(microsecond=0)
    run = _Run(root)
    existing = [test for test in tests if (root / module_of(test)).exists()]
    if existing:
        progress = Progress(screen, len(existing))
        with _pytest(existing, arguments, run) as events:
            for event in events:
                run.take(event, progress)
        if run.broke_off:
            how = "broke off" if run.found else "did not run"
            log = escape_control_chars(Redaction().text(run.log)).rstrip()
            print_error(f"pytest {how}:\n{log}")
            if not run.found:
                return 2
        screen.line()
    outcomes = [_outcome(one, run, started) for one in targets]
    also = [_outcome(one, run, started) for one in others]
    outcomes += [one for one in also if one.result != "kept"]
    failed = {test: why for test, (outcome, why) in run.ends.items() if outcome == "failed"}
    for name, why in [*failed.items(), *run.broken.items()]:
        screen.line((escape_control_chars(name), "bold red"))
        screen.line(indent(escape_control_chars(why).rstrip(), "  "))
        screen.line()
    code = show_outcomes(screen, outcomes, is_stopped=run.is_interrupted)
    return 2 if existing and run.broke_off else code


@dataclass
class _Run:
    """What pytest reported; `root` is where node ids begin."""

    root: Path
    found: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)  # files it could not collect, and why
    ends: dict[str, tuple[str, str]] = field(default_factory=dict)  # outcome, why it did not pass
    unchanged: set[tuple[str, Path]] = field(default_factory=set)  # recorded the same again
    status: int | None = None
    is_interrupted: bool = False
    log: str = ""

    @property
    def broke_off(self) -> bool:
        """Whether pytest ended by an accident of its own: killed, crashed, an internal error."""
        return self.status in (None, _INTERNAL_ERROR) and not self.is_interrupted

    def take(self, event: dict[str, object], progress: Progress) -> None:
        match event:
            case {"found": list(tests)}:
                self.found.update(tests)
                progress.total = len(self.found)
            case {"broken": str(module), "why": str(why)}:
                self.broken[module] = why
            case {"test": str(test), "outcome": str(outcome), "why": str(why)}:
                if test not in self.ends:  # else it was run again after a failure
                    progress.done(test, well=outcome in _GOOD)
                self.ends[test] = outcome, why
            case {"unchanged": list(pairs)}:
                self.unchanged = {(test, Path(path).resolve()) for test, path in pairs}
            case {"ended": int(status)}:
                self.status = status

    def why_not(self, test: str) -> str:
        """Return why a test, or a class or module, recorded nothing; empty if it ended as it should."""
        within = [(one, *end) for one, end in self.ends.items() if is_within(one, test)]
        bad = [one for one in within if one[1] not in _GOOD]
        if within and not bad:
            return ""
        for name, outcome, why in bad:
            first_line = why.strip().partition("\n")[0]
            return f"{name} {outcome}: {first_line}".rstrip(": ")
        module = module_of(test)
        if module in self.broken:
            last_line = self.broken[module].strip().rpartition("\n")[2].removeprefix("E").strip()
            return f"{module} cannot be collected: {last_line}"
        if test in self.found or self.is_interrupted:
            return f"{test} did not run"
        return f"{test} is gone, or pytest's options leave it out"


@contextmanager
def _pytest(
    tests: Sequence[str], arguments: Sequence[str], run: _Run
) -> Iterator[Iterator[dict[str, Any]]]:
    """Run tests in a pytest process, and give what the plugin `selected_tests` reports.

    Ctrl-C is passed on once: pytest then ends by itself, and its cassettes are whole. A second
    one kills it.
    """
    with tempfile.TemporaryDirectory() as name, Path(name, "log.txt").open("wb+") as log:
        selected, modules = Path(name, "selected.json"), Path(name, "modules.txt")
        selected.write_text(json.dumps(tests), "utf-8")
        modules.write_text("".join(f"{one}\n" for one in dict.fromkeys(map(module_of, tests))))
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", _RUN_PYTEST, *arguments),
                *("-p", "aquila_cassette.plugin.selected_tests"),
                *("--continue-on-collection-errors", "--aquila-record=all", f"@{modules}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=run.root,
            env={**os.environ, "AQUILA_CASSETTE_SELECTED": str(selected)},
            # A terminal would pass Ctrl-C on as well, and a second one cuts its end short.
            process_group=0 if _IS_POSIX else None,
        )

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            if run.is_interrupted:
                process.kill()
            elif _IS_POSIX:
                process.send_signal(signal.SIGINT)
            run.is_interrupted = True

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            with process:
                assert process.stdout is not None
                try:
                    yield (json.loads(line) for line in process.stdout)
                except BaseException:
                    process.kill()
                    raise
        finally:
            signal.signal(signal.SIGINT, before)
            run.log = Path(log.name).read_text("utf-8", "replace")


def _also_recorded(
    targets: Sequence[Target], tests: Sequence[str], folder: Path
) -> Iterator[Target]:
    """Yield the cassettes that nobody selected and that these tests record as well."""
    selected = {one.path.absolute() for one in targets}
    for path in cassettes_in(folder):
        if path.absolute() in selected:
            continue
        try:
            cassette = importers.load(path)
        except CassetteError:
            continue  # it is not what was asked for; `list` and `check` report it
        owners = sorted({one.owner for one in cassette.interactions if one.owner})
        if common := [owner for owner in owners if _are_related(owner, tests)]:
            yield Target(name_of(path, folder), path, cassette, tuple(common))


def _are_related(owner: str, tests: Sequence[str]) -> bool:
    """Return whether an owner is one of these tests, is wider (a class), or in one that is wider."""
    return any(is_within(test, owner) or is_within(owner, test) for test in tests)


def _outcome(one: Target, run: _Run, started: datetime) -> Outcome:
    try:
        new = importers.load(one.path) if one.path.exists() else CassetteData()
    except CassetteError as error:
        print_error(escape_control_chars(str(error)))
        why = f"it cannot be read: {error.what}"
        return Outcome(one.name, "kept", one.cassette, one.cassette, why)
    reasons = []
    for test in one.tests:
        if why := run.why_not(test):
            reasons.append(why)
        elif (test, one.path.resolve()) not in run.unchanged and not _is_recorded(
            test, one.cassette, new, started
        ):
            outcome = run.ends.get(test, ("passed",))[0]
            reasons.append(f"{test} {outcome} and recorded nothing here")
    # A test that fails at its very end may have replaced one of its cassettes.
    is_kept = len(reasons) == len(one.tests) and new.interactions == one.cassette.interactions
    if one.unsigned:
        number = count(one.unsigned, "interaction")
        reasons.append(f"{number} recorded by no test (--direct sends them again)")
    why = f"{reasons[0]} (and {len(reasons) - 1} more)" if len(reasons) > 1 else "".join(reasons)
    if is_kept:
        return Outcome(one.name, "kept", one.cassette, new, why)
    return Outcome(one.name, "in part" if why else "re-recorded", one.cassette, new, why)


def _is_recorded(test: str, old: CassetteData, new: CassetteData, started: datetime) -> bool:
    """Return whether a test that passed has replaced all that it had recorded."""
    now = [one for one in new.interactions if owner_of(one) == test]
    if test not in owners_of(old.interactions):
        return bool(now) or new.interactions != old.interactions  # by its session fixture
    return all(
        (parse_time(one.recorded_at) or started) >= started
        for one in now
        if one in old.interactions
    )
