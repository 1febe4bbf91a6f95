"""``demo``: record live streams, stop the provider, replay them, compare."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aquila_cassette.cli.output import Screen, align_columns
from aquila_cassette.cli.streams import STREAMS, Opener, Stream, installed, with_httpx, with_sdk
from aquila_cassette.cli.takes import Take, record, replay
from aquila_cassette.errors import UsageError
from aquila_cassette.provider import Provider
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    format_duration,
    format_size,
)

__all__ = ["report", "run"]

_INDENT = 22
_HEADINGS = ("STREAM", "CLIENT", "FIRST", "PIECES", "BYTES", "RECORDED", "REPLAYED", "EQUAL")
_RIGHT = (2, 3, 4, 5, 6)
_SETTINGS = ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED")


def run(keep: Path | None, gap: float) -> int:
    """Run the demo.

    Args:
        keep: Where to keep the cassettes; None for a new temporary folder.
        gap: Seconds between two tokens, on average.

    Returns:
        The exit code: 1 where a replay gave something else than what was recorded.

    Raises:
        UsageError: `keep` is no folder.
    """
    if keep is not None and keep.exists() and not keep.is_dir():
        raise UsageError(
            f"The demo cannot keep its cassettes in {display_path(keep)!r}: that is a file.",
            fix="Name a folder: aquila-cassette demo --keep cassettes",
        )
    screen = Screen()
    signs = screen.glyphs
    screen.line(("Record model streams while they are read, replay them offline.", "bold"))
    screen.line()
    folder = keep or Path(tempfile.mkdtemp(prefix="aquila-demo-"))
    with _own_environment(), Provider(gap) as provider:
        host = urlsplit(provider.url).netloc
        studio = _Studio(screen, provider, folder)
        screen.line((signs.record, "red"), f" with httpx, from a provider at {host}: recording")
        takes = studio.record_all([(stream, "httpx", with_httpx) for stream in STREAMS])
        screen.line()
        takes += studio.record_with_sdks()
        provider.stop()
        screen.line((signs.stop, "dim"), f" provider stopped: {host} {_answers(host)}")
        screen.line((signs.play, "green"), f" replaying from {display_path(folder)}")
        screen.line()
        takes.sort(key=lambda take: STREAMS.index(take.stream))
        for take in takes:
            replay(take, url=provider.url, folder=folder)
    code = report(takes, screen)
    screen.line("Look inside a cassette:  ", (_show_command(takes[-1], folder), "bold"))
    screen.line("Record your own:     ", ('with aquila_cassette("my.first"): ...', "bold"))
    return code


def report(takes: Sequence[Take], screen: Screen) -> int:
    """Print the table, and what differs if anything does.

    Args:
        takes: What was recorded and replayed.
        screen: Where to.

    Returns:
        The exit code: 1 where something differs.
    """
    signs = screen.glyphs
    rows = [_cells(take, signs.no if take.difference else signs.yes) for take in takes]
    heading, *table = align_columns(
        [_HEADINGS, *rows], right=_RIGHT, width=screen.width, shrink=[(0, 12)]
    )
    screen.line(("  ".join(heading), "dim"))
    for take, (stream, client, *numbers, equal) in zip(takes, table, strict=True):
        style = "bold red" if take.difference else "bold green"
        spans = "  ".join(["", *numbers, ""])
        screen.line(stream, "  ", (client, "cyan"), spans, (equal, style))
    screen.line(("FIRST: when the first event reached its consumer, while it was recorded.", "dim"))
    screen.line()
    different = [take for take in takes if take.difference]
    for take in different:
        why = escape_control_chars(take.difference.partition("\n")[0])
        screen.line((f"{signs.no} {take.stream.title}, {take.client}: {why}", "red"))
    if different:
        screen.line((f"{len(different)} of {count(len(takes), 'replay')} differ.", "bold red"))
        return 1
    spent = sum(take.replayed.took for take in takes if take.replayed)
    equal = f"All {len(takes)} replays are equal, piece for piece and event for event"
    screen.line((f"{equal}; together {format_duration(spent)}.", "bold green"))
    return 0


class _Studio:
    """Records, and shows the text as it comes.

    Args:
        screen: Where it is shown.
        provider: Who streams.
        folder: The cassette folder.
    """

    def __init__(self, screen: Screen, provider: Provider, folder: Path) -> None:
        self._screen = screen
        self._provider = provider
        self._folder = folder

    def record_with_sdks(self) -> list[Take]:
        """Record the streams whose SDKs are installed; say how to get the others."""
        packages = list(dict.fromkeys(stream.sdk for stream in STREAMS))
        there = [package for package in packages if installed(package)]
        wanted = [(stream, stream.sdk, with_sdk) for stream in STREAMS if stream.sdk in there]
        takes = []
        if there:
            sign = self._screen.glyphs.record
            self._screen.part((sign, "red"), f" with {' and '.join(there)}: loading, ")
            for stream, _, opens in wanted:
                self._warm_up(stream, opens)
            self._screen.line("recording")
            takes = self.record_all(wanted)
            self._screen.line()
        for package in packages:
            if package not in there:
                mend = "pip install 'aquila-cassette[demo]'"
                self._screen.line((f"  {package} is not installed: {mend}", "yellow"))
        if len(there) < len(packages):
            self._screen.line()
        return takes

    def record_all(self, wanted: Sequence[tuple[Stream, str, Opener]]) -> list[Take]:
        """Record streams, one after the other: each as its client's consumer."""
        takes = []
        for stream, client, opens in wanted:
            self._screen.part("  ", (stream.title.ljust(_INDENT - 2), "cyan"))
            show = self._screen.typist(_INDENT)
            url, folder = self._provider.url, self._folder
            takes.append(record(stream, client, opens, url=url, folder=folder, show=show))
            self._screen.line()
        return takes

    def _warm_up(self, stream: Stream, opens: Opener) -> None:
        """Ask once without a recorder: an SDK's first call takes far longer than its others."""
        gap, self._provider.gap = self._provider.gap, 0
        with opens(stream, self._provider.url) as consume:
            for _ in consume():
                pass
        self._provider.gap = gap


def _cells(take: Take, equal: str) -> list[str]:
    replayed = take.replayed
    return [
        take.stream.title,
        take.client,
        format_duration(take.live.first),
        str(take.pieces),
        format_size(take.octets),
        format_duration(take.live.took),
        format_duration(replayed.took) if replayed else "-",
        equal,
    ]


def _answers(host: str) -> str:
    """Say what becomes of who connects to `host`."""
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port)), timeout=1).close()
    except OSError:
        return "refuses connections"
    return "still answers"


def _show_command(take: Take, folder: Path) -> str:
    """Give the command that shows a take's cassette, as it can be run from here."""
    program = "aquila-cassette"
    if shutil.which(program) is None:
        program = display_path(Path(sys.argv[0]))
        if program.endswith("__main__.py"):
            program = "python -m aquila_cassette"
    path = folder / f"{take.stream.name}.{take.client}.yaml"
    return f"{program} show {shlex.quote(display_path(path))}"


@contextmanager
def _own_environment() -> Iterator[None]:
    """Keep what is set for tests, and proxies, out of the demo."""
    kept = dict(os.environ)
    for name in _SETTINGS:
        os.environ.pop(name, None)
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
