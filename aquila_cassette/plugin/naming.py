"""From a pytest item to names: its default cassette, its signature, the command that runs it."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePosixPath

import pytest

__all__ = ["default_name", "node_id", "rerecord_line"]


def node_id(item: pytest.Item) -> str:
    """Give the item's node id, without the group that pytest-xdist's loadgroup appends."""
    marked = item.get_closest_marker("xdist_group") is not None
    return item.nodeid.rpartition("@")[0] if marked and "@" in item.nodeid else item.nodeid


def default_name(item: pytest.Item) -> str:
    """Name the cassette of a test: ``<module path>/<Class.test[param]>``, safe as file names."""
    from aquila_cassette.cassette.names import safe

    module, _, inside = node_id(item).partition("::")
    folder = PurePosixPath(module).with_suffix("").parts
    test = ".".join(inside.split("::", inside.partition("[")[0].count("::")))
    return "/".join([*(safe(part) for part in folder if part != ".."), safe(test)])


def rerecord_line(item: pytest.Item) -> str:
    """Write the last line of an error: the command that records this test again, from here."""
    _, _, inside = node_id(item).partition("::")
    here = item.config.invocation_params.dir
    try:
        module = os.path.relpath(item.path, here)
    except ValueError:  # another drive, on Windows
        module = str(item.path)
    target = f"{module.replace(os.sep, '/')}::{inside}" if inside else module
    return f"Re-record: pytest {shlex.quote(target)} --aquila-record=all"
