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

from aquila_cassette.cli.demo_streams import (
    STREAMS,
    Demo,
    DemoStream,
    Opener,
    is_installed,
    record,
    replay,
    with_httpx,
    with_sdk,
)
from aquila_cassette.cli.output import Screen, align_columns
from aquila_cassette.errors import UsageError
from aquila_cassette.provider import Provider
from aquila_cassette.storage.names import display_path
from aquila_cassette.transcript.humanize import (
    count,
    escape_control_chars,
    format_duration,
    format_size,
)

__all__ = ["print_table", "run"]

_INDENT = 22
_HEADINGS = ("STREAM", "CLIENT", "FIRST", "PIECES", "BYTES", "RECORDED", "REPLAYED", "EQUAL")
_RIGHT = (2, 3, 4, 5, 6)
_SETTINGS = ("AQUILA_RECORD", "AQUILA_CASSETTE_DIR", "AQUILA_ON_UNPLAYED")


def run(keep: Path | None, gap: float) -> int:
    """Run the demo with `gap` seconds between tokens; return 1 where a replay differs.

    The cassettes stay in the folder `keep`, or in a new temporary one.
    """
    if keep is not None and keep.exists() and not keep.is_dir():
        raise UsageError(
            f"The demo cannot keep its cassettes in {display_path(keep)!r}: that is a file.",
            fix="Fix: aquila-cassette demo --keep cassettes",
        )
    screen = Screen()
    signs = screen.glyphs
    screen.line(("Record model streams while they are read, replay them offline.", "bold"))
    screen.line()
    folder = keep or Path(tempfile.mkdtemp(prefix="aquila-demo-"))
    with _own_environment(), Provider(gap) as provider:
        host = urlsplit(provider.url).netloc
        recorder = _Recorder(screen, provider, folder)
        screen.line((signs.record, "red"), f" with httpx, from a provider at {host}: recording")
        demos = recorder.record_all([(stream, "httpx", with_httpx) for stream in STREAMS])
        screen.line()
        demos += recorder.record_with_sdks()
        provider.stop()
        screen.line((signs.stop, "dim"), f" provider stopped: {host} {_connection_state(host)}")
        screen.line((signs.play, "green"), f" replaying from {display_path(folder)}")
        screen.line()
        demos.sort(key=lambda demo: STREAMS.index(demo.stream))
        for demo in demos:
            replay(demo, url=provider.url, folder=folder)
    code = print_table(demos, screen)
    screen.line("Look inside a cassette:  ", (_show_command(demos[-1], folder), "bold"))
    screen.line("Record your own:     ", ('with aquila_cassette("my.first"): ...', "bold"))
    return code


def print_table(demos: Sequence[Demo], screen: Screen) -> int:
    """Print what was recorded and replayed, and what differs; return 1 where anything does."""
    signs = screen.glyphs
    rows = [_cells(demo, signs.no if demo.difference else signs.yes) for demo in demos]
    heading, *table = align_columns(
        [_HEADINGS, *rows], right=_RIGHT, width=screen.width, shrink=[(0, 12)]
    )
    screen.line(("  ".join(heading), "dim"))
    for demo, (stream, client, *numbers, equal) in zip(demos, table, strict=True):
        style = "bold red" if demo.difference else "bold green"
        middle = "  ".join(["", *numbers, ""])
        screen.line(stream, "  ", (client, "cyan"), middle, (equal, style))
    screen.line(("FIRST: when the first event reached its consumer, while it was recorded.", "dim"))
    screen.line()
    different = [demo for demo in demos if demo.difference]
    for demo in different:
        why = escape_control_chars(demo.difference.partition("\n")[0])
        screen.line((f"{signs.no} {demo.stream.title}, {demo.client}: {why}", "red"))
    if different:
        screen.line((f"{len(different)} of {count(len(demos), 'replay')} differ.", "bold red"))
        return 1
    total = format_duration(sum(demo.replayed.total for demo in demos if demo.replayed))
    equal = f"All {len(demos)} replays are equal, piece for piece and event for event"
    screen.line((f"{equal}; together {total}.", "bold green"))
    return 0


class _Recorder:
    """Records streams, and prints their text as it comes."""

    def __init__(self, screen: Screen, provider: Provider, folder: Path) -> None:
        self._screen = screen
        self._provider = provider
        self._folder = folder

    def record_with_sdks(self) -> list[Demo]:
        """Record the streams with an installed SDK; print how to get the other SDKs."""
        packages = list(dict.fromkeys(stream.sdk for stream in STREAMS))
        found = [package for package in packages if is_installed(package)]
        wanted = [(stream, stream.sdk, with_sdk) for stream in STREAMS if stream.sdk in found]
        demos = []
        if found:
            sign = self._screen.glyphs.record
            self._screen.part((sign, "red"), f" with {' and '.join(found)}: loading, ")
            for stream, _, opens in wanted:
                self._warm_up(stream, opens)
            self._screen.line("recording")
            demos = self.record_all(wanted)
            self._screen.line()
        for package in packages:
            if package not in found:
                fix = "pip install 'aquila-cassette[demo]'"
                self._screen.line((f"  {package} is not installed: {fix}", "yellow"))
        if len(found) < len(packages):
            self._screen.line()
        return demos

    def record_all(self, wanted: Sequence[tuple[DemoStream, str, Opener]]) -> list[Demo]:
        """Record streams, one after the other, each with its client."""
        demos = []
        for stream, client, opens in wanted:
            self._screen.part("  ", (stream.title.ljust(_INDENT - 2), "cyan"))
            show = self._screen.typist(_INDENT)
            url, folder = self._provider.url, self._folder
            demos.append(record(stream, client, opens, url=url, folder=folder, show=show))
            self._screen.line()
        return demos

    def _warm_up(self, stream: DemoStream, opens: Opener) -> None:
        """Ask once without a recorder: an SDK's first call takes far longer than its others."""
        gap, self._provider.gap = self._provider.gap, 0
        with opens(stream, self._provider.url) as consume:
            for _ in consume():
                pass
        self._provider.gap = gap


def _cells(demo: Demo, equal: str) -> list[str]:
    return [
        demo.stream.title,
        demo.client,
        format_duration(demo.live.first),
        str(demo.pieces),
        format_size(demo.octets),
        format_duration(demo.live.total),
        format_duration(demo.replayed.total) if demo.replayed else "-",
        equal,
    ]


def _connection_state(host: str) -> str:
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port)), timeout=1).close()
    except OSError:
        return "refuses connections"
    return "still answers"


def _show_command(demo: Demo, folder: Path) -> str:
    """Return the command that shows the cassette, as it can be run from here."""
    program = "aquila-cassette"
    if shutil.which(program) is None:
        program = display_path(Path(sys.argv[0]))
        if program.endswith("__main__.py"):
            program = "python -m aquila_cassette"
    path = folder / f"{demo.stream.name}.{demo.client}.yaml"
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
