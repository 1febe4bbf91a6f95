"""`scrub`: remove secrets from cassettes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aquila_cassette import importers
from aquila_cassette.cli.check import check_file
from aquila_cassette.cli.folder import cassettes_named
from aquila_cassette.cli.output import Screen, print_error
from aquila_cassette.cli.shared_options import (
    Allow,
    DryRun,
    Folder,
    KeepHeaders,
    Names,
    Redact,
    app,
)
from aquila_cassette.errors import CassetteError, CassetteSaveError
from aquila_cassette.model import CassetteData
from aquila_cassette.redaction import Redaction
from aquila_cassette.storage import files
from aquila_cassette.storage.edit import edit_interactions
from aquila_cassette.storage.format import as_read, encode, loads, render
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila_cassette.model import Interaction


_WITH_COMMENT = re.compile(rb"^.*#.*", re.MULTILINE)


@app.command("scrub")
def run(
    places: Names = None,
    folder: Folder = FOLDER,
    dry_run: DryRun = False,
    redact: Redact = None,
    keep: KeepHeaders = None,
    allow: Allow = None,
) -> int:
    """Redact in place what saving would redact today, and list it.

    A secret that was committed stays in the history: revoke it. A redact= of the tests is not
    known here: pass it as --redact, --keep-header and --allow.

    Exit codes: 0, it is done; 1, --dry-run found something; 2, a file or an argument is wrong.

    \b
    Example:
      aquila-cassette scrub chat_live.responds --dry-run
    """
    rules = Redaction(redact or (), (), keep or (), allow or ())
    _, paths = cassettes_named(places, folder)
    screen = Screen()
    done = 0
    has_failed = False
    for path in paths:
        try:
            found = [one for one in check_file(path, rules) if one.kind == "secret"]
            if not _scrub(path, rules, is_secret=bool(found), dry_run=dry_run):
                continue
        except CassetteError as error:
            has_failed = True
            print_error(escape_control_chars(str(error)))
            continue
        done += 1
        name = escape_control_chars(display_path(path))
        for one in found:
            screen.line((f"{name}:{one.line}", "bold"), f": {escape_control_chars(one.what)}")
        if not found:
            screen.line((name, "bold"), ": headers that are not kept today")
    would = "would be " if dry_run else ""
    size = count(len(paths), "cassette")
    print_error(f"{done} of {size} {would}scrubbed." if done else f"Nothing scrubbed in {size}.")
    return 2 if has_failed else int(dry_run and done > 0)


def _scrub(path: Path, redact: Redaction, *, is_secret: bool, dry_run: bool) -> bool:
    """Scrub a file; return whether there was something to redact."""
    data = files.read(path)
    if importers.detect_format(data):
        if is_secret:
            raise CassetteSaveError(
                f"{display_path(path)} holds a secret, and scrub does not change its format.",
                path=path,
                fix=f"Fix: {importers.convert_command(path)}",
            )
        return False
    new = scrubbed(data, loads(data, path=path), redact)
    if new and not dry_run:
        rewrite(path, data, *new)
    return new is not None


def scrubbed(
    data: bytes, cassette: CassetteData, redact: Redaction
) -> tuple[bytes, tuple[Interaction, ...]] | None:
    """Return a file's bytes without what redaction hides, and its interactions; None if it has none.

    Other interactions keep each character. So do comments, but for those within one that changes.
    """
    before = cassette.interactions
    after = list(map(redact.interaction, before))
    parts = [(n, None if one is before[n] else render(one)) for n, one in enumerate(after)]
    program = redact.text(cassette.recorded_with)
    new = edit_interactions(data, parts) if any(one for _, one in parts) else data
    if new is None or program != cassette.recorded_with:
        new = encode(CassetteData(tuple(after), program))
    new = _WITH_COMMENT.sub(lambda line: redact.text(line[0].decode()).encode(), new)
    return None if new == data else (new, tuple(map(as_read, after)))


def rewrite(path: Path, old: bytes, new: bytes, interactions: Sequence[Interaction]) -> None:
    """Put `new`, which reads as these interactions, in the place of `old`: in one step, no copy."""
    with files.changing(path) as target:
        if files.read(path) != old:
            raise CassetteSaveError(
                f"{display_path(path)} was changed in the meantime; it is left as it is.",
                path=path,
                fix="Fix: run the command again",
            )
        files.check_reads_back(new, interactions, path)
        files.replace_file(target, new)
