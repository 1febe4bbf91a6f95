"""``convert``: cassettes of other recorders to ours, and ours to vcrpy's format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette.cli.folder import find
from aquila_cassette.cli.output import Progress, Screen, align_columns, print_error
from aquila_cassette.errors import AquilaError, CassetteError, UsageError
from aquila_cassette.importers import FORMAT_NAMES, SUFFIXES, detect_format, stem
from aquila_cassette.importers.convert import convert, write
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.importers.convert import Conversion, Target
    from aquila_cassette.redaction import Redaction

__all__ = ["run"]

_HEADINGS = ("FILE", "FORMAT", "N", "HIDDEN", "RESULT")
_RIGHT = (2, 3)
_GIVE = ((0, 20), (4, 20))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file to convert, and the folder that its place in the output is told from."""

    path: Path
    root: Path
    asked_for: bool  # by its own name, not by that of a folder it is in


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one file.

    Args:
        path: The file.
        result: What became of it, in a few words.
        conversion: What it was to become; None where it could not be read.
        error: What was wrong; None where nothing was.
        needs_leave: Whether it would be replaced, and may not.
        is_new: Whether something was written, or would be.
    """

    path: Path
    result: str
    conversion: Conversion | None = None
    error: AquilaError | None = None
    needs_leave: bool = False
    is_new: bool = False

    @property
    def is_left(self) -> bool:
        """Whether it is not what it was to become."""
        return self.needs_leave or self.error is not None


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
    """Convert cassettes.

    Args:
        given: Names, files, folders, or patterns of paths.
        folder: The cassette folder.
        to: Whose format to write.
        output: The folder to write into; None for that of each file.
        in_place: Whether a file may be replaced by what it becomes.
        dry_run: Whether to write nothing.
        redact: What to keep out.

    Returns:
        The exit code: 2 where a file could not be read or written, 1 where one stays as it was
        since something is in the way, else 0.

    Raises:
        UsageError: There is no such file.
    """
    wanted = list({one.path: one for name in given for one in _meant(name, folder)}.values())
    screen = Screen()
    done: list[_Done] = []
    taken: set[Path] = set()
    with Progress(screen, len(wanted)) as progress:
        for one in wanted:
            target = _target(one, output)
            became = _convert(one, target, to, redact)
            if became is None:
                continue
            if became.error is None and became.conversion is not None and became.conversion.text:
                became = _put(became.conversion, target, taken, in_place=in_place, dry_run=dry_run)
            done.append(became)
            if screen.is_terminal:
                progress.done(display_path(one.path), well=True)
    if done:
        _show(done, screen)
    failed = [one.error for one in done if one.error is not None]
    for error in failed:
        print_error(escape_control_chars(str(error)))
    if waiting := sum(one.needs_leave for one in done):
        print_error(
            f"{count(waiting, 'file')} would be replaced. "
            "Fix: allow it with --in-place, or write elsewhere with -o FOLDER"
        )
    print_error(_summary(done, to, dry_run=dry_run))
    if any(not isinstance(error, UsageError) for error in failed):
        return 2
    return 1 if any(one.is_left for one in done) else 0


def _meant(name: str, folder: Path) -> Iterator[_Wanted]:
    path = Path(name)
    if path.is_dir():
        for one in sorted(path.rglob("*")):
            visible = not any(part.startswith(".") for part in one.relative_to(path).parts)
            suffixed = one.name.lower().endswith(SUFFIXES) or not one.suffix
            if visible and suffixed and one.is_file():
                yield _Wanted(one, path, asked_for=False)
    elif any(char in name for char in "*?[") and not path.exists():
        found = [one for one in sorted(_glob(path)) if one.is_file()]
        if not found:
            raise UsageError(
                f"No file has a path like {name!r}.",
                fix="Name a cassette, a file, or a folder: aquila-cassette convert cassettes",
            )
        for one in found:
            yield _Wanted(one, _base(path), asked_for=True)
    else:
        one = find(name, folder)
        inside = one.absolute().is_relative_to(folder.absolute())
        yield _Wanted(one, folder if inside else one.parent, asked_for=True)


def _glob(pattern: Path) -> Iterator[Path]:
    base = _base(pattern)
    return base.glob(pattern.relative_to(base).as_posix())


def _base(pattern: Path) -> Path:
    """Give the part of a pattern that is before the first sign of one."""
    return next(one for one in pattern.parents if not any(char in str(one) for char in "*?["))


def _target(one: _Wanted, output: Path | None) -> Path:
    name = f"{stem(one.path.name)}.yaml"
    if output is None:
        return one.path.with_name(name)
    return output / one.path.absolute().relative_to(one.root.absolute()).with_name(name)


def _convert(one: _Wanted, target: Path, to: Target, redact: Redaction) -> _Done | None:
    """Compute what a file becomes; None where it is none of ours, and nobody named it."""
    try:
        usual = one.path.suffix.lower() in (".yaml", ".yml")
        if not one.asked_for and not usual and detect_format(files.read(one.path)) is None:
            return None
        conversion = convert(one.path, to, redact)
    except CassetteError as error:
        return _Done(one.path, "left: it cannot be converted", error=error)
    already = "in our format already" if to == "v1" else "in vcrpy's format already"
    result = f"to {display_path(target)}" if conversion.text else f"left: {already}"
    return _Done(one.path, result, conversion)


def _put(
    conversion: Conversion, target: Path, taken: set[Path], *, in_place: bool, dry_run: bool
) -> _Done:
    path = conversion.source
    try:
        if target == path and not in_place:
            return _Done(path, "left: it would be replaced", conversion, needs_leave=True)
        if target in taken:
            raise UsageError(
                f"{display_path(path)} would become {display_path(target)}, as another of these files does.",
                fix="Fix: convert one of the two into another folder with -o FOLDER",
            )
        written = write(conversion, target, in_place=in_place, dry_run=dry_run)
    except AquilaError as error:
        return _Done(path, "left as it was", conversion, error)
    taken.add(target)
    result = (
        f"to {display_path(target)}"
        if written
        else f"left: {display_path(target)} holds it already"
    )
    return _Done(path, result, conversion, is_new=written)


def _show(done: Sequence[_Done], screen: Screen) -> None:
    cells: list[list[str]] = [list(_HEADINGS)]
    for one in done:
        conversion = one.conversion
        origin, number, hidden = "-", "-", "-"
        if conversion is not None:
            origin = conversion.origin or "ours"
            number = str(len(conversion.interactions))
            hidden = str(conversion.hidden.total()) if conversion.text else "-"
        cells.append(
            [
                escape_control_chars(display_path(one.path)),
                origin,
                number,
                hidden,
                escape_control_chars(one.result),
            ]
        )
    heading, *table = align_columns(
        cells, right=_RIGHT, shrink=_GIVE, width=screen.width, ellipsis=screen.glyphs.ellipsis
    )
    screen.line(("  ".join(heading), "dim"))
    for one, line in zip(done, table, strict=True):
        *cells_before, last = line
        style = "red" if one.is_left else ""
        screen.line(
            (cells_before[0], "bold"), "  ", "  ".join(cells_before[1:]), "  ", (last, style)
        )
        conversion = one.conversion
        if conversion is not None and one.is_new:
            if conversion.hidden:
                screen.line(
                    (f"  hidden: {escape_control_chars(_listed(conversion.hidden))}", "dim")
                )
            for lost in conversion.lost:
                screen.line((f"  lost: {escape_control_chars(lost)}", "yellow"))


def _listed(hidden: Counter[str]) -> str:
    return ", ".join(
        f"{kind} ({number} times)" if number > 1 else kind for kind, number in hidden.items()
    )


def _summary(done: Sequence[_Done], to: Target, *, dry_run: bool) -> str:
    if not done:
        return "No cassettes there. What is read: vcrpy, cassetter, betamax, HAR, and our own."
    new = sum(one.is_new for one in done)
    would = "would be " if dry_run else ""
    name = "our format" if to == "v1" else FORMAT_NAMES[to]
    return f"{new} of {count(len(done), 'file')} {would}converted to {name}."
