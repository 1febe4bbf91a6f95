"""`convert`: write cassettes of other recorders in our format, and ours in the format of vcrpy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette.cli.folder import find
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.shared_options import Allow, DryRun, Folder, KeepHeaders, Redact, app
from aquila_cassette.errors import AquilaError, UsageError
from aquila_cassette.importers import cassettes_in, stem
from aquila_cassette.importers.conversion import convert, write
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.importers.conversion import Conversion


class TargetFormat(StrEnum):
    """The format to write: ours, or vcrpy's."""

    v1 = "v1"
    vcrpy = "vcrpy"


@app.command("convert")
def run(
    places: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Cassettes, files or folders."),
    ],
    folder: Folder = FOLDER,
    to: Annotated[
        TargetFormat, typer.Option("--to", help="The format to write.")
    ] = TargetFormat.v1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write there, not next to each file."),
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Replace files whose name stays the same.")
    ] = False,
    dry_run: DryRun = False,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> int:
    """Convert cassettes of other recorders to ours, or ours to vcrpy's format.

    It reads files of vcrpy, cassetter, betamax, HAR, and our own. Each file stays; one whose name
    stays the same is replaced only with --in-place. What saving would redact is redacted, and listed.

    Exit codes: 0, it is done; 1, something is in the way of some; 2, a file or an argument is wrong.

    \b
    Example:
      aquila-cassette convert tests/cassettes -o cassettes --dry-run
    """
    rules = Redaction(redact or (), (), keep or (), allow or ())
    # The files, each with the folder that its place in the output is counted from.
    sources = {path: root for name in places for path, root in _sources(name, folder)}
    screen = Screen()
    taken: set[Path] = set()
    written = waiting = code = 0
    for path, root in sources.items():
        try:
            conversion = convert(path, to.value, rules)
            target = path.with_name(f"{stem(path.name)}.yaml")
            if output:
                target = output / target.absolute().relative_to(root.absolute())
            why = ""
            if not conversion.data:
                why = "it is in that format already"
            elif target == path and not in_place:
                why, waiting, code = "it would be replaced", waiting + 1, max(code, 1)
            elif target in taken:
                raise UsageError(
                    f"Another file became {display_path(target)}, as {display_path(path)} would.",
                    fix="Fix: convert one of the two into another folder with -o FOLDER",
                )
            elif not write(conversion, target, in_place=in_place, dry_run=dry_run):
                why = f"{display_path(target)} holds it already"
        except AquilaError as error:
            print_error(escape_control_chars(str(error)))
            code = max(code, 1 if isinstance(error, UsageError) else 2)
            continue
        written += not why
        taken.add(target)
        _show(screen, conversion, target, why)
    if waiting:
        print_error(
            f"{count(waiting, 'file')} would be replaced. "
            "Fix: allow it with --in-place, or write elsewhere with -o FOLDER"
        )
    if sources:
        would = "would be " if dry_run else ""
        name = "our format" if to == "v1" else "vcrpy's format"
        print_error(f"{written} of {count(len(sources), 'file')} {would}converted to {name}.")
    else:
        print_error(
            "No cassettes there. What is read: vcrpy, cassetter, betamax, HAR, and our own."
        )
    return code


def _sources(name: str, folder: Path) -> Iterator[tuple[Path, Path]]:
    path = Path(name)
    if path.is_dir():
        yield from ((one, path) for one in cassettes_in(path))
    else:
        one = find(name, folder)
        yield one, folder if one.absolute().is_relative_to(folder.absolute()) else one.parent


def _show(screen: Screen, conversion: Conversion, target: Path, why: str) -> None:
    """Print a line for a file, and what its new one does not hold; `why` says why it is left."""
    what = f"{conversion.origin or 'ours'}, {count(len(conversion.interactions), 'interaction')}"
    name, now = (escape_control_chars(display_path(path)) for path in (conversion.source, target))
    screen.line((name, "bold"), f": {what}, {f'left: {why}' if why else f'to {now}'}")
    if why:
        return
    hidden = ", ".join(
        f"{kind} ({number} times)" if number > 1 else kind
        for kind, number in conversion.hidden.items()
    )
    if hidden:
        screen.line((f"  hidden: {escape_control_chars(hidden)}", "dim"))
    if conversion.left_out:
        what = f"{count(conversion.left_out, 'interaction')} of gRPC or WebSocket"
        screen.line((f"  left out: {what}, which no cassette of ours can hold", "yellow"))
    for lost in conversion.lost:
        screen.line((f"  lost: {escape_control_chars(lost)}", "yellow"))
