"""Where a run takes place: a folder, a provider, and the cassettes that the tools recorded there."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.asking import Read, ask_with
from benchmarks.measure import Sizes
from benchmarks.server import serving
from benchmarks.streams import answer
from benchmarks.tools import TOOLS


class Lab:
    """One run's folder and provider.

    Args:
        folder: An empty folder.
        url: The provider's base URL.
        sizes: How much each benchmark does.
    """

    def __init__(self, folder: Path, url: str, sizes: Sizes) -> None:
        self.url = url
        self.sizes = sizes
        self._folders = (folder / str(number) for number in itertools.count())

    def new_folder(self) -> Path:
        """Make an empty folder."""
        folder = next(self._folders)
        folder.mkdir()
        return folder

    def record(self, who: str, bodies: list[bytes]) -> Path:
        """Let tool `who` record the answers to `bodies`; return the folder of its cassette."""
        folder = self.new_folder()
        with TOOLS[who].record(folder), httpx.Client() as client:
            ask_with(client, self.url)(bodies, TOOLS[who].streams)
        return folder


def check(got: Read, stream: int, events: int, pieces: int) -> None:
    """Fail unless a contestant gave the right answer, in as many pieces as it can."""
    size = len(b"".join(answer(stream, events)))
    if (got.size, got.pieces) != (size, pieces):
        raise AssertionError(f"expected {size} bytes in {pieces} pieces, got {got}")


@contextmanager
def open_lab(sizes: Sizes) -> Iterator[Lab]:
    """Open a lab for one run."""
    with tempfile.TemporaryDirectory(prefix="aquila-benchmarks-") as folder, serving() as url:
        yield Lab(Path(folder), url, sizes)
