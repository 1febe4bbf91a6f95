"""What a run in mode ``all`` says of what changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import RawServer

Suite = Callable[..., pytest.RunResult]

SOURCE = """
@pytest.mark.parametrize("name", {names})
def test_a(aquila_cassette, name):
    with aquila_cassette(name):
        get("/{path}")
"""


def test_what_changed_in_each_cassette_is_shown(suite: Suite, server: RawServer) -> None:
    suite(SOURCE.format(names=["x", "y"], path="old")).assert_outcomes(passed=2)
    result = suite(SOURCE.format(names=["x"], path="new"), "--aquila-record=all")
    result.stdout.fnmatch_lines(
        [
            "aquila: cassettes/x.yaml was recorded again: 1 of 1 changed",
            f"  interaction 1: request and answer changed (GET {server.url}/new)",
            f"  -GET        {server.url}/old",
            f"  +GET        {server.url}/new",
            "   answer     200, text/plain",
            "  -body       /old",
            "  +body       /new",
            "   ended      complete",
            "aquila: no test used cassettes/y.yaml",
            "Fix: aquila-cassette unused --delete",
            "aquila: 0 replayed, 1 recorded, 0 missed, 0 unplayed",
        ],
        consecutive=True,
    )
    assert "recorded again" not in suite(None, "--aquila-record=all").stdout.str()


def test_of_many_only_some_are_shown(suite: Suite) -> None:
    names = [f"x{number}" for number in range(23)]
    suite(SOURCE.format(names=names, path="old")).assert_outcomes(passed=23)
    result = suite(SOURCE.format(names=names, path="new"), "--aquila-record=all")
    assert result.stdout.str().count("was recorded again") == 20
    result.stdout.fnmatch_lines(["aquila: 3 more changed; aquila-cassette diff NAME shows how"])
