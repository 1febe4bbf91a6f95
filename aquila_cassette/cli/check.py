"""`check`: find problems in cassettes and print one line for each."""

from __future__ import annotations

import re
import shlex
from codecs import BOM_UTF8
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from io import BytesIO
from itertools import chain, repeat, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from unicodedata import normalize
from urllib.parse import unquote_plus

import typer

from aquila_cassette import importers
from aquila_cassette.cli.folder import cassettes_named, read_unused
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.shared_options import Allow, Folder, KeepHeaders, Names, Redact, app
from aquila_cassette.errors import CassetteError, CassetteFormatError, CassetteNameError, UsageError
from aquila_cassette.model import Request
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage import files
from aquila_cassette.storage.bodies import one_at_a_time
from aquila_cassette.storage.format import encode, loads
from aquila_cassette.storage.names import cassette_path, display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    parse_time,
    parse_timespan,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquila_cassette.model import CassetteData, Response
    from aquila_cassette.redaction import SecretFinding


KINDS = ("unreadable", "secret", "unused", "old", "name", "leftover", "format")
_MANY = 100  # cassettes: it takes a while
_LARGE = 4 * 1024 * 1024  # what is larger is not laid out once more only to be compared
_STYLES = {"error": "red", "warning": "yellow"}
# What filters of other recorders put in the place of secrets: words, one of which says so.
_SAYS_SO = (
    "redact", "scrub", "filter", "sanitiz", "mask", "hidden", "remov", "placeholder", "dummy",
    "fake", "mock", "test", "example", "sample", "xxx",
)  # fmt: skip
_WORDS = re.compile(r"[\W_]*(?:(?:[a-z]{1,16}|\d{1,4})(?:[\W_]+|$))+")


class Format(StrEnum):
    """How findings are written."""

    text = "text"
    github = "github"
    json = "json"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of one file: its line from 1, its kind, what is wrong, and the command or edit."""

    path: Path
    line: int
    kind: str
    what: str
    fix: str

    @property
    def level(self) -> str:
        return "error" if self.kind in ("unreadable", "secret") else "warning"

    def as_json(self) -> dict[str, str | int]:
        place: dict[str, str | int] = {"path": display_path(self.path), "line": self.line}
        about = {"kind": self.kind, "level": self.level, "message": self.what, "fix": self.fix}
        return place | about


@app.command("check")
def run(
    places: Names = None,
    folder: Folder = FOLDER,
    max_age: Annotated[
        str | None, typer.Option(metavar="AGE", help="Find what is older: 36h, 30d, 12w, 1y.")
    ] = None,
    how: Annotated[Format, typer.Option("--format", help="How to write findings.")] = Format.text,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="KIND", help="A kind to pass over; may be repeated."),
    ] = None,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> int:
    """Find what is wrong with cassettes: one line a finding, and what to do about it.

    \b
      unreadable   the file is damaged, or no cassette
      secret       it holds what is redacted when it is saved today
      unused       no test of the last complete run used it
      old          recorded longer ago than --max-age
      name         Windows cannot hold the name, or it is one with another's
      leftover     a temporary file of a save that was killed
      format       it would be written otherwise today

    A redact= of the tests is not known here: pass it as --redact, --keep-header and --allow.

    Exit codes: 0, nothing was found; 1, something was; 2, an argument is wrong.

    \b
    Example:
      aquila-cassette check --max-age 12w --ignore format
    """
    ignored = ignore or ()
    if unknown := set(ignored).difference(KINDS):
        raise UsageError(
            f"There is no kind of finding {min(unknown)!r}.",
            facts=[f"known: {', '.join(KINDS)}"],
            fix="Fix: name one of these",
        )
    oldest = None if max_age is None else datetime.now(UTC) - parse_timespan(max_age)
    rules = Redaction(redact or (), (), keep or (), allow or ())
    looked_in, paths = cassettes_named(places, folder)
    if how == "text" and len(paths) >= _MANY:
        print_error(f"Checking {count(len(paths), 'cassette')} ...")
    found = [one for path in paths for one in check_file(path, rules, oldest)]
    found += [*_names(paths, folder), *_leftovers(looked_in), *_unused(paths, folder)]
    found = [one for one in dict.fromkeys(found) if one.kind not in ignored]
    found.sort(key=lambda one: (str(one.path), one.line))
    _show(found, how)
    if how == "text":
        if "unused" not in ignored and read_unused(folder) is None:
            print_error(
                "Unused cassettes are not known yet: a complete run of the tests notes them."
            )
        size, faulty = count(len(paths), "cassette"), len({one.path for one in found})
        findings = f"{count(len(found), 'finding')} in {faulty} of" if found else "Nothing found in"
        print_error(f"{findings} {size}.")
    return int(bool(found))


def check_file(path: Path, redact: Redaction, oldest: datetime | None = None) -> Iterator[Finding]:
    """Yield what is wrong with one file."""
    try:
        data = files.read(path)
        if importers.detect_format(data):
            yield from _foreign_secrets(path, data, redact)
            return
        cassette = loads(data, path=path)
    except CassetteError as error:
        line = (error.line if isinstance(error, CassetteFormatError) else None) or 1
        # The finding begins with the path and the line already.
        what = error.what.removeprefix(display_path(path)).removeprefix(f", line {line}")
        what = what.removeprefix(":").strip().rstrip(".")
        yield Finding(path, line, "unreadable", what, error.fix.removeprefix("Fix: "))
        return
    except FileNotFoundError:
        return  # somebody removed it just now
    yield from _secrets(path, data, cassette, redact)
    times = [at for one in cassette.interactions if (at := parse_time(one.recorded_at))]
    if oldest and times and min(times) < oldest:
        days = count((datetime.now(UTC) - min(times)).days, "day")
        what = f"it was recorded on {min(times):%Y-%m-%d}, {days} ago"
        yield Finding(path, 1, "old", what, f"aquila-cassette record {_quoted(path)}")
    if len(data) < _LARGE and _differ(data, encode(cassette)):
        fix = f"aquila-cassette record {_quoted(path)}"
        yield Finding(path, 1, "format", "it would be written otherwise today", fix)


def _secrets(
    path: Path, data: bytes, cassette: CassetteData, redact: Redaction
) -> Iterator[Finding]:
    """Yield the secrets of each interaction, on its first line, then those in comments and the like."""
    fix = f"aquila-cassette scrub {_quoted(path)}"
    lines = enumerate(BytesIO(data), 1)
    starts = chain((number for number, line in lines if line.startswith(b"- ")), repeat(1))
    found = [
        Finding(path, start, "secret", f"{secret.kind} in the {part}'s {secret.part}", fix)
        for one, start in zip(one_at_a_time(cassette.interactions), starts, strict=False)
        for part, message in (("request", one.request), ("response", one.response))
        for secret in redact.findings(message)
    ]
    leaks = [] if found else redact.leaks(data)
    yield from found or [Finding(path, leak.line, "secret", leak.kind, fix) for leak in leaks]


def _foreign_secrets(path: Path, data: bytes, redact: Redaction) -> Iterator[Finding]:
    read = importers.read_foreign(data, path=path)
    kinds = {
        secret.kind
        for one in one_at_a_time(read.interactions if read else ())
        for message in (one.request, one.response)
        for secret in redact.findings(message)
        if not _is_filtered(message, secret, redact)
    }
    if kinds:
        yield Finding(path, 1, "secret", ", ".join(sorted(kinds)), importers.convert_command(path))


def _is_filtered(message: Request | Response, secret: SecretFinding, redact: Redaction) -> bool:
    """Return whether another recorder's filter has taken a secret out already."""
    if secret.part == "body":
        values = [message.body[secret.start : secret.end].decode("utf-8", "replace")]
    elif secret.part == "url" and isinstance(message, Request):
        base, _, query = message.url.partition("?")
        alone = [Request("GET", f"{base}?{field}") for field in query.split("&")]
        secret_urls = [one.url for one in alone if any(redact.findings(one))]
        values = [unquote_plus(url.rpartition("=")[2]) for url in secret_urls]
    else:
        values = [value for name, value in message.headers if name.lower() == secret.name]
    return bool(values) and all(map(_is_placeholder, values))


def _is_placeholder(value: str) -> bool:
    low = value.lower()
    words = _WORDS.fullmatch(low) and any(word in low for word in _SAYS_SO)
    return bool(words) or len(set(low)) <= 3


def _differ(*files: bytes) -> bool:
    """Return whether two cassettes differ in more than comments and blank lines."""
    # In a body, too, what follows a "#" is cut: on both sides, so it compares all the same.
    lines = (
        filter(None, (re.sub(rb"(^|\s+)#.*", b"", line).rstrip() for line in BytesIO(data)))
        for data in (one.removeprefix(BOM_UTF8) for one in files)
    )
    return any(line != other for line, other in zip_longest(*lines))


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


def _leftovers(places: Sequence[Path]) -> Iterator[Finding]:
    what = "a temporary file of a save that was killed"
    for path in [one for place in places for one in sorted(place.rglob(".aquila-*.tmp"))]:
        yield Finding(path, 1, "leftover", what, "delete it")


def _unused(paths: Sequence[Path], folder: Path) -> Iterator[Finding]:
    noted = read_unused(folder) or {}
    for path in paths:
        numbers = noted.get(path.absolute())
        if numbers is not None:
            which = "it" if not numbers else f"interaction {', '.join(map(str, numbers))}"
            what = f"no test of the last complete run used {which}"
            yield Finding(path, 1, "unused", what, "aquila-cassette unused --delete")


def _show(found: Sequence[Finding], how: str) -> None:
    screen = Screen()
    if how == "json":
        screen.data([one.as_json() for one in found])
        return
    for one in found:
        path, what, fix = (
            escape_control_chars(text).replace("\n", " ")
            for text in (display_path(one.path), one.what, one.fix)
        )
        if how == "text":
            kind = (one.kind, _STYLES[one.level])
            screen.line(
                (f"{path}:{one.line}", "bold"), ": ", kind, f": {what}", (f" ({fix})", "dim")
            )
        else:  # a workflow command of GitHub Actions
            place = path.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
            message = f"{what} ({fix})".replace("%", "%25")
            screen.line(f"::{one.level} file={place},line={one.line},title={one.kind}::{message}")


def _quoted(path: Path) -> str:
    return shlex.quote(display_path(path))
