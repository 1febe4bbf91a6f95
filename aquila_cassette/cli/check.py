"""`check`: find problems in cassettes and print one line for each."""

from __future__ import annotations

import json
import re
import shlex
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from aquila_cassette import importers
from aquila_cassette.cli.folder import find
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.safe_edit import rewrite, target_outside
from aquila_cassette.cli.unused import read_unused
from aquila_cassette.errors import CassetteError, CassetteFormatError, CassetteNameError, UsageError
from aquila_cassette.model import Request
from aquila_cassette.storage import files
from aquila_cassette.storage.format import dumps, loads
from aquila_cassette.storage.names import cassette_path, cassettes_in, display_path
from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    parse_time,
    parse_timespan,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.model import CassetteData, Response
    from aquila_cassette.redaction import Redaction, SecretFinding


# All kinds of finding; the first two are errors.
KINDS = {
    "unreadable": "the file is damaged, or no cassette",
    "secret": "it holds what is redacted when it is saved today",
    "unused": "no test of the last complete run used it",
    "old": "recorded longer ago than --max-age",
    "name": "Windows cannot hold the name, or it is one with another's",
    "leftover": "a temporary file of a save that was killed",
    "format": "it would be written otherwise today",
}
_STYLES = {"error": "red", "warning": "yellow"}
_FIX = "aquila-cassette check --fix"
_AN_HOUR = 3600.0  # seconds; no save takes so long
# What filters of other recorders put in the place of secrets.
_FILTERED = re.compile(
    r"(?:Bearer )?(?:(?i:\[?\b(?:REDACTED|FILTERED|DUMMY|X{4,})\b\]?)"
    r"|<[A-Z][A-Z0-9_ -]*>|\*{4,})"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one file: its line from 1, its kind, what is wrong, and the command or edit."""

    path: Path
    line: int
    kind: str
    what: str
    fix: str = ""
    is_fixable: bool = False  # by --fix

    @property
    def level(self) -> str:
        return "error" if self.kind in ("unreadable", "secret") else "warning"


def run(
    given: Sequence[str],
    folder: Path,
    *,
    redact: Redaction,
    max_age: str | None,
    ignore: Sequence[str],
    fix: bool,
    how: str,
) -> int:
    """Check cassettes and print the findings; return the exit code, 1 if any is left."""
    for kind in ignore:
        if kind not in KINDS:
            raise UsageError(
                f"There is no kind of finding {kind!r}.",
                facts=[f"known: {', '.join(KINDS)}"],
                fix="Fix: name one of these",
            )
    oldest = None if max_age is None else datetime.now(UTC) - parse_timespan(max_age)
    places = places_named(given, folder)
    paths = list(dict.fromkeys(path for place in places for path in cassettes_in(place)))
    found = [one for path in paths for one in check_file(path, redact, oldest)]
    found += [*_names(paths, folder), *_strays(places), *_unused(paths, folder)]
    found = [
        one
        if not one.is_fixable or target_outside(one.path, [*places, folder]) is None
        else replace(one, fix="it leads out of the folder: check the file itself", is_fixable=False)
        for one in dict.fromkeys(found)
        if one.kind not in ignore
    ]
    found.sort(key=lambda one: (str(one.path), one.line))
    fixed = [one for one in found if fix and one.is_fixable and _fix(one, paths)]
    _show(found, fixed, how)
    if how == "text":
        if "unused" not in ignore and read_unused(folder) is None:
            print_error(
                "Unused cassettes are not known yet: a complete run of the tests notes them."
            )
        print_error(_summary(found, fixed, len(paths)))
    return 1 if len(found) > len(fixed) else 0


def places_named(given: Sequence[str], folder: Path) -> list[Path]:
    """Return the folders and files that names or paths mean; the cassette folder without any."""

    def place(name: str) -> Path:
        path = Path(name)
        if path.is_dir() or path.is_symlink():
            return path
        return folder / name if (folder / name).is_dir() else find(name, folder)

    return [place(name) for name in given] or [folder]


def check_file(path: Path, redact: Redaction, oldest: datetime | None = None) -> Iterator[Finding]:
    """Yield what is wrong with one file."""
    try:
        data = files.read(path)
        if importers.detect_format(data):
            yield from _foreign_secrets(path, data, redact)
            return
        cassette = loads(data, path=path)
    except CassetteError as error:
        yield _unreadable(path, error)
        return
    except FileNotFoundError:
        return  # somebody removed it just now
    text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    yield from _secrets(path, text, cassette, redact)
    times = [at for one in cassette.interactions if (at := parse_time(one.recorded_at))]
    if oldest and times and min(times) < oldest:
        days = count((datetime.now(UTC) - min(times)).days, "day")
        what = f"it was recorded on {min(times):%Y-%m-%d}, {days} ago"
        yield Finding(path, 1, "old", what, f"aquila-cassette record {_quoted(path)}")
    if line := _other_line(text, dumps(cassette)):
        what = "it would be written otherwise today"
        if _has_other_comments(text, dumps(cassette)):
            yield Finding(path, line, "format", what, "it has comments: edit it by hand")
        else:
            yield Finding(path, line, "format", what, _FIX, is_fixable=True)


def _unreadable(path: Path, error: CassetteError) -> Finding:
    line = (error.line if isinstance(error, CassetteFormatError) else None) or 1
    # The finding begins with the path and the line already.
    what = error.what.removeprefix(display_path(path)).removeprefix(f", line {line}")
    what = what.removeprefix(":").strip().rstrip(".")
    return Finding(path, line, "unreadable", what, error.fix.removeprefix("Fix: "))


def _secrets(path: Path, text: str, cassette: CassetteData, redact: Redaction) -> Iterator[Finding]:
    fix = f"aquila-cassette scrub {_quoted(path)}"
    lines = text.split("\n")
    items = [number for number, line in enumerate(lines) if line.startswith("- ")]
    seen: set[int] = set()
    for place, one in enumerate(cassette.interactions):
        start = items[place] if len(items) == len(cassette.interactions) else 0
        for part, message in (("request", one.request), ("response", one.response)):
            for secret in redact.findings(message):
                if not secret.secret:
                    continue  # a header that is just not kept
                needle = f"{secret.name}:" if secret.name else ""
                if secret.part == "url":
                    needle = "url: "
                elif secret.part == "body":
                    needle = message.body[secret.start : secret.end].decode("utf-8", "replace")
                    needle = json.dumps(needle.partition("\n")[0])[1:-1]
                line = next((n for n in range(start, len(lines)) if needle in lines[n]), start)
                seen.add(line + 1)
                what = f"{secret.kind} in the {part}'s {'URL' if secret.part == 'url' else secret.part}"
                yield Finding(path, line + 1, "secret", what, fix)
    for leak in redact.leaks(text.encode()):  # in comments, say
        if leak.line not in seen:
            yield Finding(path, leak.line, "secret", leak.kind, fix)


def _foreign_secrets(path: Path, data: bytes, redact: Redaction) -> Iterator[Finding]:
    try:
        read = importers.read_foreign(data, path=path)
    except CassetteError as error:
        yield _unreadable(path, error)
        return
    kinds = {
        secret.kind
        for one in (read.cassette.interactions if read else ())
        for message in (one.request, one.response)
        for secret in redact.findings(message)
        if secret.secret and not _is_filtered(message, secret)
    }
    if kinds:
        yield Finding(path, 1, "secret", ", ".join(sorted(kinds)), importers.convert_command(path))


def _is_filtered(message: Request | Response, secret: SecretFinding) -> bool:
    """Return whether another recorder's filter has taken a secret out already."""
    if secret.part == "url" and isinstance(message, Request):
        return _FILTERED.search(message.url) is not None
    value = message.header(secret.name) or ""
    if secret.part == "body":
        value = message.body[secret.start : secret.end].decode("utf-8", "replace")
    return _FILTERED.fullmatch(value) is not None


def _other_line(text: str, written: str) -> int:
    """Return the first line that would be written otherwise, 0 if none; comments do not count."""
    ours, theirs = (_without_comments(one) for one in (text, written))
    pairs = zip(ours, theirs, strict=False)
    different = next((ours[n][0] for n, (a, b) in enumerate(pairs) if a[1] != b[1]), 0)
    return different or (1 if len(ours) != len(theirs) else 0)


def _without_comments(text: str) -> list[tuple[int, str]]:
    # In a body, too, what follows a "#" is cut: on both sides, so it compares all the same.
    lines = (re.sub(r"(^|\s+)#.*", "", line).rstrip() for line in text.split("\n"))
    return [(number, line) for number, line in enumerate(lines, 1) if line]


def _has_other_comments(text: str, written: str) -> bool:
    """Return whether rewriting a file would lose a comment."""
    kept = {line.strip() for line in written.split("\n")}
    return any("#" in line and line.strip() not in kept for line in text.split("\n"))


def _names(paths: Sequence[Path], folder: Path) -> Iterator[Finding]:
    seen: dict[str, Path] = {}
    for path in paths:
        if not path.absolute().is_relative_to(folder.absolute()):
            continue  # it has no name by which a test opens it
        name = path.absolute().relative_to(folder.absolute()).as_posix()
        first = seen.setdefault(normalize("NFC", name).casefold(), path)
        twin = path.with_suffix(".yaml")
        what = ""
        try:
            cassette_path(folder, name)
        except CassetteNameError as error:
            what = error.what.partition(" cannot be used: ")[2].rstrip(".")
        if first != path:
            what = f"where case does not count, it is {display_path(first)}"
        elif path.suffix.lower() == ".yml" and twin in paths:
            what = f"the name without its suffix means {display_path(twin)}"
        if what:
            yield Finding(path, 1, "name", what, "aquila-cassette mv")


def _strays(places: Sequence[Path]) -> Iterator[Finding]:
    """Yield links that lead nowhere, and what killed saves left behind."""
    for path in [one for place in places for one in (place, *sorted(place.rglob("*")))]:
        if path.suffix in (".yaml", ".yml") and path.is_symlink() and not path.exists():
            what = "it is a link that leads nowhere"
            yield Finding(path, 1, "unreadable", what, "put the file back, or delete the link")
        elif path.match(".aquila-*.tmp") and path.is_file():
            yield Finding(path, 1, "leftover", KINDS["leftover"], _FIX, is_fixable=True)


def _unused(paths: Sequence[Path], folder: Path) -> Iterator[Finding]:
    noted = read_unused(folder) or {}
    for path in paths:
        numbers = noted.get(path.absolute())
        if numbers is not None:
            which = "it" if not numbers else f"interaction {', '.join(map(str, numbers))}"
            what = f"no test of the last complete run used {which}"
            yield Finding(path, 1, "unused", what, "aquila-cassette unused --delete")


def _fix(one: Finding, paths: Sequence[Path]) -> bool:
    """Mend what can be mended without losing anything; return whether it is."""
    try:
        if one.kind == "format":
            old = files.read(one.path)
            cassette = loads(old, path=one.path)
            rewrite(one.path, old, dumps(cassette).encode(), cassette.interactions)
            return True
        for path in {path.resolve() for path in paths}:
            if path.parent == one.path.resolve().parent:
                with files.locked(path):
                    files.remove_leftovers(path)
        if one.path.exists() and time.time() - one.path.stat().st_mtime > _AN_HOUR:
            one.path.unlink()
    except CassetteError as error:
        print_error(escape_control_chars(str(error)))
        return False
    return not one.path.exists()


def _show(found: Sequence[Finding], fixed: Sequence[Finding], how: str) -> None:
    screen = Screen()
    if how == "json":
        screen.data(
            [
                {
                    "path": display_path(one.path),
                    "line": one.line,
                    "kind": one.kind,
                    "level": one.level,
                    "message": one.what,
                    "fix": one.fix or None,
                    "fixable": one.is_fixable,
                    "fixed": one in fixed,
                }
                for one in found
            ]
        )
        return
    for one in found:
        what = escape_control_chars(one.what).replace("\n", " ")
        path = escape_control_chars(display_path(one.path)).replace("\n", "\\n")
        if how == "text":
            rest = "fixed" if one in fixed else escape_control_chars(one.fix).replace("\n", " ")
            style = "green" if one in fixed else _STYLES[one.level]
            end = (f" ({rest})" if rest else "", "dim")
            screen.line((f"{path}:{one.line}", "bold"), ": ", (one.kind, style), f": {what}", end)
        elif one not in fixed:  # a workflow command of GitHub Actions
            place = path.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
            message = (f"{what} ({one.fix})" if one.fix else what).replace("%", "%25")
            screen.line(f"::{one.level} file={place},line={one.line},title={one.kind}::{message}")


def _summary(found: Sequence[Finding], fixed: Sequence[Finding], size: int) -> str:
    if not size and not found:
        return "No cassettes there. A test that opens one records it: pytest"
    left = [one for one in found if one not in fixed]
    done = f"{count(len(fixed), 'finding')} fixed. " if fixed else ""
    cassettes = count(size, "cassette")
    if not left:
        return f"{done}Nothing {'else ' if fixed else ''}found in {cassettes}."
    fixable = sum(one.is_fixable for one in left)
    rest = f" --fix mends {fixable} of them." if fixable and not fixed else ""
    files_found = len({one.path for one in left})
    return f"{done}{count(len(left), 'finding')} in {files_found} of {cassettes}.{rest}"


def _quoted(path: Path) -> str:
    return shlex.quote(display_path(path))
