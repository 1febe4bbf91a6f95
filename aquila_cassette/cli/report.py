"""`report`: write the HTML report (made by the package `report`)."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aquila_cassette.cli.folder import name_of
from aquila_cassette.cli.output import Screen, print_what_is_wrong
from aquila_cassette.cli.shared_options import Folder, Place, app
from aquila_cassette.errors import UsageError
from aquila_cassette.importers import cassettes_in
from aquila_cassette.report.page import load_file, render_page
from aquila_cassette.storage import files
from aquila_cassette.storage.names import display_path
from aquila_cassette.suite import FOLDER
from aquila_cassette.transcript.humanize import count, escape_control_chars, format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila_cassette.report.page import ReportFile


@app.command("report")
def run(
    place: Place = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")
    ] = Path("report.html"),
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    folder: Folder = FOLDER,
) -> int:
    """Write an HTML page to look through cassettes.

    It is one file that reaches no network. It holds what the cassettes hold. A file that cannot be
    read is listed with its error, and the exit code is 2.

    \b
    Example:
      aquila-cassette report cassettes/chat -o chat.html --open
    """
    where = place or folder
    if output.suffix != ".html":  # a cassette that is named here by mistake must stay
        raise UsageError(
            f"The report is written to an HTML file, and {display_path(output)} is none.",
            fix="Fix: aquila-cassette report -o report.html",
        )
    loaded, summaries = load_files(where, folder), list[dict[str, Any]]()
    about = {
        "place": display_path(where),
        "made": round(datetime.now(UTC).timestamp() * 1000),
        "by": f"aquila-cassette {version('aquila-cassette')}",
    }

    def noted() -> Iterator[ReportFile]:
        for one in loaded:
            summaries.append(one.summary)
            yield one

    output.parent.mkdir(parents=True, exist_ok=True)
    files.replace_file(output.resolve(), render_page(noted(), about=about))
    interactions = sum(len(one.get("interactions", ())) for one in summaries)
    facts = [count(len(summaries), "cassette"), count(interactions, "interaction")]
    facts.append(format_size(output.stat().st_size))
    Screen().line((escape_control_chars(display_path(output)), "bold"), f" {', '.join(facts)}")
    damaged = [one["name"] for one in summaries if "error" in one]
    print_what_is_wrong(where, len(summaries), damaged)
    if open_it:
        import webbrowser

        webbrowser.open(output.absolute().as_uri())
    return 2 if damaged else 0


def load_files(place: Path, folder: Path) -> Iterator[ReportFile]:
    """Read each file, folder by folder; those outside of the cassette folder are named from `place`."""
    inside = place.absolute().is_relative_to(folder.absolute())
    home = folder if inside else place.parent if place.is_file() else place
    paths = sorted(cassettes_in(place), key=lambda path: (path.parent.as_posix(), path.name))
    return (load_file(path, name_of(path, home)) for path in paths)
