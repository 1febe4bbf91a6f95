"""The bytes of a file, and which characters may stand in it as they are."""

from __future__ import annotations

import pytest

from aquila_cassette.storage.yaml_reader import YamlError, clean_utf8
from aquila_cassette.storage.yaml_writer import unsafe

LONG = "é — naïve\n" * 20_000


def accepts(text: str) -> bool:
    try:
        return clean_utf8(text.encode()) == text.encode()
    except YamlError:
        return False


def test_what_we_write_as_it_is_may_stand_and_what_we_escape_may_not() -> None:
    characters = [chr(c) for c in range(0x80, 0x10000) if not 0xD800 <= c < 0xE000]
    assert [c for c in characters if accepts(f"é{c}—\n") == bool(unsafe(c))] == []
    assert accepts("\U0001f600\U000e0001\U0010ffff")


def test_of_the_control_characters_only_those_of_damage_are_refused() -> None:
    refused = {chr(c) for c in range(0x20) if not accepts(f"a{chr(c)}b\n")}
    assert refused == {"\0", "\r"}
    assert accepts("a\x7fb\n")


@pytest.mark.parametrize(
    "one", ["\u2028", "\u2029", "\x85", "\ufeff", "\uffff", "\ufdd0", "\0", "\r"]
)
def test_what_may_not_stand_is_found_far_down_in_a_long_file(one: str) -> None:
    with pytest.raises(YamlError) as caught:
        clean_utf8((LONG + one).encode())
    assert caught.value.line == 20_001


def test_bytes_that_are_no_utf_8_are_found_far_down_in_a_long_file() -> None:
    with pytest.raises(YamlError) as caught:
        clean_utf8(LONG.encode() + b"a\xe2\x80\nb")
    assert (caught.value.problem, caught.value.line) == ("the byte 0xe2 is no UTF-8", 20_001)


def test_no_character_is_cut_where_a_long_line_is() -> None:
    text = "—" * 200_000
    assert accepts(text)
