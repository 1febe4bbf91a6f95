"""`verify`: send the recorded requests again, and show where the shape of the answers changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import httpx
import typer

from aquila_cassette.cli.output import Screen, print_diff
from aquila_cassette.cli.record_direct import TIMEOUT, ask_again, find_refused, require_keys
from aquila_cassette.cli.record_selection import select
from aquila_cassette.cli.shared_options import Folder, Names, app
from aquila_cassette.errors import CassetteError
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars
from aquila_cassette.transcript.shape import shape_diff

if TYPE_CHECKING:
    from aquila_cassette.cli.record_selection import Target

_STYLES = {"the same": "green", "changed": "yellow", "not asked": "red"}


@app.command("verify")
def run(
    names: Names = None,
    folder: Folder = FOLDER,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask there, not the recorded host.")
    ] = None,
) -> int:
    """Ask the provider again, and compare the shape of its answers with the recorded ones.

    The shape is the status, the ending, the types of events and their fields: not the words. No
    file changes. Keys come from the provider's usual variables.

    Exit codes: 0, all answers have the recorded shape; 1, some have not, or were not asked for; 2,
    a file or an argument is wrong.

    \b
    Example:
      aquila-cassette verify 'chat/*'
    """
    targets, _, is_damaged = select(names or (), folder)
    unrepeatable = find_refused(targets)
    sent = [one for one in targets if one.path not in unrepeatable]
    require_keys(one.request.url for target in sent for one in target.cassette.interactions)
    screen, results = Screen(), []
    with httpx.Client(timeout=TIMEOUT) as client:
        for target in targets:
            lines, why = list[str](), ""
            try:
                if error := unrepeatable.get(target.path):
                    raise error
                lines = [*_changes(target, base_url, client)]
            except CassetteError as error:
                why = error.what.partition(": ")[2] or error.what
            if lines:
                screen.line((escape_control_chars(target.name), "bold"))
                print_diff(lines, screen)
                screen.line()
            result = "not asked" if why else "changed" if lines else "the same"
            results.append((target.name, result, why))
    rows = [((name, "bold"), (result, _STYLES[result]), why) for name, result, why in results]
    for line in screen.table(("NAME", "SHAPE", "WHY NOT"), rows, shrink=((2, 30), (0, 20))):
        screen.line(line)
    numbers = {style: sum(result == style for _, result, _ in results) for style in _STYLES}
    summary = ", ".join(f"{number} {result}" for result, number in numbers.items() if number)
    screen.line()
    screen.line(f"{count(len(results), 'cassette')}: {summary or 'nothing to ask'}.")
    return 2 if is_damaged else int(numbers["the same"] < len(results))


def _changes(target: Target, base_url: str | None, client: httpx.Client) -> Iterator[str]:
    asked = ask_again(target, base_url, client)
    for number, (was, now, failure) in enumerate(asked, 1):
        if failure:
            raise CassetteError(f"{target.name}: interaction {number}: {' '.join(failure)}")
        if lines := shape_diff(was.response, now.response):
            yield f"@@ interaction {number}: {was.request.method} {was.request.url} @@"
            yield from lines
