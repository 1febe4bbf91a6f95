"""`convert`: write cassettes of other recorders in our format, and ours in the format of vcrpy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aquila_cassette.cli.folder import find
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.shared_options import Allow, DryRun, Folder, KeepHeaders, Redact, app
from aquila_cassette.errors import AquilaError, SecretLeakError, UsageError
from aquila_cassette.importers import cassettes_in, read_foreign, stem, vcrpy
from aquila_cassette.model import CassetteData, Interaction
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage import files
from aquila_cassette.storage.bodies import one_at_a_time
from aquila_cassette.storage.format import as_read, encode, loads
from aquila_cassette.storage.names import display_path
from aquila_cassette.storage.yaml_reader import joined
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator


class TargetFormat(StrEnum):
    """The format to write: ours, or vcrpy's."""

    v1 = "v1"
    vcrpy = "vcrpy"


@dataclass(slots=True)
class _Conversion:
    """What a file is to become; no `data` where it has that format already."""

    origin: str
    interactions: tuple[Interaction, ...]
    left_out: int  # how many are no HTTP
    hidden: Counter[str] = field(default_factory=Counter)  # by redaction
    lost: list[str] = field(default_factory=list)  # what the new format cannot hold
    data: bytes = b""


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
    written = code = 0
    for path, root in sources.items():
        target = path.with_name(f"{stem(path.name)}.yaml")
        if output:
            target = output / target.absolute().relative_to(root.absolute())
        try:
            new = _convert(path, to, rules)
            why = "it is in that format already"
            if new.data:
                is_in_place = in_place and target.resolve() == path.resolve()
                if dry_run:
                    why = _in_the_way(new, target, is_in_place=is_in_place)
                else:
                    why = _write(new, target, to, is_in_place=is_in_place)
        except AquilaError as error:
            print_error(escape_control_chars(str(error)))
            code = max(code, 1 if isinstance(error, UsageError) else 2)
            continue
        written += not why
        _show(screen, path, new, target, why)
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


def _convert(path: Path, to: TargetFormat, redact: Redaction) -> _Conversion:
    new = _read(path, to, redact)
    if new.origin == ("ours" if to == "v1" else "vcrpy"):
        return new
    if to == "v1":
        new.data = encode(CassetteData(new.interactions, files.program()))
    else:
        losses = enumerate(map(vcrpy.losses, new.interactions), 1)
        new.lost = [f"interaction {number}: {what}" for number, what in losses if what]
        new.interactions = tuple(one for one in new.interactions if one.response.status)
        new.data = joined(vcrpy.chunks(new.interactions))
    if leaks := redact.leaks(new.data):
        raise SecretLeakError(
            f"{display_path(path)} was not converted, since the new file would hold a secret.",
            path=path,
            facts=[f"line {leak.line} of it: {leak.kind}" for leak in leaks],
            fix="Fix: name the field it is in with --redact",
        )
    return new


def _read(path: Path, to: TargetFormat, redact: Redaction) -> _Conversion:
    """Read a file, and redact its interactions."""
    data = files.read(path)
    cassette = read_foreign(data, path=path) or loads(data, path=path)
    new = _Conversion(cassette.foreign or "ours", cassette.interactions, cassette.left_out)

    def clean(one: Interaction) -> Interaction:
        for message in (one.request, one.response):
            new.hidden.update(found.kind for found in redact.findings(message))
        return as_read(redact.interaction(one))

    if new.origin != ("ours" if to == "v1" else "vcrpy"):
        new.interactions = tuple(map(clean, one_at_a_time(cassette.interactions)))
    return new


def _write(new: _Conversion, path: Path, to: TargetFormat, *, is_in_place: bool) -> str:
    """Write a file, or return why it is left."""
    with files.changing(path) as target:
        why = _in_the_way(new, path, is_in_place=is_in_place)
        if not why:
            if to == "v1":
                files.check_reads_back(new.data, new.interactions, path)
            elif not all(map(vcrpy.reads_back, one_at_a_time(new.interactions))):
                raise files.read_back_error(path)
            files.replace_file(target, new.data)
    return why


def _in_the_way(new: _Conversion, path: Path, *, is_in_place: bool) -> str:
    """Return whether it is there; refuse to overwrite all else but, in place, the converted file."""
    if is_in_place or not path.exists():
        return ""
    if files.read(path) == new.data:
        return f"{display_path(path)} holds it already"
    raise UsageError(
        f"There is a file at {display_path(path)} already; it is not overwritten.",
        fix="Fix: replace it with --in-place if it is the one to convert; "
        "else write into another folder with -o FOLDER",
    )


def _show(screen: Screen, path: Path, new: _Conversion, target: Path, why: str) -> None:
    """Print a line for a file, and what its new one does not hold; `why` says why it is left."""
    what = f"{new.origin}, {count(len(new.interactions), 'interaction')}"
    name, now = (escape_control_chars(display_path(one)) for one in (path, target))
    screen.line((name, "bold"), f": {what}, {f'left: {why}' if why else f'to {now}'}")
    if why:
        return
    hidden = ", ".join(
        f"{kind} ({number} times)" if number > 1 else kind for kind, number in new.hidden.items()
    )
    if hidden:
        screen.line((f"  hidden: {escape_control_chars(hidden)}", "dim"))
    if new.left_out:
        what = f"{count(new.left_out, 'interaction')} of gRPC or WebSocket"
        screen.line((f"  left out: {what}, which no cassette of ours can hold", "yellow"))
    for lost in new.lost:
        screen.line((f"  lost: {escape_control_chars(lost)}", "yellow"))
