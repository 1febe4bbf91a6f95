"""`convert`: write cassettes of other recorders in our format, and ours in the format of vcrpy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli.folder import find
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.errors import AquilaError, CassetteError, UsageError
from aquila_cassette.importers import FORMAT_NAMES, SUFFIXES, detect_format, stem
from aquila_cassette.importers.conversion import convert, write
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.cli.output import Span
    from aquila_cassette.importers.conversion import Conversion, Target
    from aquila_cassette.redaction import Redaction


_HEADINGS = ("FILE", "FORMAT", "N", "HIDDEN", "RESULT")
_RIGHT = (2, 3)
_SHRINK = ((0, 20), (4, 20))


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to convert, and the folder that its place in the output is counted from."""

    path: Path
    root: Path
    is_named: bool  # by its own name, not by that of a folder it is in


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of one file."""

    path: Path
    text: str
    conversion: Conversion | None = None  # None if it could not be read
    error: AquilaError | None = None
    needs_in_place: bool = False
    is_written: bool = False  # or would be, in a dry run

    @property
    def is_left(self) -> bool:
        return self.needs_in_place or self.error is not None


def run(
    given: Sequence[str],
    folder: Path,
    *,
    to: Target,
    output: Path | None,
    in_place: bool,
    dry_run: bool,
    redact: Redaction,
) -> int:
    """Convert files; return the exit code: 2 if a file failed, 1 if something is in the way."""
    sources = list({one.path: one for name in given for one in _sources(name, folder)}.values())
    results: list[_Result] = []
    taken: set[Path] = set()
    for source in sources:
        try:
            conversion = _read(source, to, redact)
        except CassetteError as error:
            results.append(_Result(source.path, "left: it cannot be converted", error=error))
            continue
        if conversion is not None:
            target = _target(source, output)
            results.append(_write(conversion, target, taken, in_place=in_place, dry_run=dry_run))
    if results:
        _show(results, Screen())
    errors = [one.error for one in results if one.error is not None]
    for one in errors:
        print_error(escape_control_chars(str(one)))
    if waiting := sum(one.needs_in_place for one in results):
        print_error(
            f"{count(waiting, 'file')} would be replaced. "
            "Fix: allow it with --in-place, or write elsewhere with -o FOLDER"
        )
    print_error(_summary(results, to, dry_run=dry_run))
    if not all(isinstance(one, UsageError) for one in errors):
        return 2
    return int(any(one.is_left for one in results))


def _sources(name: str, folder: Path) -> Iterator[_Source]:
    path = Path(name)
    if path.is_dir():
        for one in sorted(path.rglob("*")):
            is_hidden = any(part.startswith(".") for part in one.relative_to(path).parts)
            is_candidate = one.name.lower().endswith(SUFFIXES) or not one.suffix
            if is_candidate and one.is_file() and not is_hidden:
                yield _Source(one, path, is_named=False)
    else:
        one = find(name, folder)
        is_inside = one.absolute().is_relative_to(folder.absolute())
        yield _Source(one, folder if is_inside else one.parent, is_named=True)


def _target(source: _Source, output: Path | None) -> Path:
    path = source.path.with_name(f"{stem(source.path.name)}.yaml")
    return path if output is None else output / path.absolute().relative_to(source.root.absolute())


def _read(source: _Source, to: Target, redact: Redaction) -> Conversion | None:
    """Compute what a file becomes; None if it is no cassette, and nobody named it."""
    is_expected = source.is_named or source.path.suffix.lower() in (".yaml", ".yml")
    if not is_expected and detect_format(files.read(source.path)) is None:
        return None
    return convert(source.path, to, redact)


def _write(
    conversion: Conversion, target: Path, taken: set[Path], *, in_place: bool, dry_run: bool
) -> _Result:
    path, name = conversion.source, display_path(target)
    if not conversion.text:
        format_name = "our" if conversion.target == "v1" else "vcrpy's"
        return _Result(path, f"left: in {format_name} format already", conversion)
    if target == path and not in_place:
        return _Result(path, "left: it would be replaced", conversion, needs_in_place=True)
    try:
        if target in taken:
            raise UsageError(
                f"{display_path(path)} would become {name}, as another of these files does.",
                fix="Fix: convert one of the two into another folder with -o FOLDER",
            )
        is_written = write(conversion, target, in_place=in_place, dry_run=dry_run)
    except AquilaError as error:
        return _Result(path, "left as it was", conversion, error)
    taken.add(target)
    text = f"to {name}" if is_written else f"left: {name} holds it already"
    return _Result(path, text, conversion, is_written=is_written)


def _show(results: Sequence[_Result], screen: Screen) -> None:
    rows = [_row(one) for one in results]
    heading, *table = screen.aligned(_HEADINGS, rows, right=_RIGHT, shrink=_SHRINK)
    screen.line(*heading)
    for one, line in zip(results, table, strict=True):
        screen.line(*line)
        if one.conversion is None or not one.is_written:
            continue
        hidden = ", ".join(
            f"{kind} ({number} times)" if number > 1 else kind
            for kind, number in one.conversion.hidden.items()
        )
        if hidden:
            screen.line((f"  hidden: {escape_control_chars(hidden)}", "dim"))
        for lost in one.conversion.lost:
            screen.line((f"  lost: {escape_control_chars(lost)}", "yellow"))


def _row(one: _Result) -> list[Span]:
    name, text = (display_path(one.path), "bold"), (one.text, "red" if one.is_left else "")
    conversion = one.conversion
    if conversion is None:
        return [name, "-", "-", "-", text]
    hidden = str(conversion.hidden.total()) if conversion.text else "-"
    return [name, conversion.origin or "ours", str(len(conversion.interactions)), hidden, text]


def _summary(results: Sequence[_Result], to: Target, *, dry_run: bool) -> str:
    if not results:
        return "No cassettes there. What is read: vcrpy, cassetter, betamax, HAR, and our own."
    written = sum(one.is_written for one in results)
    would = "would be " if dry_run else ""
    name = "our format" if to == "v1" else FORMAT_NAMES[to]
    return f"{written} of {count(len(results), 'file')} {would}converted to {name}."
