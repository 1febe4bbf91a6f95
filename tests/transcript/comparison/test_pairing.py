"""Each interaction of either cassette stands in the comparison once, in an order that can be read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from aquila_cassette.model import CassetteData, Interaction, Request, Response
from aquila_cassette.transcript.comparison import compare

letters = st.lists(st.sampled_from("abcdefg"), max_size=8)


def spelt(names: list[str]) -> CassetteData:
    """Give a cassette of requests that have nothing in common but where they are equal."""
    return CassetteData(tuple(Interaction(Request("GET", f"https://{n}.example/{n}"), Response(204))
                      for n in names))  # fmt: skip


@given(letters, letters)
@settings(max_examples=200, deadline=None)
def test_each_stands_there_once(old: list[str], new: list[str]) -> None:
    found = compare(spelt(old), spelt(new)).interactions
    assert sorted(one.old_number for one in found if one.old_number) == list(range(1, len(old) + 1))
    assert [one.new_number for one in found if one.new_number] == list(range(1, len(new) + 1))
    assert all(one.old == one.new for one in found if one.old and one.new)
    both = sum(one.old is not None and one.new is not None for one in found)
    assert both == sum(min(old.count(name), new.count(name)) for name in "abcdefg")


@given(letters, letters)
@settings(max_examples=200, deadline=None)
def test_what_did_not_move_keeps_its_order_with_what_was_removed(
    old: list[str], new: list[str]
) -> None:
    found = compare(spelt(old), spelt(new)).interactions
    numbers = [one.old_number for one in found if one.old_number and not one.moved]
    assert numbers == sorted(numbers)


@given(st.lists(st.sampled_from("abcdefg"), unique=True), st.data())
@settings(max_examples=100, deadline=None)
def test_taking_one_to_another_place_moves_one_at_most(
    names: list[str], data: st.DataObject
) -> None:
    if not names:
        return
    at, to = (data.draw(st.integers(0, len(names) - 1)) for _ in range(2))
    other = [*names]
    other.insert(to, other.pop(at))
    found = compare(spelt(names), spelt(other)).interactions
    assert [one.state for one in found].count("moved") == (at != to)
