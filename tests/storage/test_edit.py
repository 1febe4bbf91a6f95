"""Interactions taken out of a text and put in, the rest as it was."""

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


@given(st.lists(interactions, min_size=1, max_size=3), st.data())
def test_what_stays_is_not_changed_by_a_character(
    on_file: list[Interaction], data: st.DataObject
) -> None:
    indent = data.draw(st.sampled_from(["", "", "  "]))
    items, about = [], []
    for interaction in on_file:
        about.append(data.draw(notes).replace("#", f"{indent}#"))
        lines = render(interaction).decode().split("\n")
        text = "\n".join([indent + line if line else line for line in lines])
        items.append(about[-1] + text)
    head = data.draw(st.sampled_from(["interactions:\n", "# top\ninteractions: # here\n"]))
    tail = data.draw(st.sampled_from(["version: 1\n", "\n# end\nversion: 1\n"]))
    parts: list[Part] = []
    expected, kept = [], []
    for number, interaction in enumerate(on_file):
        way = data.draw(st.sampled_from(["keep", "drop", "replace", "insert"]))
        if way in ("keep", "insert"):
            parts.append((number, None))
            expected.append(interaction)
            kept.append(items[number])
        if way in ("replace", "insert"):
            new = data.draw(interactions)
            parts.append((number if way == "replace" else None, render(new)))
            expected.append(new)
            kept.append(about[number])
    new_text = edit_interactions(f"{head}{''.join(items)}{tail}".encode(), parts)
    if new_text is None:
        assert not expected
        return
    edited = new_text.decode()
    assert loads(new_text, path=PATH).interactions == tuple(map(as_read, expected))
    # Blank lines above an item may be those below the one before.
    assert all(text.strip("\n") in edited for text in kept)
    assert edited.endswith(tail)


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        ("interactions: []\n", [], None),
        ("interactions: [{a: 1}]\n", [(0, None)], None),
        ("{interactions: [{a: 1}]}\n", [(0, None)], None),
        (
            "interactions:\n-\n  a: 1\n-  # here\n\n  a: 2\n",
            [(None, b"- d: 1\n"), (1, None)],
            "interactions:\n- d: 1\n-  # here\n\n  a: 2\n",
        ),
        (
            "interactions:\n- t: |+\n    a\n\n",
            [(0, None), (None, b"- d: 1\n")],
            "interactions:\n- t: |+\n    a\n\n- d: 1\n",
        ),
    ],
)
def test_only_a_list_in_block_style_is_edited_and_its_items_are_found(
    text: str, parts: list[Part], expected: str | None
) -> None:
    new = edit_interactions(text.encode(), parts)
    assert (new and new.decode()) == expected


def test_what_looks_like_a_comment_in_a_text_is_none() -> None:
    text = 'interactions:\n- a: "x\n\n# no\n\n  y"\n- b: |\n    # no\n# yes\n- c: 1\n'
    kept = text.partition("# yes")[0]
    new = edit_interactions(text.encode(), [(0, None), (1, None), (None, b"- d: 1\n")])
    assert new == f"{kept}- d: 1\n".encode()
