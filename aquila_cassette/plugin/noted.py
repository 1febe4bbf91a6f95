"""A note of the tests that missed, kept in pytest's cache for `aquila-cassette record --failed`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from aquila_cassette.plugin.summary import Tally

__all__ = ["note_misses"]

# The command line reads the file that pytest's cache makes of it: .pytest_cache/v/aquila/misses
_KEY = "aquila/misses"


def note_misses(config: pytest.Config, tally: Tally) -> None:
    """Note which tests missed, and where; forget those that ran and did not.

    Args:
        config: That of the whole run, not of one of its workers.
        tally: What all of its processes counted.
    """
    cache = getattr(config, "cache", None)  # none under -p no:cacheprovider
    if cache is None:
        return
    before: Any = cache.get(_KEY, {})
    if not isinstance(before, dict):
        before = {}
    ran = set(tally.ran)
    kept = {test: paths for test, paths in before.items() if test not in ran}
    now = kept | tally.missed_by
    if now != before:
        cache.set(_KEY, now)
