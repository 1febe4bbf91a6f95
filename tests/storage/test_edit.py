"""Interactions taken out of a text and put in, the rest as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila_cassette.model import Interaction, Piece, Request, Response
from aquila_cassette.storage.edit import Part, edit_interactions
from aquila_cassette.storage.format import as_read, loads, render
from tests.storage.strategies import texts

PATH = Path("cassettes/x.yaml")
notes = st.sampled_from(["", "# about the next\n", "\n", "\n# about\n# the next\n", "#\n\n"])
bodies = texts.map(str.encode)
interactions = st.builds(
    lambda sent, came: Interaction(
        Request("POST", "https://a.b", body=sent), Response(200, (), (Piece(5, came),))
    ),
    bodies,
    bodies,
)
some = st.lists(interactions, max_size=2)


@given(st.lists(interactions, min_size=1, max_size=3), some, st.data())
def test_what_stays_is_not_changed_by_a_character(
    on_file: list[Interaction], new: list[Interaction], data: st.DataObject
) -> None:
    indent = data.draw(st.sampled_from(["", "", "  "]))
    items = []
    for interaction in on_file:
        lines = render(interaction).split("\n")
        text = "\n".join([indent + line if line else line for line in lines])
        items.append(data.draw(notes).replace("#", f"{indent}#") + text)
    head = data.draw(st.sampled_from(["interactions:\n", "# top\ninteractions: # here\n"]))
    tail = data.draw(st.sampled_from(["version: 1\n", "\n# end\nversion: 1\n"]))
    dropped = {place for place in range(len(items)) if data.draw(st.booleans())}
    place = min(dropped, default=len(items))
    rest = [number for number in range(place, len(items)) if number not in dropped]
    parts: list[Part] = [
        *((number, None) for number in range(place)),
        *((None, render(one)) for one in new),
        *((number, None) for number in rest),
    ]
    edited = edit_interactions(head + "".join(items) + tail, parts)
    expected = [*on_file[:place], *new, *(on_file[number] for number in rest)]
    if edited is None:
        assert not expected
        return
    assert loads(edited.encode(), path=PATH).interactions == tuple(map(as_read, expected))
    # A comment at the top of the list is not told from one about its first item, nor are blank
    # lines above an item from those below the one before.
    for number in range(len(items)):
        if number not in dropped:
            assert items[number].strip("\n") in edited
    assert edited.endswith(tail)


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        ("interactions: []\n", [], None),
        ("interactions: [{a: 1}]\n", [(0, None)], None),
        ("{interactions: [{a: 1}]}\n", [(0, None)], None),
        (
            "interactions:\n-\n  a: 1\n-  # here\n\n  a: 2\n",
            [(None, "- d: 1\n"), (1, None)],
            "interactions:\n- d: 1\n-  # here\n\n  a: 2\n",
        ),
        (
            "interactions:\n- t: |+\n    a\n\n",
            [(0, None), (None, "- d: 1\n")],
            "interactions:\n- t: |+\n    a\n\n- d: 1\n",
        ),
    ],
)
def test_only_a_list_in_block_style_is_edited_and_its_items_are_found(
    text: str, parts: list[Part], expected: str | None
) -> None:
    assert edit_interactions(text, parts) == expected


def test_what_looks_like_a_comment_in_a_text_is_none() -> None:
    text = 'interactions:\n- a: "x\n\n# no\n\n  y"\n- b: |\n    # no\n# yes\n- c: 1\n'
    kept = text.partition("# yes")[0]
    assert edit_interactions(text, [(0, None), (1, None), (None, "- d: 1\n")]) == kept + "- d: 1\n"


@given(st.lists(interactions, min_size=1, max_size=3), some, st.data())
def test_interactions_are_replaced_one_for_one_and_the_comments_above_them_stay(
    on_file: list[Interaction], new: list[Interaction], data: st.DataObject
) -> None:
    items = [f"# about {number}\n{render(one)}" for number, one in enumerate(on_file)]
    text = f"version: 1\ninteractions:\n{''.join(items)}# end\n"
    places = data.draw(st.permutations(range(len(on_file))))
    by_place = dict(zip(places, new, strict=False))
    new_texts = {place: render(one) for place, one in by_place.items()}
    replaced = edit_interactions(text, [(n, new_texts.get(n)) for n in range(len(on_file))])
    assert replaced is not None
    expected = [by_place.get(number, one) for number, one in enumerate(on_file)]
    assert loads(replaced.encode(), path=PATH).interactions == tuple(map(as_read, expected))
    for number, item in enumerate(items):
        assert (f"# about {number}\n" if number in by_place else item) in replaced
    assert replaced.endswith("# end\n")
