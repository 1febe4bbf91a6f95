"""Run a test once for each fault: the markers `aquila_faults` and `aquila_every_cut`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from aquila_cassette.plugin import command_line, naming

if TYPE_CHECKING:
    from aquila_cassette.faults import Fault

MARKERS = {
    "aquila_faults(*faults)": "run the test once for each of these faults.",
    "aquila_every_cut(name, by='events')": "run the test once for each place in which the answers of "
    "this cassette can be cut off: after each event, or (by='bytes') after each byte.",
    "aquila_fault(name, **options)": "what those two give to each test.",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    node = metafunc.definition
    chosen = node.get_closest_marker("aquila_faults")
    every = node.get_closest_marker("aquila_every_cut")
    if chosen is None and every is None:
        return
    marker = node.get_closest_marker("aquila_cassette")
    options = dict(marker.kwargs) if marker else {}
    name = every.args[0] if every and every.args else naming.marked_name(node)
    faults = [] if chosen is None else list(chosen.args)
    if every is not None:
        faults += _cuts(node, name, options, **every.kwargs)
    rows = [
        pytest.param(
            one, id=str(one), marks=pytest.mark.aquila_fault(name, **options, faults=[one])
        )
        for one in faults
    ]
    # Without a cassette there is nothing to cut: the test records it first.
    recording = pytest.param(None, id="record", marks=pytest.mark.aquila_fault(name, **options))
    metafunc.fixturenames.append("_aquila_fault")
    metafunc.parametrize("_aquila_fault", rows or [recording])


def _cuts(
    node: pytest.Item | pytest.Collector,
    name: str,
    options: dict[str, object],
    *,
    by: str = "events",
) -> Iterator[Fault]:
    """Yield a fault for each place in which an answer of the cassette can be cut off."""
    from aquila_cassette import faults, importers
    from aquila_cassette.dialects.framing import split_events
    from aquila_cassette.errors import UsageError
    from aquila_cassette.options import Layer, resolve

    if by not in ("events", "bytes"):
        raise UsageError(
            f"aquila_every_cut takes by='events' or by='bytes', not {by!r}.", fix="Fix: write that"
        )
    root, folder = naming.suite_of(node.path.parent, node.config)
    layers = [
        *command_line.above(node.config),
        Layer("@pytest.mark.aquila_cassette", options),
        *command_line.ini(node.config),
        Layer("ini aquila_cassette_dir", {"cassette_dir": folder or None}),
    ]
    path = importers.find_cassette(root / resolve(layers, os.environ).cassette_dir, name)
    interactions = importers.load(path).interactions if path.exists() else ()
    for number, one in enumerate(interactions, 1):
        response = one.response
        events = split_events(response.header("content-type"), response.body)
        places = len(response.body) if by == "bytes" else len(events)
        on = number if len(interactions) > 1 else None
        for place in range(places):
            how = {"bytes": place} if by == "bytes" else {"after": place}
            yield faults.disconnect(**how, on=on)
