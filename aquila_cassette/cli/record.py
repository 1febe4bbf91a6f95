"""`record`: re-record cassettes by running their tests, or without tests (`record_direct`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette import importers
from aquila_cassette.cli.output import Screen, print_diff, print_error
from aquila_cassette.cli.record_selection import Outcome, Target, module_of, select
from aquila_cassette.cli.run_pytest import PytestRun, run_pytest
from aquila_cassette.cli.shared_options import Folder, app
from aquila_cassette.errors import CassetteError, UsageError
from aquila_cassette.model import CassetteData
from aquila_cassette.session.current_session import is_within
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Sequence


_HEADINGS = ("NAME", "RESULT", "CHANGED, OR WHY NOT")
_STYLES = {"re-recorded": "green", "in part": "yellow", "kept": "red"}
_SHRINK = ((2, 30), (0, 20), (2, 12))
_INTERRUPTED = 130  # what a shell gives a program that Ctrl-C ended
_MOST_LINES = 40  # of the differences of one interaction


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

        outcomes, is_stopped = resend(screen, targets, base_url)
        code = _show(screen, outcomes, is_stopped=is_stopped)
    else:
        code = _run_tests(screen, targets, root, context.obj or ())
    return code or (2 if is_damaged else 0)


def _run_tests(
    screen: Screen, targets: Sequence[Target], root: Path, arguments: Sequence[str]
) -> int:
    """Run the tests of some cassettes in mode ``all``, show what changed, return the exit code."""
    tests = list(dict.fromkeys(test for one in targets for test in one.tests))
    run = PytestRun({}, 0, is_stopped=False)
    if any((root / module_of(test)).exists() for test in tests):
        always = ("-v", "--continue-on-collection-errors", "--aquila-record=all")
        run = run_pytest([*arguments, *always], root, tests)
        if run.broke_off:
            print_error("pytest broke off.")
    outcomes = [_outcome(one, run, root) for one in targets]
    code = _show(screen, outcomes, is_stopped=run.is_stopped)
    return 2 if run.broke_off and tests else code


def _outcome(one: Target, run: PytestRun, root: Path) -> Outcome:
    try:
        new = importers.load(one.path) if one.path.exists() else CassetteData()
    except CassetteError as error:
        print_error(escape_control_chars(str(error)))
        why = f"it cannot be read: {error.what}"
        return Outcome(one.name, "kept", one.cassette, one.cassette, why)
    reasons = [why for test in one.tests if (why := _why_not(test, one.path, run, root))]
    # A test that fails at its very end may have replaced one of its cassettes.
    is_kept = len(reasons) == len(one.tests) and new.interactions == one.cassette.interactions
    if one.unsigned:
        number = count(one.unsigned, "interaction")
        reasons.append(f"{number} recorded by no test (--direct sends them again)")
    why = f"{reasons[0]} (and {len(reasons) - 1} more)" if len(reasons) > 1 else "".join(reasons)
    if is_kept:
        return Outcome(one.name, "kept", one.cassette, new, why)
    return Outcome(one.name, "in part" if why else "re-recorded", one.cassette, new, why)


def _why_not(test: str, path: Path, run: PytestRun, root: Path) -> str:
    """Return why a test, or a class or module, did not record a cassette again; empty if it did."""
    facts = {
        name: [one for one in run.facts.get(name, ()) if is_within(one, test)]
        for name in ("tests", "failed", "not_passed", "xfailed", "passed")
    }
    if facts["failed"]:
        return f"{facts['failed'][0]} failed"
    if skipped := [one for one in facts["not_passed"] if one not in facts["xfailed"]]:
        return f"{skipped[0]} was skipped"
    if facts["passed"] or facts["xfailed"]:
        recorded = ((by, Path(file).resolve()) for by, file in run.facts["recorded_by"])
        is_here = (test, path.resolve()) in recorded
        return "" if is_here else f"{test} ended well and recorded nothing here"
    if facts["tests"] or not run.facts:
        return f"{test} did not run to its end"
    module = module_of(test)
    if (root / module).exists() and module not in run.facts["modules"]:
        return f"{module} cannot be collected"
    return f"{test} is gone, or pytest's options leave it out"


def _show(screen: Screen, outcomes: Sequence[Outcome], *, is_stopped: bool) -> int:
    """Print what changed in each cassette, a line for each, and a sum; return the exit code."""
    for one in outcomes:
        if one.result != "kept" and one.old.interactions and not one.comparison.same:
            screen.line((escape_control_chars(one.name), "bold"))
            print_diff(one.comparison.lines(_MOST_LINES), screen)
            screen.line()
    rows = [
        ((one.name, "bold"), (one.result, _STYLES[one.result]), " ".join(one.changed.split()))
        for one in outcomes
    ]
    for line in screen.table(_HEADINGS, rows, shrink=_SHRINK):
        screen.line(line)
    screen.line()
    screen.line(_summary(outcomes))
    if is_stopped:
        print_error("Stopped. Each cassette is whole: the old one or the new one.")
        return _INTERRUPTED
    return int(any(one.result != "re-recorded" for one in outcomes))


def _summary(outcomes: Sequence[Outcome]) -> str:
    results: list[str] = [one.result for one in outcomes]
    summary = f"{count(results.count('re-recorded'), 'cassette')} re-recorded"
    for result, words in (("in part", "in part"), ("kept", "kept as before")):
        if number := results.count(result):
            summary += f", {number} {words}"
    if set(results) != {"kept"}:
        changed = sum(one.result != "kept" and not one.comparison.same for one in outcomes)
        summary += f"; {changed or 'nothing'} changed"
    return f"{summary}."
