"""Which tests record which cassettes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from aquila_cassette.cli.selection import merge_targets, owners_of, select
from aquila_cassette.model import CassetteData, Interaction, Request, Response

REQUEST, RESPONSE = Request("GET", "https://a.example"), Response(200)
PATH = Path("cassettes/x.yaml")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def made(by: str | None, at: str = "") -> Interaction:
    return Interaction(REQUEST, RESPONSE, at, by)


def test_tests_are_listed_once_in_their_order_with_what_their_teardowns_recorded() -> None:
    cassette = [
        made("b::b"),
        made("a::a[(teardown)]"),
        made(None),
        made("b::b (teardown)"),
        made(""),
    ]
    assert owners_of(cassette) == ("b::b", "a::a[(teardown)]")


def test_without_a_limit_all_is_selected() -> None:
    selected = select("x", PATH, CassetteData((made("a"), made(None), made("b", "nonsense"))), None)
    assert selected is not None
    assert (selected.tests, selected.unsigned) == (("a", "b"), 1)


def test_only_what_is_older_counts_and_what_has_no_date_is_not() -> None:
    cassette = CassetteData(
        (
            made("old", "2026-11-22T11:59:59Z"),
            made("zone", "2026-11-22T12:30:00+01:00"),
            made("new", "2026-11-22T12:00:00Z"),
            made("undated"),
            made("odd", "last week"),
            made(None, "2020-01-01T00:00:00Z"),
        )
    )
    selected = select("x", PATH, cassette, NOON)
    assert selected is not None
    assert (selected.tests, selected.unsigned) == (("old", "zone"), 1)
    assert select("x", PATH, CassetteData(cassette.interactions[2:5]), NOON) is None


def test_a_cassette_that_is_selected_twice_is_recorded_once() -> None:
    first = select("x", PATH, CassetteData((made("a"), made(None))), None)
    again = select("x", PATH.absolute(), CassetteData((made("b"), made("a"))), None)
    assert first is not None
    assert again is not None
    (one,) = merge_targets([first, again])
    assert (one.tests, one.unsigned) == (("a", "b"), 1)
