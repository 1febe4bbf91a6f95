"""The recorders that are compared, each used as its manual says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cassetter
import vcr
from cassetter import Cassetter
from vcr.cassette import Cassette as VcrCassette

from aquila_cassette import aquila_cassette, importers
from benchmarks.measure import CASSETTER, OURS, VCRPY

CASSETTE = "cassette"

# Bodies take part in matching in every tool: without them, several answers of one URL differ
# by their order alone, and a replay among others would serve the wrong one.
_VCR_MATCH_ON = ("method", "scheme", "host", "port", "path", "query", "body")
_CASSETTER_MATCH_ON: list[Any] = ["method", "uri", "json_body"]


@dataclass(frozen=True)
class Tool:
    """One recorder.

    Args:
        record: Opens a block that records into an empty folder.
        replay: Opens a block that replays, as often as is asked, what is in the folder.
        load: Reads the file in the folder into memory, and nothing else.
        piecewise: Whether a stream comes in its pieces, or all in one.
        streams: Whether it can be read with ``iter_raw``.
    """

    record: Callable[[Path], AbstractContextManager[object]]
    replay: Callable[[Path], AbstractContextManager[object]]
    load: Callable[[Path], object]
    piecewise: bool = False
    streams: bool = True

    def pieces(self, events: int) -> int:
        """Return in how many pieces a stream of so many events comes."""
        return events if self.piecewise else 1


def _record_ours(folder: Path) -> AbstractContextManager[object]:
    return aquila_cassette(CASSETTE, mode="once", cassette_dir=folder)


def _replay_ours(folder: Path) -> AbstractContextManager[object]:
    return aquila_cassette(
        CASSETTE, mode="none", cassette_dir=folder, repeats=True, on_unplayed="ignore"
    )


def _load_ours(folder: Path) -> object:
    return importers.load(folder / f"{CASSETTE}.yaml")


def _record_vcr(folder: Path) -> AbstractContextManager[object]:
    block: AbstractContextManager[object] = vcr.VCR().use_cassette(
        folder / f"{CASSETTE}.yaml", record_mode="all"
    )
    return block


def _replay_vcr(folder: Path) -> AbstractContextManager[object]:
    block: AbstractContextManager[object] = vcr.VCR(match_on=_VCR_MATCH_ON).use_cassette(
        folder / f"{CASSETTE}.yaml", record_mode="none", allow_playback_repeats=True
    )
    return block


def _load_vcr(folder: Path) -> object:
    cassette: object = VcrCassette.load(path=folder / f"{CASSETTE}.yaml")
    return cassette


def _record_cassetter(folder: Path) -> AbstractContextManager[object]:
    return cassetter.use_cassette(folder / f"{CASSETTE}.yaml", record_mode="all")


def _replay_cassetter(folder: Path) -> AbstractContextManager[object]:
    return cassetter.use_cassette(
        folder / f"{CASSETTE}.yaml", record_mode="none", match_on=_CASSETTER_MATCH_ON
    )


def _load_cassetter(folder: Path) -> object:
    cassette = Cassetter(record_mode="none").cassette(folder / f"{CASSETTE}.yaml")
    cassette.load()
    return cassette


TOOLS: Mapping[str, Tool] = {
    OURS: Tool(_record_ours, _replay_ours, _load_ours, piecewise=True),
    VCRPY: Tool(_record_vcr, _replay_vcr, _load_vcr),
    # Its response is read already when the consumer gets it: iter_raw raises StreamConsumed.
    CASSETTER: Tool(_record_cassetter, _replay_cassetter, _load_cassetter, streams=False),
}
