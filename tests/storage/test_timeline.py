"""Pieces and the line that tells when each came and how long it is."""

from __future__ import annotations

import pytest

from aquila_cassette.model import Piece
from aquila_cassette.storage.pieces import is_timeline, split_pieces, timeline

BODY = b"data: 1\n\ndata: 22\n\ndata: 3"


def test_pieces_are_cut_as_they_came() -> None:
    pieces = (Piece(5, BODY[:3]), Piece(5, b""), Piece(9, BODY[3:]))
    assert split_pieces(BODY, timeline(pieces), event_stream=True) == pieces
    assert all(
        type(piece) is Piece for piece in split_pieces(BODY, timeline(pieces), event_stream=True)
    )


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (None, [0, 0, 0]),
        ("5+9", [5, 5, 5]),
        ("5+9 7+9", [5, 7, 7]),
        ("5+9 7+9 8+9", [5, 7, 8]),
        ("5+1 7+1 8+1 9+1", [5, 7, 9]),
        ("5+ +3", [0, 0, 0]),
        (f"5+{'9' * 5000}", [0, 0, 0]),
    ],
)
def test_a_body_edited_by_hand_comes_a_frame_a_piece(text: str | None, times: list[int]) -> None:
    pieces = split_pieces(BODY, text, event_stream=True)
    assert [piece.data for piece in pieces] == [b"data: 1\n\n", b"data: 22\n\n", b"data: 3"]
    assert [piece.at for piece in pieces] == times


def test_another_body_edited_by_hand_comes_in_one_piece_when_its_last_came() -> None:
    assert split_pieces(b"all", "5+1 9+1", event_stream=False) == (Piece(9, b"all"),)
    assert split_pieces(b"all", None, event_stream=False) == (Piece(0, b"all"),)


def test_no_body_has_no_pieces_but_those_of_no_bytes() -> None:
    assert split_pieces(b"", None, event_stream=True) == ()
    assert split_pieces(b"", "5+3", event_stream=True) == ()
    assert split_pieces(b"", "5+0", event_stream=True) == (Piece(5, b""),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "5+",
        "+",
        "5+3 ",
        " 5+3",
        "5+3  6+1",
        "5+3+1",
        "5 3",
        "5-3",
        "\uff15+\uff13",
        "a+b",
    ],
)
def test_only_words_of_two_numbers_are_a_time_line(text: str) -> None:
    assert is_timeline(text) == (text in ("5+", "+"))
